"""Columns that name the rows: what is one, and what is refused because it may be a feature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import ROW_NUMBERS

_LEAST_COUNT = 10
"""Rows from which a column 0, 1, 2 is taken for the numbers of the rows rather than for a feature."""


def is_title(title: str) -> bool:
    """Whether a column of this title names or numbers the rows."""
    return title.strip().lower() in ROW_NUMBERS


def unique_names(values: Sequence[str], title: str, file: File) -> tuple[str, ...]:
    """The values of a column of words as names of the rows.

    Raises:
        InputError: a row has none, or two rows have the same.
    """
    names = tuple(values)
    if "" in names:
        raise InputError(f"{file} must name every row in column {title[:40]!r}. Row {names.index('')} has no name.")
    if len(set(names)) < len(names):
        first: dict[str, int] = {}
        row = next(k for k, name in enumerate(names) if first.setdefault(name, k) != k)
        raise InputError(
            f"{file} must hold numbers, and words only as names of the rows. Column {title[:40]!r} holds "
            f"{names[row][:40]!r} in rows {first[names[row]]} and {row}: labels belong into a file of their own."
        )
    return names


def refuse_row_numbers(values: np.ndarray, title: str | None, file: File) -> None:
    """Refuse a first column of numbers that may be the numbers of the rows or a feature.

    Args:
        values: the numbers in it.
        title: of the column; None if there is no header.
        file: holds it.
    """
    counts = len(values) >= _LEAST_COUNT and any(
        np.array_equal(values, np.arange(first, first + len(values))) for first in (0, 1)
    )
    if counts or (title is not None and is_title(title)):
        named = f", {title[:40]!r}," if title else ""
        raise InputError(
            f"{file} must hold one column per feature. Its first column{named} looks like the number of the row: write "
            "the file without it (index=False), or begin its values with a letter if they are names, or save the "
            "matrix as .npy if it is a feature."
        )
