"""`.feather` and `.arrow`: tables in Arrow's own format, as a file or as a stream. https://arrow.apache.org/docs/format"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bridgeviz.datasets._formats import _arrow_table as arrow
from bridgeviz.datasets._formats._arrow_message import inflated
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Column, Format, Ids, Table
from bridgeviz.datasets._formats._limits import refuse_large

if TYPE_CHECKING:
    import pyarrow as pa

_FILE = b"ARROW1\0\0"
"""How a file begins; a stream has no signature, and the messages of both are the same."""


class Feather(Format):
    """A table with one column per feature, or with one column of lists."""

    def matrix(self, file: File) -> Table:
        table = _table(file)
        columns = arrow.matrix_columns(table.schema, file)
        return arrow.matrix(table, columns, file)

    def labels(self, file: File, length: int) -> Column:
        table = _table(file)
        return arrow.labels(table, arrow.label_columns(table.schema, file), file)

    def pairs(self, file: File) -> tuple[Ids, Ids]:
        file.no_key()
        table = _table(file)
        return arrow.pairs(table, arrow.pair_columns(table.schema, file), file)


def _table(file: File) -> pa.Table:
    """All of a table, whose size is counted before anything in it is decompressed."""
    import pyarrow as pa
    from pyarrow import ipc

    with pa.memory_map(str(file.path)) as stream:
        content = stream.read_buffer()
    if content[: len(_FILE)].to_pybytes() == _FILE:
        content = content[len(_FILE) :]
    size = 0
    for message in ipc.MessageReader.open_stream(content):
        size += inflated(message)
        refuse_large(file, (size,), np.dtype("S1"), stored=file.size)
    table = ipc.open_stream(content).read_all()
    table.validate(full=True)  # a damaged length or offset would be followed out of the table
    refuse_large(file, (len(table), table.num_columns), np.dtype(np.float64))
    return table
