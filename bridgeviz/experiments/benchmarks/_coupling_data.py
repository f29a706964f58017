"""The problems of `bridgeviz bench couplings`.

Those of up to 10,000 rows are MNIST: latents of digits against codes that are sampled for their labels, so that no two
rows are equal. Larger ones draw points between two rows of the same digit, so that the neighbours of a point are not
copies of it, and their graph is as connected as that of the rows.
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
        x, labels = _between(x, labels, n)
        y = label_space(labels, sampled=True, seed=1).x
    return x, y, labels


def _between(x: np.ndarray, labels: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Points between a random row and another one of its label, nearer to the first, and their labels."""
    rng = np.random.default_rng(0)
    first = rng.integers(len(x), size=n)
    by_label = np.argsort(labels, kind="stable")
    values, starts, sizes = np.unique(labels[by_label], return_index=True, return_counts=True)
    of = np.searchsorted(values, labels[first])
    second = by_label[starts[of] + rng.integers(sizes[of])]
    share = rng.uniform(0, 0.5, (n, 1)).astype(x.dtype)
    return x[first] + share * (x[second] - x[first]), labels[first]


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
