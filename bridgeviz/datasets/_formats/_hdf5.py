"""HDF5 without its ways out of the file: links, external storage and virtual data sets are refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._limits import refuse_large

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_ROWS = 1024
"""Words that are read at a time."""


@contextmanager
def opened(file: File) -> Iterator[Any]:
    """The root group of a file."""
    import h5py

    with file.open() as stream, h5py.File(stream, "r") as root:
        yield root


def child(node: Any, path: str, file: File) -> Any:
    """The group or data set at a path below a node, or None. Every step on the way must lie in this file.

    Raises:
        InputError: a step is a link to elsewhere, or the data are kept elsewhere.
    """
    import h5py

    for name in path.split("/"):
        if not isinstance(node, h5py.Group) or name not in node.keys():  # noqa: SIM118 -- `in node` follows links
            return None
        if not isinstance(node.get(name, getlink=True), h5py.HardLink):
            raise InputError(
                f"{file} must hold its own data. {path[:60]!r} is a link to another place, which isn't followed."
            )
        node = node[name]
    if isinstance(node, h5py.Dataset) and (node.external or node.is_virtual):
        raise InputError(f"{file} must hold its own data. The data set {path[:60]!r} refers to other files.")
    return node


def numbers(node: Any, path: str, file: File) -> np.ndarray:
    """A data set of numbers, checked by its size first."""
    if node is None or not hasattr(node, "dtype"):
        raise InputError(f"{file} must hold an array at {path[:60]!r}. There is none.")
    if node.dtype.kind not in "fiub" or node.dtype.shape:
        raise InputError(f"{file} must hold numbers. {path[:60]!r} is of type {str(node.dtype)[:40]}.")
    shape = node.shape or ()
    refuse_large(file, shape, node.dtype, stored=node.id.get_storage_size())
    return np.asarray(node[()])


def words(node: Any, path: str, file: File) -> list[str]:
    """A data set of text, or of numbers as text."""
    import h5py

    if node is None or not hasattr(node, "dtype") or node.ndim != 1:
        raise InputError(f"{file} must hold a list of words at {path[:60]!r}. There is none.")
    if node.dtype.kind in "iub":
        return [str(value) for value in numbers(node, path, file).tolist()]
    if h5py.check_string_dtype(node.dtype) is None:
        raise InputError(f"{file} must hold words. {path[:60]!r} is of type {str(node.dtype)[:40]}.")
    refuse_large(file, node.shape, np.dtype("S64"))
    values: list[str] = []
    size = 0
    for start in range(0, len(node), _ROWS):
        block = node.asstr()[start : start + _ROWS]
        values += block.tolist()
        size += sum(map(len, block))
        refuse_large(file, (size,), np.dtype("S4"))
    return values


def attribute(node: Any, name: str) -> str:
    """An attribute as text; "" if there is none."""
    value = node.attrs.get(name, "") if hasattr(node, "attrs") else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
