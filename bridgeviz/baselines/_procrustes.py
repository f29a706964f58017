"""The orthogonal map, with a scale and a shift, from paired source rows to their target rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.baselines._baseline import BaselineOptions, Fitted
from bridgeviz.problem import Problem


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedProcrustes(Fitted):
    """`y = scale (x - centres[0]) rotation + centres[1]`.

    Attributes:
        rotation: (p, q) with orthonormal rows or columns on the directions that the pairs span, zero elsewhere.
        scale: > 0, or 0 where the pairs are unrelated.
        centres: the means (p,) and (q,) of the paired rows.
    """

    rotation: np.ndarray
    scale: float
    centres: tuple[np.ndarray, np.ndarray]

    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        x = check.matrix(x, "x", "transport", columns=len(self.rotation), rows=1)
        return self.scale * ((x - self.centres[0]) @ self.rotation) + self.centres[1]


@dataclass(frozen=True, kw_only=True)
class Procrustes(BaselineOptions):
    """The orthogonal map R, scale s and shift b that minimise `sum_p |s x_p R + b - y_p|^2` over the pairs.

    With the singular value decomposition `U S V^T` of the pairs' cross-covariance, `R = U V^T` (Schoenemann 1966). With
    unequal dimensions, or fewer pairs than dimensions, only the singular vectors with a singular value above zero
    enter: the directions that no pair speaks about are mapped to zero, not at random.

    Choose it where the two spaces are nearly a rotation of each other. It can't bend or stretch single directions.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> turn = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]
    >>> turned = bv.Problem(problem.source, bv.Space(3 * problem.source.x @ turn), truth=problem.truth)
    >>> fitted = Procrustes().fit(turned, turned.truth[:20])
    >>> bool(np.allclose(fitted.rotation, turn)), round(fitted.scale, 6)
    (True, 3.0)
    """

    name = "procrustes"
    title = "orthogonal Procrustes"
    summary = "the orthogonal map of the paired rows, with a scale and a shift"

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedProcrustes:
        """Fit the map to at least two pairs; nothing is random."""
        i, j = self._pairs(problem, pairs, least=2).T
        x, y = (np.asarray(rows, np.float64) for rows in (problem.source.x[i], problem.target.x[j]))
        centres = x.mean(0), y.mean(0)
        x, y = x - centres[0], y - centres[1]
        u, s, vt = np.linalg.svd(x.T @ y, full_matrices=False)
        kept = s > 1e-9 * s.max(initial=0.0)
        rotation = u[:, kept] @ vt[kept]
        spread = float(((x @ rotation) ** 2).sum())
        scale = float(s[kept].sum()) / spread if spread else 0.0
        return FittedProcrustes(target=problem.target, rotation=rotation, scale=scale, centres=centres)
