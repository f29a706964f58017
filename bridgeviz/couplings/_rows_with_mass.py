"""Which rows carry mass, and how many of all rows a plan sends to their own group."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

LEAST = 0.01
"""A row carries mass if it has at least this part of its share of it: an even one, unless it has a weight."""


class RowsWithMass(NamedTuple):
    """How much of the two spaces a plan couples at all. With weights, every row counts by its weight.

    Attributes:
        source, target: the share of the rows of each side that carry mass, in [0, 1].
        source_groups, target_groups: (c,) the same within each group of rows; NaN for a group without rows.
        agreement: the share of all source rows that are sent to their own group: a row whose mass is divided counts in
            part, and a row without mass does not count. It equals `Plan.agreement` if all rows carry the same mass.
    """

    source: float
    target: float
    source_groups: Float[np.ndarray, " c"]
    target_groups: Float[np.ndarray, " c"]
    agreement: float


Sides = tuple[np.ndarray, np.ndarray]
"""One array for the n source rows, and one for the m target rows."""


def from_marginals(
    masses: Sides, required: Sides, own: Float[np.ndarray, " n"], groups: Sides, size: int
) -> RowsWithMass:
    """The same numbers for a plan with known marginals.

    Args:
        masses: of all rows.
        required: the share of the mass that each row has to carry.
        own: the mass that each source row sends to its own group.
        groups: of all rows, from 0.
        size: the number of groups.
    """
    carry = [(mass > 0) & (mass >= LEAST * share * mass.sum()) for mass, share in zip(masses, required, strict=True)]
    sent = np.divide(own, masses[0], out=np.zeros(len(own)), where=carry[0])
    sources, targets = (_mean_by_group(*side, size) for side in zip(carry, groups, required, strict=True))
    source, target = (float(np.average(side, weights=share)) for side, share in zip(carry, required, strict=True))
    return RowsWithMass(source, target, sources, targets, float(np.average(sent, weights=required[0])))


def from_draws(
    i: Int[np.ndarray, " d"], j: Int[np.ndarray, " d"], required: Sides, groups: Sides, size: int
) -> RowsWithMass:
    """An estimate from draws (i, j): the rows that occur, over the number that would occur in a balanced plan.

    Args:
        i, j: rows of the source and of the target.
        required, groups, size: as in `from_marginals`.
    """
    shares, by_group, drawn_weights = [], [], []
    for rows, share, group in zip((i, j), required, groups, strict=True):
        drawn = np.bincount(rows, minlength=len(share)) > 0
        # By the weight of a row over its chance to be among the draws, those that occur stand for those that do not.
        chance = -np.expm1(len(rows) * np.log1p(-np.minimum(share, 0.5)))
        weight = np.divide(share, chance, out=np.zeros(len(share)), where=share > 0)
        shares.append(min(1.0, float(drawn @ weight)))
        total = np.bincount(group, weights=share, minlength=size)
        found = np.bincount(group, weights=weight * drawn, minlength=size)
        by_group.append(np.minimum(1.0, np.divide(found, total, out=np.full(size, np.nan), where=total > 0)))
        drawn_weights.append(weight)
    counts = np.bincount(i, minlength=len(required[0]))
    own = np.bincount(i, weights=groups[0][i] == groups[1][j], minlength=len(required[0]))
    at = np.flatnonzero(counts * drawn_weights[0] > 0)
    agreement = float(np.average(own[at] / counts[at], weights=drawn_weights[0][at]))
    return RowsWithMass(shares[0], shares[1], by_group[0], by_group[1], agreement * shares[0])


def _mean_by_group(values: np.ndarray, groups: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """(size,) the weighted mean of the values of each group, NaN for a group without any."""
    total = np.bincount(groups, weights=weights, minlength=size)
    return np.divide(
        np.bincount(groups, weights=values * weights, minlength=size), total, out=np.full(size, np.nan), where=total > 0
    )
