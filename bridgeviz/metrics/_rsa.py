"""Whether two spaces find the same stimuli similar: representational similarity analysis (Kriegeskorte et al. 2008)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs import pearson


def rsa(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's correlation of the distances between rows within x and within y, in [-1, 1] (G.3.1).

    The distance is `1 - Pearson correlation` (Eq. 27); each pair of rows counts once. Memory: O(n^2).

    Args:
        x: (n, p) features.
        y: (n, q) responses to the same stimuli, row by row, n >= 3.

    Raises:
        InputError: other numbers of rows, or a constant row, whose correlation is undefined.

    >>> x = np.random.default_rng(0).normal(size=(20, 5))
    >>> round(rsa(x, 2 * x + 1), 3)
    1.0
    """
    from scipy.stats import rankdata

    x = check.matrix(x, "x", "rsa", rows=3)
    y = check.matrix(y, "y", "rsa", rows=3)
    if len(x) != len(y):
        raise check.fail("x", "rsa", f"one row per row of y, {len(y)} in total", f"{len(x)} rows")
    upper = np.triu_indices(len(x), 1)
    ranks = [rankdata(pearson(one, one)[upper]) for one in (x, y)]
    a, b = (one - one.mean() for one in ranks)
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / lengths) if lengths > 0 else 0.0
