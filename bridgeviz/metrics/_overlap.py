"""Feature overlap: how well a space separates its classes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._weights import weights as checked_weights
from bridgeviz.metrics._weighted import weighted_mean


def point_overlap(x: ArrayLike, labels: ArrayLike, *, k: int = 15) -> Float[np.ndarray, " n"]:
    """For each point, the share of its k nearest neighbours that have another label (Eq. 21), in [0, 1].

    Args:
        x: (n, p) points.
        labels: (n,) classes.
        k: number of neighbours, not counting the point itself.
    """
    x = check.matrix(x, "x", "point_overlap")
    labels = check.labels(labels, "labels", "point_overlap", length=len(x))
    k = check.count(k, "k", "point_overlap", most=len(x) - 1)
    return other_class_neighbours(x, labels, k)[1]


def feature_overlap(
    x: ArrayLike, labels: ArrayLike, *, k: int = 15, batch_size: int = 5000, batches: int = 5, seed: int = 0,
    weights: ArrayLike | None = None,
) -> float:  # fmt: skip
    """Mean overlap of the classes in a space, in [0, 1] (Eq. 21, H.1).

    0 if the classes are well separated, about 1 - 1/classes if equally large classes are completely mixed. It is the
    mean of `point_overlap` over `batches` random batches of `batch_size` points. A space no larger than one batch is
    taken as a whole, once.

    Args:
        x: (n, p) points.
        labels: (n,) classes.
        k: number of neighbours; the paper uses 15.
        batch_size: points per batch; the paper uses 5,000 for MNIST.
        batches: number of batches; the paper uses 5.
        seed: for drawing the batches.
        weights: (n,) how much each point counts in the mean, >= 0; every point is a neighbour of others. None: all
            count the same.

    >>> feature_overlap([[0.0], [0.1], [5.0], [5.1]], [0, 0, 1, 1], k=1)
    0.0
    """
    x = check.matrix(x, "x", "feature_overlap")
    labels = check.labels(labels, "labels", "feature_overlap", length=len(x))
    k = check.count(k, "k", "feature_overlap", most=len(x) - 1)
    batch_size = check.count(batch_size, "batch_size", "feature_overlap", least=k + 1)
    if weights is not None:
        weights = checked_weights(weights, "weights", "feature_overlap", length=len(x))
    if len(x) <= batch_size:
        return weighted_mean(other_class_neighbours(x, labels, k)[1], weights)
    rng = np.random.default_rng(check.seed(seed, "seed", "feature_overlap"))
    parts = [
        rng.choice(len(x), batch_size, replace=False) for _ in range(check.count(batches, "batches", "feature_overlap"))
    ]
    overlaps = [other_class_neighbours(x[rows], labels[rows], k)[1] for rows in parts]
    counted = None if weights is None else weights[np.concatenate(parts)]
    if counted is not None and not counted.any():
        raise check.fail("weights", "feature_overlap", "positive for a point of the batches", "0 for all of them")
    return weighted_mean(np.concatenate(overlaps), counted)


def other_class_neighbours(x: np.ndarray, labels: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The (n, k) nearest neighbours of each row, and the (n,) share of them with another label (Eq. 21).

    The input must already have been checked. All rows may belong to one class, as in a random batch.
    """
    from sklearn.neighbors import NearestNeighbors

    rows = NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False)
    return rows, (labels[rows] != labels[:, None]).mean(1)
