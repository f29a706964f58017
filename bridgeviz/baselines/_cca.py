"""Retrieval by canonical correlation analysis: the space in which the paired rows correlate most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz._options import Count, Unit, option
from bridgeviz.baselines._baseline import BaselineOptions
from bridgeviz.baselines._shared_space import FittedSharedSpace
from bridgeviz.costs import JointSpace, joint_space
from bridgeviz.problem import Problem


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedCCA(FittedSharedSpace):
    """The joint space.

    Attributes:
        joint: the canonical variates of scaled rows.
        scale: what the source rows are divided by first.
    """

    joint: JointSpace
    scale: float

    def _embed(self, x: np.ndarray) -> np.ndarray:
        return self.joint.unit_variates(x / self.scale, side=0)


@dataclass(frozen=True, kw_only=True)
class CCA(BaselineOptions):
    """The cosine between canonical variates (Hotelling 1936), with shrunken covariances (Vinod 1976).

    Each side is divided by the root of its paired rows' total variance, so that the shrinkage means the same for any
    two spaces. Without shrinkage, l pairs correlate perfectly in any l - 1 dimensions, and nothing is learned.

    Choose it where the spaces share some directions linearly and each has others of its own. Needs about as many pairs
    as there are shared directions.

    Attributes:
        components: the largest dimension of the joint space; it is smaller where the pairs determine fewer.
        shrinkage: in [0, 1], of the covariances `(1 - c) cov + c I`; 0 is the classic CCA.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> fitted = CCA().fit(problem, problem.truth[:60])
    >>> fitted.partners(problem.source.x, problem.truth[60:]).foscttm < 0.3
    True
    """

    name = "cca"
    title = "CCA"
    summary = "the cosine in the space in which the paired rows correlate most"
    components: int = option(Count(), 50, help="The largest dimension of the joint space.")
    shrinkage: float = option(Unit(zero=True), 0.1, help="How strongly the correlations are regularised.")

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedCCA:
        """Fit the joint space to at least two pairs; nothing is random."""
        i, j = self._pairs(problem, pairs, least=2).T
        x, y = (np.asarray(space.x, np.float64) for space in (problem.source, problem.target))
        a, b = (float(np.sqrt(rows.var(0).sum())) or 1.0 for rows in (x[i], y[j]))
        joint = joint_space(x[i] / a, y[j] / b, components=self.components, shrinkage=self.shrinkage)
        embedded = joint.unit_variates(y / b, side=1)
        return FittedCCA(target=problem.target, columns=x.shape[1], embedded=embedded, joint=joint, scale=a)
