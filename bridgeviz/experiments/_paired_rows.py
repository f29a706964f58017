"""Two matrices and their paired samples, as `fit` of an `Aligner` takes them: row numbers, matrices, or both."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError


class PairedRows(NamedTuple):
    """Both spaces and the pairs between their rows.

    Attributes:
        x: (n, p) source rows, with the paired samples that came as matrices at the end.
        y: (m, q) target rows, likewise.
        pairs: (l, 2) row numbers.
        x_names, y_names: the names of the columns; None where no table with names was passed.
    """

    x: Float[np.ndarray, "n p"]
    y: Float[np.ndarray, "m q"]
    pairs: Int[np.ndarray, "l 2"]
    x_names: np.ndarray | None
    y_names: np.ndarray | None


def paired_rows(
    x: ArrayLike | None,
    y: ArrayLike | None,
    *,
    pairs: ArrayLike | None,
    paired_x: ArrayLike | None,
    paired_y: ArrayLike | None,
) -> PairedRows:
    """Stack the paired samples below x and y, and number all pairs.

    Args:
        x, y: the rows of both sides; None where there are only paired samples.
        pairs: (l, 2) row numbers of x and y.
        paired_x, paired_y: (k, p) and (k, q) matrices whose rows correspond.

    Raises:
        InputError: there are no pairs, or the matrices don't fit one another.
    """
    if (paired_x is None) != (paired_y is None):
        there, missing = ("paired_x", "paired_y") if paired_y is None else ("paired_y", "paired_x")
        raise check.fail(missing, "fit", f"a matrix with one row for each of '{there}'", None)
    if pairs is None and paired_x is None:
        raise InputError(
            "fit() needs paired samples. Got none. Pass row numbers, fit(X, Y, pairs=...), or matrices, "
            "fit(X, Y, paired_x=..., paired_y=...)."
        )
    if pairs is not None and (x is None or y is None):
        side = "X" if x is None else "Y"
        raise check.fail(side, "fit", "a matrix where 'pairs' are given, because they number its rows", None)
    source, target = _side(x, paired_x, "X", "paired_x"), _side(y, paired_y, "Y", "paired_y")
    index = np.zeros((0, 2), np.int64)
    if pairs is not None:
        index = check.pair_index(pairs, "pairs", "fit", shape=(source.before, target.before), least=1)
    added = [len(side.rows) - side.before for side in (source, target)]
    if added[0] != added[1]:
        raise check.fail("paired_y", "fit", f"a matrix with {added[0]} rows, like 'paired_x'", f"{added[1]} rows")
    new = np.arange(added[0])
    stacked = np.stack([source.before + new, target.before + new], axis=1)
    return PairedRows(source.rows, target.rows, np.concatenate([index, stacked]), source.names, target.names)


def matrix(
    value: Any, name: str, where: str, *, names: np.ndarray | None = None, columns: int | None = None, rows: int = 1
) -> np.ndarray:
    """`check.matrix`, for tables as well, whose columns must have the given names, where both sides have names."""
    own = column_names(value)
    if names is not None and own is not None and own.tolist() != names.tolist():
        place = next((k for k, (a, b) in enumerate(zip(own, names, strict=False)) if a != b), min(len(own), len(names)))
        expected, got = ([*side, "nothing"][place] for side in (names, own))
        hint = "Pass the same columns in the same order."
        raise check.fail(name, where, f"a table with column {place} named '{expected}'", f"'{got}'", hint)
    return check.matrix(value, name, where, columns=columns, rows=rows)


def column_names(value: Any) -> np.ndarray | None:
    """The names of the columns of a table; None for what has none, or numbers as names."""
    columns = getattr(value, "columns", None)
    if columns is None or not all(isinstance(column, str) for column in columns):
        return None
    return np.array(list(columns), dtype=object)


class _Side(NamedTuple):
    rows: np.ndarray
    before: int  # the number of rows above the paired samples
    names: np.ndarray | None


def _side(value: Any, paired: Any, name: str, paired_name: str) -> _Side:
    if value is None:
        return _Side(matrix(paired, paired_name, "fit", rows=2), 0, column_names(paired))
    rows, names = matrix(value, name, "fit", rows=2 if paired is None else 1), column_names(value)
    if paired is None:
        return _Side(rows, len(rows), names)
    more = matrix(paired, paired_name, "fit", names=names, columns=rows.shape[1])
    return _Side(np.concatenate([rows, more]), len(rows), column_names(paired) if names is None else names)
