"""How many dimensions a space uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check


def effective_dimensionality(x: ArrayLike) -> float:
    """`(sum_k lambda_k)^2 / sum_k lambda_k^2`, lambda the eigenvalues of the covariance (Elmoznino and Bonner 2024).

    From 1, if all rows are on a line, to min(n - 1, p), if they vary alike in every direction.

    Args:
        x: (n, p) features.

    Raises:
        InputError: all rows are equal.

    >>> rng = np.random.default_rng(0)
    >>> round(effective_dimensionality(rng.normal(size=(5000, 4))), 1)
    4.0
    >>> round(effective_dimensionality(rng.normal(size=(50, 1)) * [1.0, 2.0, 3.0]), 1)
    1.0
    """
    rows = check.matrix(x, "x", "effective_dimensionality").astype(np.float64)
    rows = rows - rows.mean(0)
    total = (rows**2).sum()
    if total == 0:
        raise check.fail("x", "effective_dimensionality", "rows that differ", "equal rows")
    # The smaller of the two Gram matrices has the same nonzero eigenvalues, and neither needs to be decomposed:
    # their sum is its trace, the sum of their squares its squared Frobenius norm.
    gram = rows @ rows.T if len(rows) < rows.shape[1] else rows.T @ rows
    return float(total**2 / (gram**2).sum())
