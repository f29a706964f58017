"""Formats whose C libraries may crash, loop or allocate without bound on damaged files.

They are read in a process of their own, with little memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats import _limits
from bridgeviz.datasets._formats._file import File, reading
from bridgeviz.datasets._formats._format import Column, Format, Table
from bridgeviz.datasets._formats._npy_header import read_header

_ROOT = Path(__file__).resolve().parents[3]

_CODE = "import sys; sys.path.append(sys.argv[1]); from bridgeviz.datasets._formats import answer; answer()"

_MEMORY = 2**27
"""Bytes of address space that the process may take, besides the arrays that it has counted before it reads them."""

_PATIENCE, _SPEED = 60, 10 * 2**20
"""Seconds until the process is stopped, and the bytes per second of the file that add to them."""

_LONGEST = 2**28
"""Bytes of the names of the rows, as JSON."""


class Isolated(Format):
    """Another format, read in a process with little memory of its own. A crash there is a file that can't be read.

    Args:
        inner: reads the file in that process.
    """

    def __init__(self, inner: Format):
        super().__init__(inner.title)
        self.inner = inner
        self.signature = inner.signature  # pyright: ignore[reportAttributeAccessIssue]

    def matrix(self, file: File) -> Table:
        return Table(**_ask(file, "matrix", 0))

    def labels(self, file: File, length: int) -> Column:
        return Column(**_ask(file, "labels", length))


def _ask(file: File, role: str, length: int) -> dict[str, Any]:
    """What another process reads from a file: the fields of a Table or a Column."""
    question = asdict(file) | {"path": str(file.path.absolute()), "role": role, "length": length, "shown": str(file)}
    command = [sys.executable, "-P", "-c", _CODE, str(_ROOT)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
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
    """The answer of the process: a line of JSON, and an array behind it unless the JSON holds everything."""
    line = stream.readline(_LONGEST)
    if not line.endswith(b"\n"):
        raise InputError(f"{file} can't be read: it is damaged so badly that the reader of such files gave up.")
    fields = json.loads(line)
    if "error" in fields:
        raise InputError(fields["error"])
    if "values" not in fields:
        header = read_header(stream, file)
        _limits.refuse_large(file, header.shape, header.dtype)
        array = np.empty(header.nbytes, np.uint8)
        done = 0
        while done < header.nbytes and (count := stream.readinto(memoryview(array)[done:])):  # pyright: ignore
            done += count
        if done < header.nbytes:
            raise InputError(f"{file} can't be read: its reader stopped in the middle.")
        fields["x"] = array.view(header.dtype).reshape(header.shape, order="F" if header.fortran else "C")
    if fields["names"] is not None:
        fields["names"] = tuple(fields["names"])
    return fields


def answer(formats: dict[str, Format]) -> None:
    """Read the file that the question on stdin names, and write the answer to stdout. Runs in a process of its own."""
    question = json.loads(sys.stdin.buffer.read())
    file = File(Path(question["path"]), question["key"], question["size"])
    kind = formats[file.path.suffix.lower()]
    inner = kind.inner if isinstance(kind, Isolated) else kind
    _limits.limit_memory(_MEMORY)
    out = sys.stdout.buffer
    try:
        with reading(file, inner.title):
            if question["role"] == "labels":
                column = inner.labels(file, question["length"])
                fields = {"values": [str(value) for value in column.values], "names": column.names}
                out.write(json.dumps(fields).encode() + b"\n")
                return
            table = inner.matrix(file)
    except InputError as error:
        message = str(error).replace(question["path"], question["shown"])
        out.write(json.dumps({"error": message}).encode() + b"\n")
        return
    out.write(json.dumps({"names": table.names, "stored": table.stored}).encode() + b"\n")
    np.lib.format.write_array(out, table.x, allow_pickle=False)
    out.flush()
