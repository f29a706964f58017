"""Wasserstein Procrustes with a geometric start: a rotation fitted to assignments, with or without pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from bridgeviz import _checks as check
from bridgeviz._options import Count, option
from bridgeviz.baselines._baseline import BaselineOptions, Fitted
from bridgeviz.costs import Sides, geometric_start, spectral, unit
from bridgeviz.problem import Problem


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedWassersteinProcrustes(Fitted):
    """`y = (x - centres[0]) rotation`, at length one, in the space where the target rows are centred and of length one.

    Attributes:
        rotation: (p, q) with orthonormal rows or columns.
        centres: the means (p,) and (q,) of all rows.
        length: the mean length of the centred target rows.
    """

    rotation: np.ndarray
    centres: tuple[np.ndarray, np.ndarray]
    length: float

    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        """The rotated points, at the mean length of the target rows."""
        return self.length * self._turned(x, "transport") + self.centres[1]

    def score(self, x: ArrayLike) -> Float[np.ndarray, "n m"]:
        """The cosine between the rotated points and the centred target rows."""
        return self._turned(x, "score") @ unit(self.target.x - self.centres[1]).T

    def _turned(self, x: ArrayLike, where: str) -> np.ndarray:
        x = check.matrix(x, "x", where, columns=len(self.rotation), rows=1)
        return unit((x - self.centres[0]) @ self.rotation)


@dataclass(frozen=True, kw_only=True)
class WassersteinProcrustes(BaselineOptions):
    """The rotation and the assignment of rows that agree best, found in turns (arXiv 2610.09411).

    Rows are centred and of length one. The start matches k-means centers of both spaces so that their linear CKA is
    largest, over several restarts. Then batches of rows are assigned one to one, and orthogonal Procrustes fits the
    rotation to what was assigned; the known pairs weigh as much as all assigned rows together. It needs no pairs.

    Attributes:
        centers: k-means centers per side.
        restarts: number of k-means, whose cross-covariances are averaged.
        rounds: number of assignments.
        batch_size: rows per side in one assignment.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> turn = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))[0]
    >>> turned = bv.Problem(problem.source, bv.Space(problem.source.x @ turn), truth=problem.truth)
    >>> fitted = WassersteinProcrustes(restarts=2, rounds=5).fit(turned, turned.truth[:10])
    >>> bool((fitted.score(problem.source.x).argmax(1) == np.arange(100)).mean() > 0.9)
    True
    """

    name = "wasserstein-procrustes"
    summary = "a rotation and an assignment of the rows, found in turns from a geometric start"
    needs_pairs = False
    centers: int = option(Count(), 30, help="k-means centers per side.")
    restarts: int = option(Count(), 10, help="Number of k-means, whose cross-covariances are averaged.")
    rounds: int = option(Count(), 20, help="Number of assignments.")
    batch_size: int = option(Count(), 2000, help="Rows per side in one assignment.")

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedWassersteinProcrustes:
        """Fit the rotation to all rows and to the pairs, of which there may be none; `seed` determines every draw."""
        i, j = self._pairs(problem, pairs, least=0).T
        rng = np.random.default_rng(seed)
        x, y = (np.asarray(space.x, np.float64) for space in (problem.source, problem.target))
        centres = x.mean(0), y.mean(0)
        x, y = x - centres[0], y - centres[1]
        length = float(np.linalg.norm(y, axis=1).mean())
        x, y = (unit(rows).astype(np.float32) for rows in (x, y))
        a, b = (np.full(len(rows), 1 / len(rows), np.float32) for rows in (x, y))
        sides = Sides(x=x, y=y, a=a, b=b, x_pairs=x[i], y_pairs=y[j])
        rotation = spectral(geometric_start(sides, rng, restarts=self.restarts, centers=self.centers))
        for _ in range(self.rounds):
            batch = sides.part(rng, self.batch_size)
            rows, columns = linear_sum_assignment((batch.x @ rotation) @ batch.y.T, maximize=True)
            rotation = spectral(batch.x[rows].T @ batch.y[columns] / np.float32(len(rows)) + batch.pairs)
        return FittedWassersteinProcrustes(
            target=problem.target, rotation=np.asarray(rotation, np.float64), centres=centres, length=length
        )
