"""What the baselines that spread classes over the source have in common: its neighbour graph, and new points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz.baselines._classes import FittedClasses


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedSpread(FittedClasses):
    """Classes of the source rows, which new points take from their neighbours among these.

    A point that is a source row has that row's class. Any other has the class with the largest mean score over its k
    nearest source rows, each weighted by one over its distance.

    Attributes:
        scores: (n, c) of each source row for each class; the highest is the class of the row.
        neighbours: scikit-learn's regression of the scores on the source rows.
    """

    scores: Float[np.ndarray, "n c"]
    neighbours: Any

    def _classify(self, x: ArrayLike, where: str) -> np.ndarray:
        x = check.matrix(x, "x", where, columns=int(self.neighbours.n_features_in_), rows=1)
        return self.neighbours.predict(x).reshape(len(x), -1).argmax(1)


def spread_to_new_points(x: np.ndarray, scores: np.ndarray, k: int) -> Any:
    """The regression of scores (n, c) on the k nearest of the source rows (n, p), by inverse distance."""
    from sklearn.neighbors import KNeighborsRegressor

    return KNeighborsRegressor(min(k, len(x)), weights="distance").fit(x, scores)


def gaussian_graph(x: Float[np.ndarray, "n p"], k: int) -> sparse.csr_array:
    """The symmetric graph of k nearest neighbours with self-tuned Gaussian weights.

    Row i's edge to its neighbour j weighs `exp(-4 |x_i - x_j|^2 / d_k(x_i)^2)`, d_k the distance to the k-th neighbour;
    the graph is the mean of these weights and their transpose (Calder et al. 2020, Sec. 3).
    """
    from sklearn.neighbors import NearestNeighbors

    distance, index = NearestNeighbors(n_neighbors=k).fit(x).kneighbors()
    width = np.maximum(distance[:, -1:], np.finfo(float).tiny ** 0.5)
    weight = np.exp(-4 * (distance / width) ** 2)
    rows = np.repeat(np.arange(len(x)), k)
    w = sparse.csr_array((weight.ravel(), (rows, index.ravel())), (len(x), len(x)))
    return sparse.csr_array((w + w.T) / 2)
