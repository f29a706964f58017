"""Tables in a user's files, as CSV or Parquet: read by the names in them, and refused if there are two ways to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bridgeviz._checks import InputError, reason

if TYPE_CHECKING:
    import pandas as pd

_ROW_NUMBERS = ("", "id", "ids", "idx", "index", "row", "rows", "row_number", "unnamed: 0", "level_0")
"""Names, in small letters, of a first column that numbers the rows."""


def cells(path: Path) -> pd.DataFrame:
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
        raise InputError(f"{path} can't be read as a .csv table: {reason(error)}.") from error


def csv_matrix(path: Path) -> np.ndarray:
    """The numbers of a CSV with or without a header."""
    table = named_columns(cells(path), path)
    _refuse_row_numbers(table, path)
    return numbers(table, path)


def parquet_matrix(path: Path) -> np.ndarray:
    """The numbers of a Parquet table: one column per feature, or one column of lists, such as "embedding"."""
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} can't be read as a .parquet table: {reason(error)}.") from error
    lists = [name for name in table.columns if len(table) and isinstance(table[name].iloc[0], (np.ndarray, list))]
    if len(lists) == 1:
        try:
            return np.stack([np.asarray(row, np.float64) for row in table[lists[0]]])
        except (TypeError, ValueError) as error:
            expected = "a list of numbers of the same length in every row"
            raise InputError(f"{path} must hold {expected} of column {lists[0]!r}: {reason(error)}.") from error
    odd = [str(name) for name, dtype in table.dtypes.items() if dtype.kind not in "iufb"]
    if odd:
        raise InputError(f"{path} must hold numbers only. Column {odd[0]!r} is of type {table.dtypes[odd[0]]}.")
    _refuse_row_numbers(table, path)
    return table.to_numpy(np.float64)


def csv_labels(path: Path, length: int) -> list[str]:
    """The labels of a CSV: one column, with or without a header, or the column that is named label."""
    table = cells(path).fillna("")
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


def named_columns(table: pd.DataFrame, path: Path) -> pd.DataFrame:
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


def numbers(table: pd.DataFrame, path: Path) -> np.ndarray:
    import pandas as pd

    parsed = table.apply(pd.to_numeric, errors="coerce")
    words = table.astype(str).apply(lambda column: column.str.strip().str.lower())
    bad = (parsed.isna() & table.notna() & (words != "nan")).to_numpy()
    if bad.any():
        row, column = (int(k) for k in np.argwhere(bad)[0])
        cell = str(table.iat[row, column])[:40]
        raise InputError(f"{path} must hold numbers only. Row {row}, column '{table.columns[column]}' holds {cell!r}.")
    return parsed.to_numpy(np.float64)
