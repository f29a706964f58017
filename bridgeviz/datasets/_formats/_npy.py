"""`.npy`: one NumPy array."""

from __future__ import annotations

import sys

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Column, Format, Ids, Table
from bridgeviz.datasets._formats._limits import refuse_large
from bridgeviz.datasets._formats._npy_header import SIGNATURE, read_header

MAPPED = 2**26
"""Bytes from which an array is mapped into memory instead of read."""


class Npy(Format):
    """One NumPy array. Large ones are mapped into memory."""

    signature = SIGNATURE

    def matrix(self, file: File) -> Table:
        array = _array(file)
        return Table(array, stored=str(array.dtype))

    def labels(self, file: File, length: int) -> Column:
        return Column(as_words(_array(file), file))

    def pairs(self, file: File) -> tuple[Ids, Ids]:
        return two_columns(_array(file), file)


def _array(file: File) -> np.ndarray:
    """The array in a file; read-only, and mapped into memory, if it is large."""
    file.no_key()
    with file.open() as stream:
        header = read_header(stream, file)
        refuse_large(file, header.shape, header.dtype)
        offset = stream.tell()
        if file.size - offset < header.nbytes:
            missing = f"{header.nbytes:,} bytes of an array of shape {header.shape}, and {file.size - offset:,} follow"
            raise InputError(f"{file} can't be read as a NumPy array: its header promises {missing}. Copy it again.")
        order = "F" if header.fortran else "C"
        if header.nbytes >= MAPPED:
            return np.memmap(stream, header.dtype, "r", offset, header.shape, order)
        count = header.nbytes // header.dtype.itemsize
        return np.fromfile(stream, header.dtype, count).reshape(header.shape, order=order)


def as_words(array: np.ndarray, file: File) -> np.ndarray:
    """Labels as they are, but bytes as text.

    Raises:
        InputError: text with numbers that stand for no letter, which NumPy does not notice and Python can't show.
    """
    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8")
    if array.dtype.kind == "U" and array.size:
        letters = np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(-1).view(np.uint32)
        if letters.max() > sys.maxunicode or ((letters >= 0xD800) & (letters < 0xE000)).any():
            raise InputError(f"{file} must hold text. It holds numbers that stand for no letter: it is damaged.")
    return array


def two_columns(array: np.ndarray, file: File) -> tuple[Ids, Ids]:
    """The columns of an (l, 2) array of row numbers or names."""
    if array.size == 0:
        array = np.zeros((0, 2), np.int64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise InputError(f"{file} must hold an array of (source row, target row). Its shape is {array.shape}.")
    source, target = as_words(array, file).T
    return (source.tolist(), target.tolist()) if source.dtype.kind == "U" else (source, target)
