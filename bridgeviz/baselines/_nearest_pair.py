"""The target row of the nearest paired source row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.baselines._baseline import BaselineOptions, Fitted
from bridgeviz.problem import Problem


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedNearestPair(Fitted):
    """The paired rows.

    Attributes:
        neighbours: scikit-learn's search among the paired source rows.
        partners: (l, q) their target rows.
    """

    neighbours: Any
    partners: np.ndarray

    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        """The target row of the nearest paired source row."""
        x = check.matrix(x, "x", "transport", columns=int(self.neighbours.n_features_in_), rows=1)
        return self.partners[self.neighbours.kneighbors(x, return_distance=False)[:, 0]]


@dataclass(frozen=True, kw_only=True)
class NearestPair(BaselineOptions):
    """The target row of the pair whose source row is nearest (1-NN, Cover and Hart 1967).

    Nearness is the Euclidean distance between rows as they are. It can only return target rows that have a pair, so it
    can't rank the partners of unpaired rows beyond their nearness to a paired one.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> fitted = NearestPair().fit(problem, problem.truth[:50])
    >>> bool((fitted.transport(problem.source.x[:50]) == problem.target.x[:50]).all())
    True
    """

    name = "1-nn"
    title = "1-NN"
    summary = "the target row of the nearest paired source row"

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedNearestPair:
        """Keep at least one pair; nothing is random."""
        from sklearn.neighbors import NearestNeighbors

        i, j = self._pairs(problem, pairs, least=1).T
        neighbours = NearestNeighbors(n_neighbors=1).fit(problem.source.x[i])
        return FittedNearestPair(target=problem.target, neighbours=neighbours, partners=problem.target.x[j])
