"""A user's own files: embeddings, pairs and labels, read with care and refused in one sentence."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from bridgeviz import _checks as check
from bridgeviz._checks import InputError

MOST_BYTES = 4 * 2**30
"""The largest array read from a file, uncompressed: a small zip can hold a very large array."""

MATRIX_KINDS = (".npy", ".npz", ".csv", ".parquet")
PAIR_KINDS = (".csv", ".npy")
LABEL_KINDS = (".npy", ".txt", ".csv")


def read_matrix(path: str | Path) -> np.ndarray:
    """An (n, p) matrix, one row a sample, from `.npy`, `.npz` (one array, or the one named x), `.csv` or `.parquet`.

    Raises:
        InputError: no such file, another kind of file, or contents that are no finite matrix.
    """
    path = _existing(path, MATRIX_KINDS, "a matrix")
    if path.suffix == ".npy":
        value = _npy(path)
    elif path.suffix == ".npz":
        value = _npz(path)
    else:
        value = _numbers(_table(path), path)
    return _named(lambda: check.matrix(value, path.name, "read_matrix"))


def read_pairs(path: str | Path, shape: tuple[int, int]) -> np.ndarray:
    """(l, 2) row numbers from a `.csv` with the columns source and target, or from a `.npy`.

    Args:
        path: of the file.
        shape: (n, m) of the problem, to check the numbers against.
    """
    path = _existing(path, PAIR_KINDS, "pairs")
    if path.suffix == ".npy":
        value = _npy(path)
    else:
        table = _table(path, header=0)
        names = [str(name).strip() for name in table.columns]
        if not {"source", "target"} <= set(names):
            raise InputError(
                f"{path} must have the columns 'source' and 'target'. Got {', '.join(repr(n) for n in names)} instead."
            )
        table.columns = names
        value = _numbers(pd.DataFrame(table[["source", "target"]]), path)
    return _named(lambda: check.pair_index(value, path.name, "read_pairs", shape=shape, least=1))


def read_labels(path: str | Path, length: int) -> np.ndarray:
    """One label a row from `.npy`, `.txt` (one a line) or `.csv` (one column, or the one named label).

    Args:
        path: of the file.
        length: how many rows the space has.
    """
    path = _existing(path, LABEL_KINDS, "labels")
    if path.suffix == ".npy":
        value = _npy(path)
    elif path.suffix == ".txt":
        try:
            value = np.array(path.read_text(encoding="utf-8").splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} can't be read as text: {error}.") from error
    else:
        table = _table(path)
        if table.shape[1] > 1:
            named = _table(path, header=0)
            if "label" not in named.columns:
                raise InputError(f"{path} must have one column, or one named 'label'. Got {table.shape[1]} columns.")
            table = pd.DataFrame(named["label"])
        elif len(table) == length + 1:  # a header line
            table = table.iloc[1:]
        value = table.iloc[:, 0].to_numpy()
        if pd.isna(value).any():
            raise InputError(f"{path} must have a label in every row. Row {int(np.argmax(pd.isna(value)))} has none.")
        if value.dtype == object or value.dtype.kind not in "iubf":
            value = value.astype(str)
    return _named(lambda: check.labels(value, path.name, "read_labels", length=length))


def _named(action):
    """Run a check; its sentence speaks of a file rather than of an argument of a function."""
    try:
        return action()
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
        raise InputError(f"{path} must be a file. There is none: check the path.")
    return path


def _npy(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            shape, dtype = _header(file)
        _fits(shape, dtype, path)
        return np.load(path, allow_pickle=False)
    except InputError:
        raise
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} can't be read as a .npy array of numbers: {_reason(error)}.") from error


def _npz(path: Path) -> np.ndarray:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
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
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} can't be read as a .npz of number arrays: {_reason(error)}.") from error


def _header(file) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type from the header alone, before anything is inflated."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _fits(shape: tuple[int, ...], dtype: np.dtype, path: Path) -> None:
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if size > MOST_BYTES:
        raise InputError(
            f"{path} must hold at most {MOST_BYTES / 2**30:.0f} GB. Its array of shape {shape} takes {size / 2**30:.1f} "
            "GB: give a sample of its rows."
        )


def _table(path: Path, header: int | None = None) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        table = pd.read_csv(path, header=header, skip_blank_lines=True)
        if header is None and len(table) > 1 and not _numeric(table.iloc[0]) and _numeric(table.iloc[1]):
            table = pd.read_csv(path, header=0)
        return table
    except (OSError, ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise InputError(f"{path} can't be read as a {path.suffix} table: {_reason(error)}.") from error


def _numeric(row: pd.Series) -> bool:
    return bool(np.isfinite(np.asarray(pd.to_numeric(row, errors="coerce"), float)).all())


def _numbers(table: pd.DataFrame, path: Path) -> np.ndarray:
    parsed = table.apply(pd.to_numeric, errors="coerce")
    bad = (parsed.isna() & table.notna()).to_numpy()
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        found = str(table.iat[row, column])[:40]
        raise InputError(f"{path} must hold numbers only. Row {row}, column '{table.columns[column]}' holds {found!r}.")
    return parsed.to_numpy(np.float64)


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0][:160] if text else type(error).__name__).rstrip(".")
