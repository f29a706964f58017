"""`.npz`: NumPy arrays in a zip archive, or a sparse matrix as SciPy saves it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Column, Format, Ids, Table
from bridgeviz.datasets._formats._limits import refuse_large
from bridgeviz.datasets._formats._npy import as_words, two_columns
from bridgeviz.datasets._formats._npy_header import read_header
from bridgeviz.datasets._formats._sparse import LAYOUTS, densify

_LARGEST_READ = 2**22
"""Bytes that zipfile may read at a time: it reads the list of all members at once, however long it says that it is."""

_CHUNK = 2**20


class Npz(Format):
    """Arrays in a zip archive: one, one named x, or the one that the key names; or the parts of one sparse matrix."""

    signature = b"PK\x03\x04"

    def matrix(self, file: File) -> Table:
        with _archive(file) as archive:
            names = _names(archive, file)
            if file.key is None and {"format", "shape", "data"} <= set(names):
                return _sparse(archive, names, file)
            array = _member(archive, file.pick(names, "x", "array"), file)
        return Table(array, stored=str(array.dtype))

    def labels(self, file: File, length: int) -> Column:
        with _archive(file) as archive:
            return Column(as_words(_member(archive, file.pick(_names(archive, file), "label", "array"), file), file))

    def pairs(self, file: File) -> tuple[Ids, Ids]:
        with _archive(file) as archive:
            return two_columns(_member(archive, file.pick(_names(archive, file), "pairs", "array"), file), file)


class _Bounded:
    """A stream that refuses to read much at a time."""

    def __init__(self, stream: IO[bytes], file: File):
        self._stream, self._file = stream, file

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(min(size, _LARGEST_READ + 1) if size >= 0 else _LARGEST_READ + 1)
        if len(content) > _LARGEST_READ:
            raise InputError(f"{self._file} can't be read as a .npz: its list of members is too long.")
        return content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _archive(file: File) -> Iterator[zipfile.ZipFile]:
    with file.open() as stream, zipfile.ZipFile(cast(IO[bytes], _Bounded(stream, file))) as archive:
        yield archive


def _names(archive: zipfile.ZipFile, file: File) -> list[str]:
    """The names of the arrays in an archive. Nothing is ever unpacked to the disk, so a path in it does no harm."""
    names = [name.removesuffix(".npy") for name in archive.namelist()]
    for name in names:
        if not name.isprintable() or re.search(r"(^|[/\\])\.\.([/\\]|$)|^[/\\]|^\w:", name):
            raise InputError(f"{file} must hold arrays with plain names. It holds {name[:60]!r}.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{file} must hold every array once. It holds {twice[:40]!r} more than once.")
    return names


def _member(archive: zipfile.ZipFile, name: str, file: File) -> np.ndarray:
    """One array, whose size is checked before anything but its header is decompressed."""
    members = archive.namelist()
    info = archive.getinfo(f"{name}.npy" if f"{name}.npy" in members else name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(f"{file} must be stored or deflated, as NumPy saves it. Array {name[:40]} is neither.")
    with archive.open(info) as stream:
        header = read_header(stream, file)
        refuse_large(file, header.shape, header.dtype, stored=info.compress_size)
        if info.file_size - stream.tell() != header.nbytes:
            raise InputError(f"{file} can't be read as a .npz: array {name[:40]} and its header have different sizes.")
        array = np.empty(header.nbytes, np.uint8)
        for start in range(0, header.nbytes, _CHUNK):
            chunk = stream.read(min(_CHUNK, header.nbytes - start))
            array[start : start + len(chunk)] = np.frombuffer(chunk, np.uint8)  # an error if it is cut off
        stream.read(1)  # reaches the end, where zipfile compares the checksum
    return array.view(header.dtype).reshape(header.shape, order="F" if header.fortran else "C")


def _sparse(archive: zipfile.ZipFile, names: list[str], file: File) -> Table:
    """The matrix that `scipy.sparse.save_npz` wrote."""
    layout = _member(archive, "format", file).reshape(-1)[:1]
    layout = str(as_words(layout, file)[0]) if layout.size else ""
    if layout not in LAYOUTS or not {*LAYOUTS[layout]} <= set(names):
        raise InputError(f"{file} must hold a sparse matrix by scipy.sparse.save_npz. Got format {layout[:20]!r}.")
    parts = {name: _member(archive, name, file) for name in LAYOUTS[layout]}
    return densify(file, layout, parts, _member(archive, "shape", file))
