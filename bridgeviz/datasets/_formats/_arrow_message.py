"""The size of a message of Arrow, from its flatbuffer. https://github.com/apache/arrow/blob/main/format/Message.fbs"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_HEADER_TYPE, _HEADER = 1, 2
"""Fields of a Message."""

_DICTIONARY, _DATA = 2, 1
"""The type of header of a dictionary, and its field that is a RecordBatch."""

_BUFFERS, _COMPRESSION = 2, 3
"""Fields of a RecordBatch."""


def inflated(message: pa.Message) -> int:
    """The bytes of a message's columns once they are decompressed; 0 if it has none.

    Each compressed buffer begins with its length.
    """
    body = message.body
    if body is None or message.type not in ("record batch", "dictionary"):
        return 0
    table = _Table(memoryview(message.metadata))
    batch = table.table(_HEADER)
    if table.number(_HEADER_TYPE, "<B") == _DICTIONARY:
        batch = batch.table(_DATA)
    if batch.offset(_COMPRESSION) is None:
        return body.size
    content, size = memoryview(body), 0
    for offset, length in batch.pairs(_BUFFERS):
        if length >= 8:
            (whole,) = struct.unpack_from("<q", content, offset)
            size += max(whole, length)
    return size


class _Table:
    """A table of a flatbuffer: its fields are found by their numbers. https://flatbuffers.dev/internals"""

    def __init__(self, content: memoryview, start: int | None = None):
        self.content = content
        self.start = self._unpack("<I", 0) if start is None else start

    def _unpack(self, kind: str, offset: int) -> int:
        return struct.unpack_from(kind, self.content, offset)[0]

    def offset(self, field: int) -> int | None:
        """Where a field is; None if it is not there."""
        fields = self.start - self._unpack("<i", self.start)
        if 4 + 2 * field >= self._unpack("<H", fields):
            return None
        return self.start + distance if (distance := self._unpack("<H", fields + 4 + 2 * field)) else None

    def number(self, field: int, kind: str) -> int:
        """A number that is kept in the table itself; 0 if it is not there."""
        return 0 if (offset := self.offset(field)) is None else self._unpack(kind, offset)

    def table(self, field: int) -> _Table:
        """Another table."""
        offset = self.offset(field)
        if offset is None:
            raise ValueError("a part of its metadata is missing")
        return _Table(self.content, offset + self._unpack("<I", offset))

    def pairs(self, field: int) -> list[tuple[int, int]]:
        """A vector of pairs of 64-bit numbers."""
        offset = self.offset(field)
        if offset is None:
            return []
        start = offset + self._unpack("<I", offset)
        count = self._unpack("<I", start)
        return list(struct.iter_unpack("<qq", self.content[start + 4 : start + 4 + 16 * count]))
