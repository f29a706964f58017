"""Neighbourhoods by class: what lies behind the overlap of Eq. 21."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._weights import weights as checked_weights
from bridgeviz.metrics._overlap import other_class_neighbours
from bridgeviz.metrics._weighted import weighted_mean


class Neighbourhood(NamedTuple):
    """The k nearest neighbours of each row of a space, and their classes.

    Attributes:
        classes: (c,) the classes, sorted.
        labels: (n,) the class of each row.
        rows: (n, k) the neighbours, nearest first; a row is not its own neighbour.
        overlap: (n,) the share of a row's neighbours with another label (Eq. 21).
        between: (c, c) the share of the neighbours of each class (rows) that belong to each class (columns), averaged
            over the rows of the class.
        mean: the mean overlap, over rows by their weights.
        chance: the mean overlap to expect if the classes were completely mixed.
    """

    classes: np.ndarray
    labels: np.ndarray
    rows: Int[np.ndarray, "n k"]
    overlap: Float[np.ndarray, " n"]
    between: Float[np.ndarray, "c c"]
    mean: float
    chance: float

    @property
    def by_class(self) -> Float[np.ndarray, " c"]:
        """The mean overlap of each class."""
        return 1.0 - np.diag(self.between)


def neighbourhood(x: ArrayLike, labels: ArrayLike, *, k: int = 15, weights: ArrayLike | None = None) -> Neighbourhood:
    """The neighbourhoods of a labelled space, by Euclidean distance as in Eq. 21.

    Args:
        x: (n, p) points.
        labels: (n,) classes.
        k: number of neighbours, at most n - 1; a larger k is reduced to that.
        weights: (n,) how much each row counts in `mean` and `chance`, as in `feature_overlap`; by class, all rows count
            the same.

    >>> near = neighbourhood([[0.0], [0.1], [5.0], [5.1]], ["a", "a", "b", "b"], k=1)
    >>> near.between
    array([[1., 0.],
           [0., 1.]])
    """
    x = check.matrix(x, "x", "neighbourhood")
    labels = check.labels(labels, "labels", "neighbourhood", length=len(x))
    k = min(check.count(k, "k", "neighbourhood"), len(x) - 1)
    classes, code = np.unique(labels, return_inverse=True)
    rows, overlap = other_class_neighbours(x, code, k)
    between = np.zeros((len(classes), len(classes)))
    np.add.at(between, (np.repeat(code, k), code[rows].reshape(-1)), 1.0)
    between /= between.sum(1, keepdims=True)
    if weights is not None:
        weights = checked_weights(weights, "weights", "neighbourhood", length=len(x))
    return Neighbourhood(
        classes=classes, labels=labels, rows=rows, overlap=overlap, between=between,
        mean=weighted_mean(overlap, weights), chance=chance_overlap(labels, weights),
    )  # fmt: skip


def chance_overlap(labels: ArrayLike, weights: np.ndarray | None = None) -> float:
    """The overlap to expect if every row's neighbours were drawn at random from the other rows.

    Args:
        labels: (n,) classes.
        weights: (n,) how much each row counts; None if all count the same.

    >>> round(chance_overlap(["a", "a", "b", "b"]), 3)  # two of the three other rows have the other class
    0.667
    """
    _, code, counts = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    n = counts.sum()
    return weighted_mean((n - counts[code]) / (n - 1), weights) if n > 1 else 0.0


def nearest_rows(
    x: Float[np.ndarray, "k p"], space: Float[np.ndarray, "n p"], own: np.ndarray | None = None, *, k: int = 15
) -> tuple[Float[np.ndarray, "k n"], Int[np.ndarray, "k j"]]:
    """The distances from some points to every row of a space, and the nearest rows, the nearest first.

    Args:
        x: the points.
        space: the rows.
        own: (k,) the row that each point is, which is not its own neighbour; None for points that are no rows.
        k: how many rows, at most all.
    """
    from sklearn.metrics import pairwise_distances

    apart = pairwise_distances(x, space)
    if own is not None:
        apart[np.arange(len(x)), own] = np.inf
    most = min(k, len(space) - (own is not None))
    near = np.argpartition(apart, most - 1, axis=1)[:, :most]
    order = np.argsort(np.take_along_axis(apart, near, 1), axis=1, kind="stable")
    return apart, np.take_along_axis(near, order, 1)
