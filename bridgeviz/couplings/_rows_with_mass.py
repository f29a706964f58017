"""Which rows carry mass, and how many of all rows a plan sends to their own group."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

LEAST = 0.01
"""A row carries mass if it has at least this part of an even share of it."""


class RowsWithMass(NamedTuple):
    """How much of the two spaces a plan couples at all.

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


def from_marginals(
    source_mass: Float[np.ndarray, " n"],
    target_mass: Float[np.ndarray, " m"],
    own: Float[np.ndarray, " n"],
    source_groups: Int[np.ndarray, " n"],
    target_groups: Int[np.ndarray, " m"],
    size: int,
) -> RowsWithMass:
    """The same numbers for a plan with known marginals; `own` is the mass each source row sends to its own group."""
    carry = [(mass > 0) & (mass * len(mass) >= LEAST * mass.sum()) for mass in (source_mass, target_mass)]
    sent = np.divide(own, source_mass, out=np.zeros(len(own)), where=carry[0])
    return RowsWithMass(
        source=float(carry[0].mean()),
        target=float(carry[1].mean()),
        source_groups=_mean_by_group(carry[0], source_groups, size),
        target_groups=_mean_by_group(carry[1], target_groups, size),
        agreement=float(sent.mean()),
    )


def from_draws(
    i: Int[np.ndarray, " d"],
    j: Int[np.ndarray, " d"],
    source_groups: Int[np.ndarray, " n"],
    target_groups: Int[np.ndarray, " m"],
    size: int,
) -> RowsWithMass:
    """An estimate from draws (i, j): the rows that occur, over the number that would occur if all had the same mass."""
    shares, by_group = [], []
    for rows, groups in ((i, source_groups), (j, target_groups)):
        drawn = np.bincount(rows, minlength=len(groups)) > 0
        expected = -np.expm1(len(rows) * np.log1p(-1 / max(len(groups), 2)))
        shares.append(min(1.0, float(drawn.mean()) / expected))
        by_group.append(np.minimum(1.0, _mean_by_group(drawn, groups, size) / expected))
    counts = np.bincount(i, minlength=len(source_groups))
    own = np.bincount(i, weights=source_groups[i] == target_groups[j], minlength=len(source_groups))
    agreement = float((own[counts > 0] / counts[counts > 0]).mean())
    return RowsWithMass(shares[0], shares[1], by_group[0], by_group[1], agreement * shares[0])


def _mean_by_group(values: np.ndarray, groups: np.ndarray, size: int) -> np.ndarray:
    """(size,) the mean of the values of each group, NaN for a group without any."""
    counts = np.bincount(groups, minlength=size)
    return np.divide(
        np.bincount(groups, weights=values, minlength=size), counts, out=np.full(size, np.nan), where=counts > 0
    )
