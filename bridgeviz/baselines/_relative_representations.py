"""Retrieval by relative representations: each row is described by its cosines with the paired rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz.baselines._baseline import BaselineOptions
from bridgeviz.baselines._shared_space import FittedSharedSpace, at_length_one
from bridgeviz.problem import Problem


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedRelative(FittedSharedSpace):
    """The paired rows as coordinates.

    Attributes:
        anchors: (l, p) the paired source rows at length one.
    """

    anchors: np.ndarray

    def _embed(self, x: np.ndarray) -> np.ndarray:
        return relative(x, self.anchors)


@dataclass(frozen=True, kw_only=True)
class RelativeRepresentations(BaselineOptions):
    """The cosine between relative representations (Moschella et al., arXiv 2209.15430, Sec. 3).

    Row x becomes the vector of its cosines with the l paired source rows, row y that of its cosines with their
    partners; nothing is fitted. Both vectors keep what a rotation or a scale changes in neither space. Rows are taken
    as they are, not centred, as in the source; a row at zero has no direction and scores 0 everywhere.

    Choose it where the two spaces differ by little more than a rotation and there are pairs in every part of them.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> turned = bv.Problem(problem.source, bv.Space(2 * problem.source.x[:, ::-1]), truth=problem.truth)
    >>> RelativeRepresentations().fit(turned, turned.truth[:20]).partners(turned.source.x, turned.truth[20:]).recall(1)
    1.0
    """

    name = "relative-representations"
    summary = "the cosine of each row's cosines with the paired rows"

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedRelative:
        """Keep at least one pair; nothing is fitted."""
        i, j = self._pairs(problem, pairs, least=1).T
        x, y = (np.asarray(space.x, np.float64) for space in (problem.source, problem.target))
        return FittedRelative(
            target=problem.target,
            columns=x.shape[1],
            embedded=relative(y, at_length_one(y[j])),
            anchors=at_length_one(x[i]),
        )


def relative(rows: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """(n, l) the cosines of rows (n, d) with anchors (l, d) at length one, each row of the result at length one."""
    return at_length_one(rows @ anchors.T)
