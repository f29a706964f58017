"""Rows of a space by their names: where pairs and labels name rows instead of counting them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Column, Ids

_NUMBER = re.compile(r"-?[0-9]{1,18}(\.0*)?", re.ASCII)


def pair_rows(ids: Ids, side: str, names: Sequence[str] | None, file: File) -> np.ndarray:
    """The row numbers of one side of the pairs.

    Args:
        ids: their numbers, or text that is a number or a name.
        side: "source" or "target", for messages.
        names: of the rows of that side; None if it has none.
        file: of the pairs.

    Raises:
        InputError: a name that no row has or several have, or numbers that may be either.
    """
    numeric = isinstance(ids, np.ndarray) or all(_NUMBER.fullmatch(text) for text in ids)
    if numeric and not _have_numbers(names):
        return ids if isinstance(ids, np.ndarray) else np.array([float(text) for text in ids])
    if numeric:
        raise InputError(
            f"{file} can be read in two ways: the numbers in column '{side}' may be row numbers or names, because the "
            f"rows of the {side} have numbers as names. Write that file without names to pair by row numbers."
        )
    if names is None:
        row = next(k for k, text in enumerate(ids) if not _NUMBER.fullmatch(text))
        cell = f"Row {row}, column '{side}' holds {ids[row][:40]!r}"
        raise InputError(f"{file} must hold whole row numbers. {cell}, and the rows of the {side} have no names.")
    rows = _numbered(names, ids, f"{file} must name one row of the {side}.")
    for pair, name in enumerate(ids):
        if name not in rows:
            raise InputError(
                f"{file} must name rows of the {side}. Pair {pair} names {name[:40]!r}: there is no such row."
            )
    return np.array([rows[name] for name in ids], np.int64)


def label_order(column: Column, space: Sequence[str] | None, file: File) -> list[int] | None:
    """The rows of a file of labels in the order of the space; None if they are joined by position.

    Args:
        column: the labels and the names of their rows.
        space: the names of the rows of the space; None if it has none.
        file: of the labels.

    Raises:
        InputError: a row has no label, or several; or the file numbers its rows in another order.
    """
    if column.names is None or not (column.certain or set(space or [""]) <= set(column.names)):
        return None
    own, values = list(column.names), column.values
    counted = [str(row) for row in range(len(own))]
    if space is None and own != counted and sorted(own) == sorted(counted):
        raise InputError(
            f"{file} can be read in two ways: row 0 is {str(values[0])[:40]!r} by position and "
            f"{str(values[own.index('0')])[:40]!r} by its first column. Sort the file by that column, or delete it."
        )
    if space is None or (own == counted and not _have_numbers(space)):
        return None
    rows = _numbered(own, space, f"{file} must have one label per row.")
    for row, name in enumerate(space):
        if name not in rows:
            raise InputError(f"{file} must have a label for every row. Row {row}, {name[:40]!r}, has none.")
    return [rows[name] for name in space]


def _have_numbers(names: Sequence[str] | None) -> bool:
    """Whether rows have whole numbers as names, and not those that count them."""
    if names is None or not all(_NUMBER.fullmatch(name) for name in names):
        return False
    return any(name != str(row) for row, name in enumerate(names))


def _numbered(names: Sequence[str], needed: Sequence[str] | np.ndarray, expected: str) -> dict[str, int]:
    """The rows by their names, of which those that are needed must be unique."""
    rows: dict[str, int] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, row)
    if len(rows) < len(names):
        wanted = set(needed)
        twice = next((name for row, name in enumerate(names) if rows[name] != row and name in wanted), None)
        if twice is not None:
            raise InputError(f"{expected} Several are named {twice[:40]!r}.")
    return rows
