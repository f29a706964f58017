"""Rows at length one."""

from __future__ import annotations

import numpy as np

from bridgeviz import _checks as check


def unit_rows(x: np.ndarray, name: str, where: str) -> np.ndarray:
    """The rows divided by their length; a row of length zero is refused."""
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    if not lengths.all():
        row = f"row {int(np.argmin(lengths))}"
        raise check.fail(name, where, "free of rows of length zero, which have no direction", row)
    return x / lengths
