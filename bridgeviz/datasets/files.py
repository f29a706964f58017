"""A user's own files: embeddings, pairs and labels, checked as they are read and refused in one sentence.

What carries names is read by them. What can be read in two ways is refused, with both ways named.
"""

from __future__ import annotations

import re
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._checks import InputError, reason
from bridgeviz.datasets._tables import cells, csv_labels, csv_matrix, named_columns, numbers, parquet_matrix

MOST_BYTES = 4 * 2**30
"""The largest array read from a file, uncompressed, because a small zip can hold a very large array."""

MATRIX_KINDS = (".npy", ".npz", ".csv", ".parquet")
PAIR_KINDS = (".csv", ".npy")
LABEL_KINDS = (".npy", ".txt", ".csv")

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)


def read_matrix(path: str | Path, *, rows: int = 2) -> np.ndarray:
    """Read an (n, p) matrix with one row per sample from `.npy`, `.npz`, `.csv` or `.parquet`.

    A `.npz` must hold one array, or one named x; a `.parquet` one column per feature, or one column of lists.

    Args:
        path: path of the file.
        rows: the least number of rows.

    Raises:
        InputError: no such file, another kind of file, or contents that are not a finite matrix.
    """
    path = _existing(path, MATRIX_KINDS, "a matrix")
    kind = path.suffix.lower()
    value = {".npy": _npy, ".npz": _npz, ".csv": csv_matrix, ".parquet": parquet_matrix}[kind](path)
    return _named(lambda: check.matrix(value, path.name, "read_matrix", rows=rows))


def read_pairs(path: str | Path, shape: tuple[int, int]) -> np.ndarray:
    """Read (l, 2) row numbers from a `.csv` with the columns source and target, or from a `.npy`.

    Args:
        path: path of the file.
        shape: (n, m) of the problem, to check the row numbers against.

    Raises:
        InputError: no such file, another kind of file, or contents that are not pairs of this problem.
    """
    path = _existing(path, PAIR_KINDS, "pairs")
    if path.suffix.lower() == ".npy":
        value = _npy(path)
    else:
        table = named_columns(cells(path), path)
        if not {"source", "target"} <= set(table.columns):
            columns = ", ".join(repr(str(name)) for name in table.columns)
            raise InputError(f"{path} must have the columns 'source' and 'target'. Got {columns} instead.")
        value = numbers(table.loc[:, ["source", "target"]], path)
    return _named(lambda: check.pair_index(value, path.name, "read_pairs", shape=shape, least=1))


def read_labels(path: str | Path, length: int) -> np.ndarray:
    """Read one label per row from `.npy`, `.txt` (one label per line) or `.csv` (one column, or one named label).

    If every label is a whole number, text is read as numbers, so that "3" in one file equals 3 in another.

    Args:
        path: path of the file.
        length: number of rows of the space.

    Raises:
        InputError: no such file, another kind of file, or contents that are not one label per row.
    """
    path = _existing(path, LABEL_KINDS, "labels")
    kind = path.suffix.lower()
    if kind == ".npy":
        return _named(lambda: check.labels(_npy(path), path.name, "read_labels", length=length))
    if kind == ".txt":
        try:
            value = path.read_text(encoding="utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} can't be read as text: {reason(error)}.") from error
        value = value[:-1] if value[-1] == "" else value
    else:
        value = csv_labels(path, length)
    value = [str(label).strip() for label in value]
    if "" in value:
        raise InputError(f"{path} must have a label in every row. Row {value.index('')} has none.")
    if all(_WHOLE.fullmatch(label) for label in value):
        value = [int(label) for label in value]
    return _named(lambda: check.labels(value, path.name, "read_labels", length=length))


def _named(checked: Callable[[], np.ndarray]) -> np.ndarray:
    """Run a check; its message names a file rather than an argument of a function."""
    try:
        return checked()
    except InputError as error:
        text = str(error)
        for where in ("read_matrix", "read_pairs", "read_labels"):
            text = text.replace(f"' of {where}()", "'")
        raise InputError(text.replace("The '", "The file '", 1)) from None


def _existing(path: str | Path, kinds: tuple[str, ...], what: str) -> Path:
    path = Path(path)
    if path.suffix.lower() not in kinds:
        raise InputError(
            f"{path} must be {what} in a file that ends in {', '.join(kinds)}. Got '{path.suffix}' instead."
        )
    if not path.is_file():
        raise InputError(f"{path} must be a file. No such file: check the path.")
    return path


# Raised by NumPy and zipfile on damaged, encrypted or oddly compressed files.
_UNREADABLE = (
    OSError, ValueError, EOFError, KeyError, RuntimeError, NotImplementedError, SyntaxError, zlib.error,
    zipfile.BadZipFile, tokenize.TokenError,
)  # fmt: skip


def _npy(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            shape, dtype = _header(file)
        _fits(shape, dtype, path)
        return np.load(path, allow_pickle=False)
    except InputError:
        raise
    except _UNREADABLE as error:
        raise InputError(f"{path} can't be read as a .npy array of numbers: {reason(error)}.") from error


def _npz(path: Path) -> np.ndarray:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            if {"data", "indices", "shape"} <= set(names):
                raise InputError(f"{path} must hold a dense array. It is a sparse matrix: save its .toarray() instead.")
            if len(names) != 1 and "x" not in names:
                listed = ", ".join(names) or "nothing"
                raise InputError(f"{path} must hold one array, or one named x. It holds: {listed}.")
            name = "x" if "x" in names else names[0]
            with archive.open(name + ".npy") as member:
                shape, dtype = _header(member)
            _fits(shape, dtype, path)
            with archive.open(name + ".npy") as member:
                return np.lib.format.read_array(member, allow_pickle=False)
    except InputError:
        raise
    except _UNREADABLE as error:
        raise InputError(f"{path} can't be read as a .npz of number arrays: {reason(error)}.") from error


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type from the header alone, before anything is decompressed."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _fits(shape: tuple[int, ...], dtype: np.dtype, path: Path) -> None:
    if any(side < 0 for side in shape):
        raise InputError(f"{path} must hold an array. Its header says shape {shape}.")
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size > MOST_BYTES:
        raise InputError(
            f"{path} must hold at most {MOST_BYTES / 2**30:.0f} GB. Its array of shape {shape} takes "
            f"{size / 2**30:.1f} GB: use a sample of its rows."
        )
