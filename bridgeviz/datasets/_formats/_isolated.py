"""Formats whose C libraries may crash, loop or allocate without bound on damaged files.

They are read in a process of their own, with little memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
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


def read_apart(file: File, reader: str, *arguments: str, title: str) -> dict[str, np.ndarray]:
    """What a function reads from a file, in a process with little memory of its own.

    Args:
        file: is read.
        reader: the function as "module:name". It is called with the file and the arguments, and returns arrays of
            numbers or text by name.
        arguments: of the function.
        title: what the file should be, such as "a netCDF recording".

    Raises:
        InputError: the function raised one, or anything else, or the process crashed or took too long.
    """
    fields = _ask(file, reader, arguments=arguments, title=title)
    return {name: fields[name] for name in fields["arrays"]}


def _ask(file: File, role: str, length: int = 0, **more: Any) -> dict[str, Any]:
    """What another process reads from a file: the fields of a Table, of a Column or of pairs, or a function's arrays.

    Args:
        file: is read.
        role: "matrix", "labels", "pairs", or a function as "module:name".
        length: of the labels.
        more: the `arguments` of a function, and the `title` of the file.
    """
    about = {"path": str(file.path.absolute()), "role": role, "length": length, "shown": str(file)}
    question = asdict(file) | about | more
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
    for name in fields.get("arrays", ()):
        fields[name] = _array(stream, file)
    return fields


def _array(stream: IO[bytes], file: File) -> np.ndarray:
    header = read_header(stream, file)
    _limits.refuse_large(file, header.shape, header.dtype)
    array = np.empty(header.nbytes, np.uint8)
    done = 0
    while done < header.nbytes and (count := stream.readinto(memoryview(array)[done:])):  # pyright: ignore
        done += count
    if done < header.nbytes:
        raise InputError(f"{file} can't be read: its reader stopped in the middle.")
    return array.view(header.dtype).reshape(header.shape, order="F" if header.fortran else "C")


def answer(formats: dict[str, Format]) -> None:
    """Read the file that the question on stdin names, and write the answer to stdout. Runs in a process of its own."""
    question = json.loads(sys.stdin.buffer.read())
    file = File(Path(question["path"]), question["key"], question["size"])
    title, read = _reader(question, formats)
    _limits.limit_memory(_MEMORY + file.size + 10 * min(file.size, _MEMORY // 4))  # the metadata of wide tables
    arrays: dict[str, np.ndarray] = {}
    try:
        with reading(file, title):
            fields, arrays = read(file)
    except InputError as error:
        fields = {"error": str(error).replace(question["path"], question["shown"])}
    sys.stdout.buffer.write(json.dumps(fields | {"arrays": list(arrays)}).encode() + b"\n")
    pipe: Any = SimpleNamespace(write=sys.stdout.buffer.write)  # to a file, numpy would write past Python's buffer
    for array in arrays.values():
        np.lib.format.write_array(pipe, array, allow_pickle=False)
    sys.stdout.buffer.flush()


Read = Callable[[File], tuple[dict[str, Any], dict[str, np.ndarray]]]
"""Reads a file: values for JSON, and arrays by name."""


def _reader(question: dict[str, Any], formats: dict[str, Format]) -> tuple[str, Read]:
    """What the file should be, and what reads it."""
    role, length = question["role"], question["length"]
    module, colon, name = role.partition(":")
    if colon:
        function = getattr(import_module(module), name)
        return question["title"], lambda file: ({}, function(file, *question["arguments"]))
    kind = formats[Path(question["path"]).suffix.lower()]
    inner = kind.inner if isinstance(kind, Isolated) else kind

    def read(file: File) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        if role == "labels":
            column = inner.labels(file, length)
            names = None if column.names is None else list(column.names)
            return {"values": _pack(column.values), "names": names, "certain": column.certain}, {}
        if role == "pairs":
            source, target = inner.pairs(file)
            return {"source": _pack(source), "target": _pack(target)}, {}
        table = inner.matrix(file)
        return {"names": table.names, "stored": table.stored}, {"x": table.x}

    return inner.title, read


def _pack(values: Sequence[str] | np.ndarray) -> dict[str, list[Any]]:
    """Numbers or words for JSON."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        return {"numbers": values.tolist()}
    return {"words": [str(value) for value in values]}


def _unpack(packed: dict[str, list[Any]]) -> np.ndarray | list[str]:
    return np.array(packed["numbers"]) if "numbers" in packed else packed["words"]
