"""The problems of `bridgeviz bench couplings`.

Those of up to 10,000 rows are MNIST: latents of digits against codes that are sampled for their labels, so that no two
rows are equal. Larger ones draw these rows repeatedly and add noise.
"""

from __future__ import annotations

import numpy as np

from bridgeviz import costs
from bridgeviz.costs import Cost
from bridgeviz.datasets import Mnist
from bridgeviz.problem import Pairs

DIGITS = 10_000
"""Rows of MNIST."""

METRIC = "sqeuclidean"
"""For graphs of sampled codes: their 10 nearest neighbours have the same label more often than by cosine distance."""


def digits(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(n, 16) latents, (n, 4) codes, and the (n,) labels that both belong to."""
    from bridgeviz.datasets._label_codes import label_space

    problem = Mnist(n=min(n, DIGITS), codes="sampled").load()
    x, y, labels = problem.source.x, problem.target.x, problem.source.labels
    assert labels is not None
    if n > DIGITS:
        rng = np.random.default_rng(0)
        rows = rng.integers(DIGITS, size=n)
        x = x[rows] + 0.1 * x.std(0) * rng.standard_normal((n, x.shape[1]), np.float32)
        labels = labels[rows]
        y = label_space(labels, sampled=True, seed=1).x
    return x, y, labels


def points(n: int, fraction: float) -> tuple[np.ndarray, np.ndarray, Pairs]:
    """Latents, codes, and the pairs: a share of the rows, at least one."""
    x, y, _ = digits(n)
    return x, y, some_pairs(n, fraction)


def bridge(n: int, fraction: float) -> Cost:
    """The paper's cost between these points, every row by itself."""
    return costs.bridge(*points(n, fraction)).unmerged()


def some_pairs(n: int, fraction: float) -> Pairs:
    """A share of the rows, at least one; row i belongs to row i."""
    rows = np.random.default_rng(1).choice(n, size=max(1, round(fraction * n)), replace=False)
    return Pairs(np.stack([rows, rows], axis=1), shape=(n, n))
