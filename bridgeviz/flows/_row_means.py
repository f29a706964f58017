"""Where a plan sends each source row on average, which is what a prediction of its target is measured by."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:
    from bridgeviz.couplings import Plan

DRAWS = 8192
"""Draws from a local coupling, which has no plan between all rows."""


class RowMeans(NamedTuple):
    """The mean target of each source row that carries mass.

    Attributes:
        rows: (k,) row numbers.
        mass: (k,) their mass; sums to one.
        means: (k, q) `sum_j pi(j | i) y_j`, the barycentric projection.
        within: (q,) variance of the targets of a row around their mean, on average.
        groups: (k,) the group of each row: rows that the plan can't tell apart share one.
    """

    rows: Int[np.ndarray, " k"]
    mass: Float[np.ndarray, " k"]
    means: Float[np.ndarray, "k q"]
    within: Float[np.ndarray, " q"]
    groups: Int[np.ndarray, " k"]


def row_means(plan: Plan, y: Float[np.ndarray, "m q"], *, seed: int = 0) -> RowMeans:
    """The mean target of every source row that carries mass; estimated from draws for a local coupling.

    Args:
        plan: a coupling, with mass.
        y: (m, q) target points.
        seed: of the draws.
    """
    whole = plan.whole
    if whole is None:
        i, j = plan.sample(seed, DRAWS)
        rows, group, count = np.unique(i, return_inverse=True, return_counts=True)
        means = np.zeros((len(rows), y.shape[1]))
        np.add.at(means, group, y[j])
        means /= count[:, None]
        return RowMeans(rows, count / count.sum(), means, ((y[j] - means[group]) ** 2).mean(0), np.arange(len(rows)))
    source, target = whole.source_atoms, whole.target_atoms
    centres = np.zeros((len(target), y.shape[1]))
    np.add.at(centres, target.index, target.shares[:, None] * y)
    sent = whole.times(np.ones((len(target), 1)))[:, 0]
    means = whole.times(centres) / np.where(sent > 0, sent, 1.0)[:, None]
    mass, received = whole.marginals()
    rows = np.flatnonzero(mass > 0)
    groups = source.index[rows]
    mass = mass[rows] / mass.sum()
    within = np.maximum(received @ y**2 / received.sum() - mass @ means[groups] ** 2, 0.0)
    return RowMeans(rows, mass, means[groups], within, groups)
