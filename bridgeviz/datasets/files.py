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
from typing import IO, TYPE_CHECKING

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._checks import InputError

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 4 * 2**30
"""The largest array read from a file, uncompressed, because a small zip can hold a very large array."""

MATRIX_KINDS = (".npy", ".npz", ".csv", ".parquet")
PAIR_KINDS = (".csv", ".npy")
LABEL_KINDS = (".npy", ".txt", ".csv")

_ROW_NUMBERS = ("", "id", "ids", "idx", "index", "row", "rows", "row_number", "unnamed: 0", "level_0")
"""Names, in small letters, of a first column that numbers the rows."""

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
    value = {".npy": _npy, ".npz": _npz, ".csv": _csv_matrix, ".parquet": _parquet_matrix}[kind](path)
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
        table = _named_columns(_cells(path), path)
        if not {"source", "target"} <= set(table.columns):
            columns = ", ".join(repr(str(name)) for name in table.columns)
            raise InputError(f"{path} must have the columns 'source' and 'target'. Got {columns} instead.")
        value = _numbers(table.loc[:, ["source", "target"]], path)
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
            raise InputError(f"{path} can't be read as text: {_reason(error)}.") from error
        value = value[:-1] if value[-1] == "" else value
    else:
        value = _csv_labels(path, length)
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
        raise InputError(f"{path} can't be read as a .npy array of numbers: {_reason(error)}.") from error


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
        raise InputError(f"{path} can't be read as a .npz of number arrays: {_reason(error)}.") from error


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


def _cells(path: Path) -> pd.DataFrame:
    """The cells of a CSV as text, with every line as a row: the caller decides whether the first is a header.

    Blank lines are left out, except where there is one column: there they are empty cells.
    """
    import pandas as pd

    def read(skip: bool) -> pd.DataFrame:
        return pd.read_csv(
            path, header=None, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig",
            skip_blank_lines=skip,
        )  # fmt: skip

    try:
        table = read(skip=True)
        return read(skip=False) if table.shape[1] == 1 else table
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path} can't be read as a .csv table: {_reason(error)}.") from error


def _csv_matrix(path: Path) -> np.ndarray:
    """The numbers of a CSV with or without a header."""
    table = _named_columns(_cells(path), path)
    _refuse_row_numbers(table, path)
    return _numbers(table, path)


def _parquet_matrix(path: Path) -> np.ndarray:
    """The numbers of a Parquet table: one column per feature, or one column of lists, such as "embedding"."""
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} can't be read as a .parquet table: {_reason(error)}.") from error
    lists = [name for name in table.columns if len(table) and isinstance(table[name].iloc[0], (np.ndarray, list))]
    if len(lists) == 1:
        try:
            return np.stack([np.asarray(row, np.float64) for row in table[lists[0]]])
        except (TypeError, ValueError) as error:
            expected = "a list of numbers of the same length in every row"
            raise InputError(f"{path} must hold {expected} of column {lists[0]!r}: {_reason(error)}.") from error
    odd = [str(name) for name, dtype in table.dtypes.items() if dtype.kind not in "iufb"]
    if odd:
        raise InputError(f"{path} must hold numbers only. Column {odd[0]!r} is of type {table.dtypes[odd[0]]}.")
    _refuse_row_numbers(table, path)
    return table.to_numpy(np.float64)


def _csv_labels(path: Path, length: int) -> list[str]:
    """The labels of a CSV: one column, with or without a header, or the column that is named label."""
    table = _cells(path).fillna("")
    if table.shape[1] > 1:
        names = [str(name).strip() for name in table.iloc[0]]
        if "label" not in names:
            raise InputError(f"{path} must have one column, or one named 'label'. Got {table.shape[1]} columns.")
        body = table.iloc[1:]
        labels, numbers = body.iloc[:, names.index("label")].tolist(), body.iloc[:, 0].tolist()
        order = [str(row) for row in range(len(body))]
        if names[0].lower() in _ROW_NUMBERS and numbers != order and sorted(numbers) == sorted(order):
            raise InputError(
                f"{path} can be read in two ways: row 0 is {labels[0]!r} by position and "
                f"{labels[numbers.index('0')]!r} by its first column. Sort the file by that column, or delete it."
            )
        return labels
    value = [str(label).strip() for label in table.iloc[:, 0]]
    header = value[0] if value else ""
    if header and header not in value[1:]:
        if len(value) == length + 1:
            return value[1:]
        if header.lower() in ("label", "labels", "class"):
            labels = f"the header {header!r} and {len(value) - 1} labels"
            raise InputError(f"{path} must have one label per row, {length} in total. Got {labels} instead.")
    return value


def _named_columns(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Cells as a table whose columns have the names of the header, or numbers if there is no header."""
    import pandas as pd

    first = pd.Series(table.iloc[0])
    names = first.fillna("").astype(str).str.strip()
    numbers = np.asarray(pd.to_numeric(first, errors="coerce"), np.float64)
    words = (names != "").to_numpy() & np.isnan(numbers) & (names.str.lower() != "nan").to_numpy()
    counted = _counts_columns(names.tolist())
    if words.all() or (names.iloc[0] == "" and (words[1:].all() or counted)):
        header = True
    elif counted:
        header = _header_of_numbers(table, path)
    else:
        header = False  # a row of numbers with a word in it is refused by `_numbers`
    if not header:
        return table
    body = table.iloc[1:].reset_index(drop=True)
    body.columns = names.tolist()
    return body


def _counts_columns(names: list[str]) -> bool:
    """Whether a first line reads 0,1,2 and so on, perhaps after the nameless column of an index."""
    names = names[1:] if names[0] == "" else names
    return len(names) > 0 and names == [str(k) for k in range(len(names))]


def _header_of_numbers(table: pd.DataFrame, path: Path) -> bool:
    """Whether a first line 0,1,2 is the header that pandas writes for columns without names."""
    fractions = table.iloc[1:].apply(lambda column: column.str.contains(r"[.eE]", regex=True, na=False))
    if fractions.to_numpy().any():
        return True  # written as whole numbers among fractions
    line = ",".join(table.iloc[0].astype(str))[:40]
    raise InputError(
        f"{path} can be read in two ways: its first line {line} may be names of columns, as pandas writes them, or a "
        "row of numbers. Give the columns other names, or save the matrix as .npy."
    )


def _refuse_row_numbers(table: pd.DataFrame, path: Path) -> None:
    """Refuse a first column that numbers the rows: it would count as a feature."""
    import pandas as pd

    if table.shape[1] < 2 or not len(table):
        return
    name = str(table.columns[0])
    values = np.asarray(pd.to_numeric(table.iloc[:, 0], errors="coerce"), np.float64)
    counts = any(np.array_equal(values, np.arange(first, first + len(values))) for first in (0, 1))
    if name.strip().lower() in _ROW_NUMBERS or (counts and len(values) >= 10):
        title = f", {name!r}," if isinstance(table.columns[0], str) and name else ""
        raise InputError(
            f"{path} must hold one column per feature. Its first column{title} looks like the number of the row: write "
            "the file without it (index=False), or save the matrix as .npy if it is a feature."
        )


def _numbers(table: pd.DataFrame, path: Path) -> np.ndarray:
    import pandas as pd

    parsed = table.apply(pd.to_numeric, errors="coerce")
    words = table.astype(str).apply(lambda column: column.str.strip().str.lower())
    bad = (parsed.isna() & table.notna() & (words != "nan")).to_numpy()
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        cell = str(table.iat[row, column])[:40]
        raise InputError(f"{path} must hold numbers only. Row {row}, column '{table.columns[column]}' holds {cell!r}.")
    return parsed.to_numpy(np.float64)


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0][:160] if text else type(error).__name__).rstrip(".")
