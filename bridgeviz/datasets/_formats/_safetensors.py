"""`.safetensors`: named tensors behind a JSON header. https://github.com/huggingface/safetensors#format"""

from __future__ import annotations

import json
import math
from typing import Any, TypeGuard

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Column, Format, Table
from bridgeviz.datasets._formats._limits import refuse_large
from bridgeviz.datasets._formats._npy import MAPPED

_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip

_LONGEST = 2**23
"""Bytes of a header: that of a model with 50,000 tensors."""


class Safetensors(Format):
    """Tensors: one, one named x, or the one that the key names. Large ones are mapped into memory."""

    def matrix(self, file: File) -> Table:
        return Table(*_tensor(file, "x"))

    def labels(self, file: File, length: int) -> Column:
        return Column(_tensor(file, "label")[0])


def _tensor(file: File, default: str) -> tuple[np.ndarray, None, str]:
    """A tensor, the names of its rows, of which there are none, and its type in the file."""
    with file.open() as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > min(_LONGEST, file.size - 8):
            raise InputError(f"{file} can't be read as .safetensors: its header would have {length:,} bytes.")
        header = json.loads(stream.read(length).decode("utf-8"))
        if not isinstance(header, dict):
            raise InputError(f"{file} can't be read as .safetensors: its header is not an object.")
        header.pop("__metadata__", None)
        name = file.pick(list(header), default, "tensor")
        shape, kind, start, stop = _entry(header[name], name, file)
        if 8 + length + stop > file.size:
            raise InputError(f"{file} can't be read as .safetensors: it ends within tensor {name!r}. Copy it again.")
        dtype = np.dtype(_TYPES[kind])
        refuse_large(file, shape, dtype)
        offset, size = 8 + length + start, stop - start
        if size >= MAPPED:
            array = np.memmap(stream, dtype, "r", offset, shape)
        else:
            stream.seek(offset)
            array = np.fromfile(stream, dtype, size // dtype.itemsize).reshape(shape)
    if kind == "BF16":  # the upper half of a float32
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array, None, "bfloat16" if kind == "BF16" else str(dtype)


def _entry(entry: Any, name: str, file: File) -> tuple[tuple[int, ...], str, int, int]:
    """Shape, type, and first and last byte of a tensor, which must agree with one another."""
    entry = entry if isinstance(entry, dict) else {}
    kind, shape, offsets = str(entry.get("dtype")), entry.get("shape"), entry.get("data_offsets")
    if not _whole_numbers(shape) or not _whole_numbers(offsets) or len(shape) > 8 or len(offsets) != 2:
        raise InputError(f"{file} can't be read as .safetensors: its header does not describe tensor {name[:60]!r}.")
    if kind not in _TYPES:
        raise InputError(f"{file} must hold real numbers. Tensor {name[:60]!r} is of type {kind[:20]!r}.")
    start, stop = offsets
    if stop - start != math.prod(shape) * np.dtype(_TYPES[kind]).itemsize:
        raise InputError(f"{file} can't be read as .safetensors: tensor {name[:60]!r} has a wrong number of bytes.")
    return tuple(shape), kind, start, stop


def _whole_numbers(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(k) is int and 0 <= k < 2**48 for k in value)
