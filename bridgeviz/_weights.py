"""Weights of rows: how much of the mass each of them carries."""

from __future__ import annotations

from typing import Any

import numpy as np

from bridgeviz import _checks as check


def weights(value: Any, name: str, where: str, *, length: int) -> np.ndarray:
    """(n,) non-negative finite weights with a positive sum, divided by that sum.

    >>> weights([2, 0, 2], "weights", "Space", length=3)
    array([0.5, 0. , 0.5])
    """
    array = check.vector(value, name, where, length=length)
    negative = np.flatnonzero(array < 0)
    if len(negative):
        row = int(negative[0])
        raise check.fail(name, where, "nowhere negative", f"{array[row]:g} at row {row}")
    largest = float(array.max())
    if largest == 0:
        raise check.fail(name, where, "positive for at least one row", "0 for every row")
    if abs(array.sum() - 1) <= 1e-12:
        return array  # dividing again would change the last digits
    array = array / largest  # so that the sum does not overflow
    return array / array.sum()
