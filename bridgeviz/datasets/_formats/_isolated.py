"""Formats whose C libraries may crash, loop or allocate without bound on damaged files.

They are read in a process of their own, with little memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats import _limits
from bridgeviz.datasets._formats._file import File, reading
from bridgeviz.datasets._formats._format import Column, Format, Ids, Table
from bridgeviz.datasets._formats._npy_header import read_header

_ROOT = Path(__file__).resolve().parents[3]

_CODE = "import sys; sys.path.append(sys.argv[1]); from bridgeviz.datasets._formats import answer; answer()"

_MEMORY = 2**28
"""Bytes of address space that the process may take, besides the arrays that it has counted before it reads them."""

_FRUGAL = {
    "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
}  # fmt: skip
"""Settings of the libraries in the process, so that they reserve no address space that they do not use."""

_PATIENCE, _SPEED = 60, 10 * 2**20
"""Seconds until the process is stopped, and the bytes per second of the file that add to them."""

_LONGEST = 2**28
"""Bytes of the names of the rows, the labels or the pairs, as JSON."""


class Isolated(Format):
    """Another format, read in a process with little memory of its own. A crash there is a file that can't be read.

    Args:
        inner: reads the file in that process.
    """

    def __init__(self, inner: Format):
        super().__init__(inner.title)
        self.inner = inner
        self.signature = inner.signature  # pyright: ignore[reportAttributeAccessIssue]

    def holds(self, role: str) -> bool:
        return self.inner.holds(role)

    def matrix(self, file: File) -> Table:
        fields = _ask(file, "matrix")
        return Table(fields["x"], fields["names"] and tuple(fields["names"]), fields["stored"])

    def labels(self, file: File, length: int) -> Column:
        fields = _ask(file, "labels", length)
        return Column(_unpack(fields["values"]), fields["names"], fields["certain"])

    def pairs(self, file: File) -> tuple[Ids, Ids]:
        fields = _ask(file, "pairs")
        return _unpack(fields["source"]), _unpack(fields["target"])


def _ask(file: File, role: str, length: int = 0) -> dict[str, Any]:
    """What another process reads from a file: the fields of a Table, of a Column, or of pairs."""
    question = asdict(file) | {"path": str(file.path.absolute()), "role": role, "length": length, "shown": str(file)}
    command = [sys.executable, "-P", "-c", _CODE, str(_ROOT)]
    pipe, env = subprocess.PIPE, os.environ | _FRUGAL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=env) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stop = threading.Timer(_PATIENCE + file.size / _SPEED, process.kill)
        stop.start()
        try:
            with suppress(BrokenPipeError):  # it has ended already; its answer is empty
                process.stdin.write(json.dumps(question).encode())
                process.stdin.close()
            return _answer(process.stdout, file)
        finally:
            stop.cancel()
            process.kill()


def _answer(stream: IO[bytes], file: File) -> dict[str, Any]:
    """The answer of the process: a line of JSON, and behind it the array of a matrix."""
    line = stream.readline(_LONGEST)
    if not line.endswith(b"\n"):
        raise InputError(f"{file} can't be read: it is damaged so badly that the reader of such files gave up.")
    fields = json.loads(line)
    if "error" in fields:
        raise InputError(fields["error"])
    if "stored" in fields:
        header = read_header(stream, file)
        _limits.refuse_large(file, header.shape, header.dtype)
        array = np.empty(header.nbytes, np.uint8)
        done = 0
        while done < header.nbytes and (count := stream.readinto(memoryview(array)[done:])):  # pyright: ignore
            done += count
        if done < header.nbytes:
            raise InputError(f"{file} can't be read: its reader stopped in the middle.")
        fields["x"] = array.view(header.dtype).reshape(header.shape, order="F" if header.fortran else "C")
    return fields


def answer(formats: dict[str, Format]) -> None:
    """Read the file that the question on stdin names, and write the answer to stdout. Runs in a process of its own."""
    question = json.loads(sys.stdin.buffer.read())
    file = File(Path(question["path"]), question["key"], question["size"])
    kind = formats[file.path.suffix.lower()]
    inner = kind.inner if isinstance(kind, Isolated) else kind
    _limits.limit_memory(_MEMORY + file.size + 10 * min(file.size, _MEMORY // 4))  # the metadata of wide tables
    x = None
    try:
        with reading(file, inner.title):
            if question["role"] == "labels":
                column = inner.labels(file, question["length"])
                names = None if column.names is None else list(column.names)
                fields = {"values": _pack(column.values), "names": names, "certain": column.certain}
            elif question["role"] == "pairs":
                source, target = inner.pairs(file)
                fields = {"source": _pack(source), "target": _pack(target)}
            else:
                table = inner.matrix(file)
                fields, x = {"names": table.names, "stored": table.stored}, table.x
    except InputError as error:
        fields = {"error": str(error).replace(question["path"], question["shown"])}
    sys.stdout.buffer.write(json.dumps(fields).encode() + b"\n")
    if x is not None:
        np.lib.format.write_array(sys.stdout.buffer, x, allow_pickle=False)
    sys.stdout.buffer.flush()


def _pack(values: Sequence[str] | np.ndarray) -> dict[str, list[Any]]:
    """Numbers or words for JSON."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        return {"numbers": values.tolist()}
    return {"words": [str(value) for value in values]}


def _unpack(packed: dict[str, list[Any]]) -> np.ndarray | list[str]:
    return np.array(packed["numbers"]) if "numbers" in packed else packed["words"]
