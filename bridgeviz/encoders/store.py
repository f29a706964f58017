"""Features in one `.npz` file: written part by part, and read by memory map, so that neither needs to hold it all."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from bridgeviz._checks import InputError, reason
from bridgeviz._files import new_file

LOCAL_HEADER = 30
"""Length of the fixed part of a zip member's own header."""


class Parts:
    """A large array that is made part by part.

    Args:
        shape: of the whole array.
        dtype: of the whole array.
        parts: consecutive rows of it.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype | type, parts: Iterable[np.ndarray]):
        self.shape, self.dtype, self.parts = shape, np.dtype(dtype), parts


def write(path: Path, arrays: Mapping[str, np.ndarray | Parts]) -> None:
    """Write an uncompressed `.npz`, completely or not at all.

    Args:
        path: of the file.
        arrays: by name; a `Parts` is never whole in memory.
    """
    with new_file(path) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            if not isinstance(array, Parts):
                array = Parts(np.shape(array), np.asarray(array).dtype, [np.asarray(array)])
            header = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
            with archive.open(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), "w", force_zip64=True) as member:
                np.lib.format.write_array_header_2_0(member, header)
                rows = 0
                for part in array.parts:
                    member.write(np.ascontiguousarray(part, array.dtype).tobytes())
                    rows += len(part) if part.ndim else 0
            if array.shape and rows != array.shape[0]:
                raise RuntimeError(f"the array '{name}' must have {array.shape[0]} rows, and {rows} were written")


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of such a file as memory maps, which read only the rows that are used.

    Raises:
        InputError: the file is missing, damaged, or holds other things than plain arrays.
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if member.compress_type != zipfile.ZIP_STORED or not member.filename.endswith(".npy"):
                    raise ValueError(f"{member.filename} is compressed, or not an array")
                file.seek(member.header_offset)
                local = file.read(LOCAL_HEADER)
                file.seek(int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little"), 1)
                version = np.lib.format.read_magic(file)
                reader = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
                shape, fortran, dtype = reader(file)
                if dtype.hasobject or fortran:
                    raise ValueError(f"{member.filename} is not a plain array")
                name, empty = member.filename.removesuffix(".npy"), math.prod(shape) == 0
                # A memory map refuses a shape that does not fit into the file.
                arrays[name] = np.zeros(shape, dtype) if empty else np.memmap(path, dtype, "r", file.tell(), shape)
    except Exception as error:  # damaged zip archives and headers raise errors of a dozen kinds
        raise InputError(f"The features in {path} can't be read: {reason(error)}.") from error
    return arrays
