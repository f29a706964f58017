"""What a solver needs to know of a matrix of costs before it starts, from some of its rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

ENTRIES = 2**20
"""Entries of a block."""

SMALL = 2**22
"""Entries up to which matrices of costs are kept once they are computed, and plans are float64."""

HUGE = 2**28
"""Entries from which on a matrix is made as seldom as possible: the last kernel replaces its cost."""

SINGLE = 1e-6
"""Tolerance below which a stored kernel is float64: sums of float32 numbers are not more exact."""


class Extent(NamedTuple):
    """The size of a cost.

    Attributes:
        mean: over the finite entries, each with the product of its row's and its column's mass; 0 if these have none.
        least, largest: of the finite entries; infinite if there are none.
    """

    mean: float
    least: float
    largest: float

    @property
    def negative(self) -> bool:
        """Whether an entry is negative beyond rounding."""
        return self.least < 0 and self.least < -1e-9 * max(abs(self.least), abs(self.largest))

    @property
    def range(self) -> float:
        """The difference of the largest and the least entry."""
        return max(self.largest - self.least, 0.0)


class Totals(NamedTuple):
    """What the extent of a matrix follows from, for some of its rows.

    Attributes:
        cost, mass: of the finite entries, each times the product of its row's and its column's mass.
        least, largest: of the finite entries.
    """

    cost: float = 0.0
    mass: float = 0.0
    least: float = np.inf
    largest: float = -np.inf

    def with_others(self, others: Iterable[Iterable[float]]) -> Totals:
        """Those of these rows and of others."""
        cost, mass, least, largest = np.array([self, *others], float).T
        return Totals(float(cost.sum()), float(mass.sum()), float(least.min()), float(largest.max()))

    @property
    def extent(self) -> Extent:
        """The extent of the matrix."""
        return Extent(self.cost / self.mass if self.mass > 0 else 0.0, self.least, self.largest)


def extent(blocks: Iterable[tuple[slice, np.ndarray]], mu: np.ndarray, nu: np.ndarray) -> Extent:
    """The extent of a matrix; see `totals`."""
    return totals(blocks, mu, nu).extent


def totals(blocks: Iterable[tuple[slice, np.ndarray]], mu: np.ndarray, nu: np.ndarray) -> Totals:
    """The totals of a matrix, summed in float64.

    Args:
        blocks: some rows of it at a time, with their numbers.
        mu, nu: the masses of its rows and columns.
    """
    total, mass, least, largest = 0.0, 0.0, np.inf, -np.inf
    for rows, block in blocks:
        finite = np.isfinite(block)
        if finite.all():
            mass += mu[rows].sum() * nu.sum()
        else:
            mass += mu[rows] @ (finite @ nu)
        total += mu[rows] @ (np.where(finite, block, 0.0).astype(np.float64) @ nu)
        least = min(least, float(block.min(where=finite, initial=np.inf)))
        largest = max(largest, float(block.max(where=finite, initial=-np.inf)))
    return Totals(float(total), float(mass), least, largest)


def row_blocks(matrix: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """A matrix some rows at a time, with their numbers."""
    step = max(1, ENTRIES // max(1, matrix.shape[1]))
    for first in range(0, len(matrix), step):
        rows = slice(first, min(first + step, len(matrix)))
        yield rows, matrix[rows]
