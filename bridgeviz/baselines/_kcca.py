"""Retrieval by kernel canonical correlation analysis, which is the cost `kcca` without a coupling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz._options import Unit, option
from bridgeviz.baselines._baseline import BaselineOptions
from bridgeviz.baselines._shared_space import FittedSharedSpace
from bridgeviz.costs import KCCA
from bridgeviz.problem import Problem


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedKCCA(FittedSharedSpace):
    """The joint space of the kernels.

    Attributes:
        variates: from points (n, p) to their variates (n, d).
    """

    variates: Callable[[np.ndarray], np.ndarray]

    def _embed(self, x: np.ndarray) -> np.ndarray:
        return self.variates(x)


@dataclass(frozen=True, kw_only=True)
class KernelCCA(BaselineOptions):
    """The cosine between kernel canonical variates (Hardoon et al. 2004; Eq. 17-18 of the paper).

    What the cost `bv.costs.kcca` compares with its default options, without a coupling: each row is matched on its own.
    Choose it where the relation between the spaces is smooth and pairs are many.

    Attributes:
        shrinkage: in (0, 1]; 1 is kernel PLS.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> fitted = KernelCCA().fit(problem, problem.truth[:60])
    >>> cost = bv.costs.kcca(problem.source.x, problem.target.x, problem.truth[:60])
    >>> bool(np.allclose(1 - fitted.score(problem.source.x), cost.dense()))
    True
    """

    name = "kcca"
    title = "KCCA retrieval"
    summary = "the cosine in the space in which kernels of the paired rows correlate most"
    shrinkage: float = option(Unit(), 0.1, help="How strongly the correlations are regularised.")

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedKCCA:
        """Fit the joint space to at least two pairs of distinct rows; nothing is random."""
        pairs = self._pairs(problem, pairs, least=2)
        x, y = problem.source.x, problem.target.x
        variates = KCCA(shrinkage=self.shrinkage).variates(x, y, pairs)
        return FittedKCCA(
            target=problem.target,
            columns=x.shape[1],
            embedded=variates(y, side=1),
            variates=lambda points: variates(points, side=0),
        )
