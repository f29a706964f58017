"""The energy test: whether two sets of points could come from the same distribution."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

from bridgeviz import _checks as check


class TwoSample(NamedTuple):
    """The result of the energy test.

    Attributes:
        coefficient: in [0, 1]; 0 for equal distributions.
        p: the p-value: the share of random relabellings whose coefficient is at least this one. A small value is
            evidence that the distributions differ.
    """

    coefficient: float
    p: float


def two_sample(x: ArrayLike, y: ArrayLike, *, permutations: int = 199, seed: int = 0) -> TwoSample:
    """The energy test (Szekely and Rizzo 2013): `H = 1 - (E|x - x'| + E|y - y'|) / (2 E|x - y|)`.

    With enough points it detects any difference between two distributions. The p-value comes from random relabellings,
    so it is valid for samples of any size. Memory: O((n + m)^2).

    Args:
        x: (n, p) points.
        y: (m, p) points of the same space.
        permutations: number of random relabellings; the smallest possible p is 1 / (permutations + 1).
        seed: for the relabellings.

    >>> rng = np.random.default_rng(0)
    >>> two_sample(rng.normal(size=(80, 2)), rng.normal(size=(90, 2)) + 1.0).p
    0.005
    """
    x = check.matrix(x, "x", "two_sample", rows=2)
    y = check.matrix(y, "y", "two_sample", columns=x.shape[1], rows=2)
    permutations = check.count(permutations, "permutations", "two_sample")
    rng = np.random.default_rng(check.seed(seed, "seed", "two_sample"))
    both = np.concatenate([x, y]).astype(np.float64)
    distance = cdist(both, both)
    n, m = len(x), len(y)
    first = np.zeros((n + m, permutations + 1))  # column 0 marks the rows of x, the others mark n random rows
    first[:n, 0] = 1.0
    for column in first.T[1:]:
        column[rng.choice(n + m, n, replace=False)] = 1.0
    towards = distance @ first
    within_first = (first * towards).sum(0)
    across = towards.sum(0) - within_first
    within_second = distance.sum() - within_first - 2 * across
    mean = across / (n * m)
    h = 1 - (within_first / n**2 + within_second / m**2) / (2 * np.where(mean > 0, mean, 1.0))
    h = np.where(mean > 0, h, 0.0)
    p = (1 + (h[1:] >= h[0] - 1e-12).sum()) / (permutations + 1)
    return TwoSample(float(max(h[0], 0.0)), float(p))
