"""Retrieval by ASIF: each row is described by the few paired rows that are most similar to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz._options import Count, Positive, option
from bridgeviz.baselines._baseline import BaselineOptions
from bridgeviz.baselines._shared_space import FittedSharedSpace, at_length_one
from bridgeviz.problem import Problem


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedASIF(FittedSharedSpace):
    """The paired rows as coordinates.

    Attributes:
        anchors: (l, p) the paired source rows at length one.
        k, power: the options that it was fitted with.
    """

    anchors: np.ndarray
    k: int
    power: float

    def _embed(self, x: np.ndarray) -> np.ndarray:
        return sparse_relative(x, self.anchors, self.k, self.power)


@dataclass(frozen=True, kw_only=True)
class ASIF(BaselineOptions):
    """The cosine between sparse relative representations (Norelli et al., arXiv 2210.01738, Sec. 2).

    As in relative representations, row x becomes its cosines with the l paired source rows, and row y its cosines with
    their partners; then only the k largest are kept, and raised to a power. Cosines below zero count as zero.

    The source keeps 800 of 1.6 million pairs and takes the power 8. With few pairs, k is at most their number.

    Attributes:
        k: the cosines that are kept for each row.
        power: to which they are raised.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> fitted = ASIF().fit(problem, problem.sample_pairs(0.2, seed=0))
    >>> fitted.accuracy(problem.source.x, problem.source.labels) > 0.7
    True
    """

    name = "asif"
    title = "ASIF"
    summary = "the cosine of each row's largest cosines with the paired rows"
    k: int = option(Count(), 800, help="Cosines that are kept for each row.")
    power: float = option(Positive(), 8.0, help="Power to which the cosines are raised.")

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedASIF:
        """Keep at least one pair; nothing is fitted."""
        i, j = self._pairs(problem, pairs, least=1).T
        x, y = (np.asarray(space.x, np.float64) for space in (problem.source, problem.target))
        return FittedASIF(
            target=problem.target,
            columns=x.shape[1],
            embedded=sparse_relative(y, at_length_one(y[j]), self.k, self.power),
            anchors=at_length_one(x[i]),
            k=self.k,
            power=self.power,
        )


def sparse_relative(rows: np.ndarray, anchors: np.ndarray, k: int, power: float) -> np.ndarray:
    """(n, l) the k largest cosines of rows (n, d) with anchors (l, d), to a power, zero elsewhere, at length one."""
    cosines = np.maximum(at_length_one(rows) @ anchors.T, 0)
    if k < len(anchors):
        least = np.partition(cosines, -k, axis=1)[:, -k, None]
        cosines = np.where(cosines >= least, cosines, 0)
    return at_length_one(cosines**power)
