"""How well a space keeps its classes apart."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from sklearn.neighbors import NearestNeighbors

from bridgeviz import _checks as check


def point_overlap(x: ArrayLike, labels: ArrayLike, *, k: int = 15) -> Float[np.ndarray, " n"]:
    """For each point, the share of its k nearest neighbours (itself not counted) with another label (Eq. 21)."""
    x = check.matrix(x, "x", "point_overlap")
    labels = check.labels(labels, "labels", "point_overlap", length=len(x))
    k = check.count(k, "k", "point_overlap", most=len(x) - 1)
    return other_class_neighbours(x, labels, k)[1]


def feature_overlap(
    x: ArrayLike, labels: ArrayLike, *, k: int = 15, batch_size: int = 5000, batches: int = 5, seed: int = 0
) -> float:
    """Mean overlap of the classes in a space, in [0, 1] (Eq. 21, H.1): 0 apart, near 1 - 1/classes when mixed.

    The mean of `point_overlap` over `batches` random batches of `batch_size` points; a space no larger than a batch
    is taken whole, once.

    Args:
        x: (n, p) points.
        labels: (n,) classes.
        k: neighbours (the paper's 15).
        batch_size: the paper's 5,000 for MNIST.
        batches: the paper's 5.
        seed: of the batches.

    >>> feature_overlap([[0.0], [0.1], [5.0], [5.1]], [0, 0, 1, 1], k=1)
    0.0
    """
    x = check.matrix(x, "x", "feature_overlap")
    labels = check.labels(labels, "labels", "feature_overlap", length=len(x))
    k = check.count(k, "k", "feature_overlap", most=len(x) - 1)
    batch_size = check.count(batch_size, "batch_size", "feature_overlap", least=k + 1)
    if len(x) <= batch_size:
        return float(other_class_neighbours(x, labels, k)[1].mean())
    rng = np.random.default_rng(check.seed(seed, "seed", "feature_overlap"))
    parts = [
        rng.choice(len(x), batch_size, replace=False) for _ in range(check.count(batches, "batches", "feature_overlap"))
    ]
    return float(np.mean([other_class_neighbours(x[rows], labels[rows], k)[1].mean() for rows in parts]))


def other_class_neighbours(x: np.ndarray, labels: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The (n, k) nearest rows of each row, and the (n,) share of them with another label (Eq. 21).

    Of rows that were checked before; they may be of one class only, as a random batch can be.
    """
    rows = NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False)
    return rows, (labels[rows] != labels[:, None]).mean(1)
