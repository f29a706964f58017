"""A plain matrix as a cost, and the cost that is zero everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs._atoms import Atoms, every_row
from bridgeviz.costs._combine import pick_columns, zero
from bridgeviz.costs._cost import Cost

_LEAST_STAND_IN = 1e3
"""A number stands for infinity from here on, if it is as many times larger than any other."""


def as_cost(value: Cost | ArrayLike, where: str) -> Cost:
    """`value` itself if it is a cost; a plain (n, m) matrix, such as `cosine(x, y)`, is wrapped as one.

    Matches that are infinite in a matrix are forbidden, and so are those that hold a large number in place of infinity:
    the same one everywhere, at least 1,000 and over 1,000 times the largest of the others, which would otherwise swamp
    the mean that the cost is divided by. A number that would leave a row or a column without a match is a cost.
    """
    return value if isinstance(value, Cost) else _from_matrix(value, where)


def flat(n: int, m: int) -> Cost:
    """Zero between all rows, on one atom per side: for solvers that need no cost between the spaces."""
    source, target = (Atoms(np.zeros(1, np.int64), np.zeros(size, np.int64), np.array([size])) for size in (n, m))
    return Cost(
        name="none", source_factor=np.zeros((1, 1)), target_factor=np.zeros((1, 1)), combine=zero,
        source_atoms=source, target_atoms=target,
    )  # fmt: skip


def _from_matrix(value: ArrayLike, where: str) -> Cost:
    value, infinite = _without_infinities(value)
    matrix = check.matrix(value, "cost", where, rows=1).astype(np.float64)
    if infinite is None:
        infinite = _stands_for_infinity(matrix)
    n, m = matrix.shape
    cost = Cost(
        name="matrix",
        source_factor=matrix if infinite is None else np.where(infinite, 0.0, matrix),
        target_factor=np.arange(m, dtype=np.float64)[:, None],
        combine=pick_columns,
        source_atoms=every_row(n),
        target_atoms=every_row(m),
    )
    return cost if infinite is None else cost.forbid(infinite)


def _without_infinities(value: Any) -> tuple[Any, np.ndarray | None]:
    """A matrix with zeros for its infinite entries, and where they are; `value` itself if it has none."""
    try:
        array = np.asarray(value)
        infinite = np.isposinf(array) if array.dtype.kind == "f" and array.ndim == 2 else np.zeros(0, bool)
    except Exception:  # whatever it is, the check of matrices says what is wrong with it
        return value, None
    return (np.where(infinite, 0.0, array), infinite) if infinite.any() else (value, None)


def _stands_for_infinity(matrix: np.ndarray) -> np.ndarray | None:
    """Where a matrix holds a large number in place of infinity; None if it does not."""
    largest = float(matrix.max())
    if largest < _LEAST_STAND_IN:
        return None
    at = matrix == largest
    if at.all(0).any() or at.all(1).any():
        return None
    next_largest = float(matrix.max(initial=-np.inf, where=~at))
    return at if 1e-9 < next_largest < largest / _LEAST_STAND_IN else None
