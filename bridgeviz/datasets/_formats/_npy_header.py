"""The header of a NumPy array, read with a narrower grammar than NumPy's own reader has."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from typing import IO

import numpy as np

from bridgeviz._checks import InputError, describe
from bridgeviz.datasets._formats._file import File

SIGNATURE = b"\x93NUMPY"

_LONGEST = 10_000
"""Bytes of a header, as NumPy has it. Version 2 allows 4 GB, which a small zip could hold."""


@dataclass(frozen=True)
class Header:
    """Shape, order and type of an array of numbers or text."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype

    @property
    def nbytes(self) -> int:
        """Bytes of the array behind the header."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(stream: IO[bytes], file: File) -> Header:
    """The header at the beginning of a stream, which is left at the first byte of the array."""
    start = stream.read(8)
    if len(start) < 8 or start[:6] != SIGNATURE or start[6] not in (1, 2, 3):
        raise InputError(f"{file} can't be read as a NumPy array: it does not begin like one.")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > _LONGEST:
        raise InputError(f"{file} can't be read as a NumPy array: its header has {length:,} bytes.")
    text = stream.read(length).decode("latin1" if start[6] < 3 else "utf8")
    fields = ast.literal_eval(re.sub(r"(?<=\d)L\b", "", text).strip())  # NumPy on Python 2 wrote 3L
    if not isinstance(fields, dict) or set(fields) != {"descr", "fortran_order", "shape"}:
        raise InputError(f"{file} can't be read as a NumPy array: its header is {describe(fields)}.")
    shape, fortran = fields["shape"], fields["fortran_order"]
    if not isinstance(shape, tuple) or len(shape) > 8 or not all(type(side) is int and side >= 0 for side in shape):
        raise InputError(f"{file} must hold an array. Its header says shape {describe(shape)}.")
    if any(side >= 2**48 for side in shape):
        raise InputError(f"{file} must hold an array that fits into memory. Its header says shape {describe(shape)}.")
    if not isinstance(fortran, bool):
        raise InputError(f"{file} can't be read as a NumPy array: its order is {describe(fortran)}.")
    return Header(shape, fortran, _dtype(fields["descr"], file))


def _dtype(descr: object, file: File) -> np.dtype:
    """The type of numbers or text that a header names."""
    if not isinstance(descr, str):
        raise InputError(f"{file} must hold numbers. It is a structured array of type {describe(descr)}.")
    dtype = np.dtype(descr)
    if dtype.kind == "O":
        raise InputError(f"{file} must hold numbers. It holds Python objects, which are never loaded: save a matrix.")
    if dtype.kind not in "fiubUS" or dtype.itemsize == 0:
        raise InputError(f"{file} must hold real numbers. It holds type {dtype}.")
    return dtype
