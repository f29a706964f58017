"""Distances within one space, c_X and c_Y: what a cost between spaces is built from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs._equal_rows import row_blocks


@dataclass(frozen=True)
class Metric:
    """A distance of the form `scale * |e(x) - e(x')|^2` with an embedding e of each row.

    All three of ours have this form. So a matrix of distances is one matrix product, and the mean over all n^2 pairs
    (by which H.4 divides) costs O(n), because E|e - e'|^2 = 2 (E|e|^2 - |E e|^2).

    Attributes:
        name: of the metric.
        embed: (rows, name, where, first) -> the embedded rows, each by itself; raises an `InputError` about argument
            `name` of `where` for rows that the metric is undefined for. They are numbered from `first`.
        scale: the factor.
        decimals: to which embedded rows are certain; None if embedding rounds nothing.
    """

    name: str
    embed: Callable[..., np.ndarray]
    scale: float
    decimals: int | None = None

    def matrix(self, x: np.ndarray, y: np.ndarray) -> Float[np.ndarray, "n m"]:
        """All distances between the rows of x and of y; never negative."""
        e, f = self._embedded(x, "x"), self._embedded(y, "y")
        centre = f.mean(0)  # leaves differences alone; far from the origin their squares would drown in rounding
        e, f = e - centre, f - centre
        squares = (e**2).sum(1)[:, None] + (f**2).sum(1)[None, :] - 2 * e @ f.T
        return np.maximum(self.scale * squares, 0)

    def mean(self, x: np.ndarray, weights: np.ndarray | None = None) -> float:
        """The mean of the n x n matrix of distances within x, including the zeros of its diagonal.

        Args:
            x: (n, p).
            weights: (n,) of the rows, summing to one; None if they are all the same.
        """
        total, size, squares = (len(x) if weights is None else 1.0), 0.0, 0.0
        near, sums = None, np.zeros(1)
        for rows in row_blocks(*x.shape):
            e = self._embedded(x[rows], "x")
            share = np.ones(len(e)) if weights is None else weights[rows]
            size += float(share @ np.einsum("ij,ij->i", e, e))
            near = e.mean(0) if near is None else near  # close to all rows, so that little cancels below
            e = e - near
            sums = sums + share @ e
            squares += float(share @ np.einsum("ij,ij->i", e, e))
        spread, size = max(squares / total - float(np.square(sums / total).sum()), 0.0), size / total
        # Rows that share one direction up to rounding are one point, not a space of size 1e-32.
        return float(2 * self.scale * spread) if spread > 1e-28 * size else 0.0

    def distinct(self, x: np.ndarray) -> np.ndarray:
        """A matrix whose rows are equal where the metric can't tell those of x apart, such as x and 2x by cosine."""
        e = self._embedded(x, "x")
        return e if self.decimals is None else np.round(e, self.decimals) + 0.0  # no -0.0

    def require_defined(self, x: np.ndarray, name: str, where: str) -> None:
        """Raise an `InputError` about argument `name` of `where` if the metric is undefined for any row of x."""
        for rows in row_blocks(*x.shape):
            self.embed(x[rows].astype(np.float64), name, where, rows.start)

    def _embedded(self, x: np.ndarray, name: str) -> np.ndarray:
        return self.embed(x.astype(np.float64), name, self.name)


def _unit_rows(x: np.ndarray, name: str, where: str, first: int = 0) -> np.ndarray:
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    if (norms == 0).any():
        expected = "free of rows of length zero, whose angle is undefined"
        raise check.fail(name, where, expected, f"row {first + int(np.argmin(norms))}", "Use metric='sqeuclidean'.")
    return x / norms


def _centred_unit_rows(x: np.ndarray, name: str, where: str, first: int = 0) -> np.ndarray:
    centred = x - x.mean(axis=1, keepdims=True)
    constant = np.linalg.norm(centred, axis=1) <= 1e-12 * np.linalg.norm(x, axis=1)
    if constant.any():
        expected = "free of constant rows, whose correlation is undefined"
        row = first + int(np.argmax(constant))
        raise check.fail(name, where, expected, f"row {row}", "Use metric='sqeuclidean'.")
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def _as_they_are(x: np.ndarray, name: str, where: str, first: int = 0) -> np.ndarray:
    return x


METRICS = {
    "cosine": Metric("cosine", _unit_rows, 0.5, decimals=12),
    "sqeuclidean": Metric("sqeuclidean", _as_they_are, 1.0),
    "pearson": Metric("pearson", _centred_unit_rows, 0.5, decimals=12),
}


def find_metric(name: str, where: str) -> Metric:
    """The metric with that name, or an error that lists the names."""
    return METRICS[check.choice(name, "metric", where, METRICS)]


def _dense(name: str, x: ArrayLike, y: ArrayLike | None) -> np.ndarray:
    x = check.matrix(x, "x", name, rows=1)
    y = x if y is None else check.matrix(y, "y", name, columns=x.shape[1], rows=1)
    return METRICS[name].matrix(x, y)


def cosine(x: ArrayLike, y: ArrayLike | None = None) -> Float[np.ndarray, "n m"]:
    """Cosine distance `1 - <x, y> / (|x| |y|)`, in [0, 2]; not divided by its mean. The paper's default (Sec. 3.2).

    Args:
        x: (n, p) rows, none of length zero.
        y: (m, p) rows, or None for x itself.

    >>> cosine([[1.0, 0.0], [0.0, 2.0]]).round(6)
    array([[0., 1.],
           [1., 0.]])
    """
    return _dense("cosine", x, y)


def sqeuclidean(x: ArrayLike, y: ArrayLike | None = None) -> Float[np.ndarray, "n m"]:
    """Squared Euclidean distance `|x - y|^2` (Eq. 13), in [0, inf); not divided by its mean.

    Args:
        x: (n, p) rows.
        y: (m, p) rows, or None for x itself.

    >>> sqeuclidean([[0.0, 0.0]], [[3.0, 4.0]])
    array([[25.]])
    """
    return _dense("sqeuclidean", x, y)


def pearson(x: ArrayLike, y: ArrayLike | None = None) -> Float[np.ndarray, "n m"]:
    """One minus the correlation of two rows (Eq. 27), in [0, 2]; not divided by its mean. For neural responses.

    Args:
        x: (n, p) rows, none constant.
        y: (m, p) rows, or None for x itself.

    >>> pearson([[1.0, 2.0, 3.0]], [[3.0, 2.0, 1.0]]).round(6)
    array([[2.]])
    """
    return _dense("pearson", x, y)
