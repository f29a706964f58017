"""What recordings share: the division of the stimuli, and responses in standard deviations."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

HELD_OUT = ("test", "validation")
"""What `.test` of a problem can be."""


class Split(NamedTuple):
    """Row numbers of a 60 / 20 / 20 % division (Sec. 4), in increasing order.

    Attributes:
        train: to align.
        validation: to choose settings on.
        test: to report numbers on.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def three_way(size: int) -> Split:
    """The division of `size` stimuli, the same in every process: random, with seed 0.

    >>> [len(rows) for rows in three_way(1200)]
    [720, 240, 240]
    """
    order = np.random.default_rng(0).permutation(size)
    first, second = round(0.6 * size), round(0.8 * size)
    return Split(*(np.sort(part) for part in (order[:first], order[first:second], order[second:])))


def standardised(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and standard deviation 1 over some rows, float32; a column that is constant there is 0."""
    part = x[rows].astype(np.float64)
    mean, std = part.mean(0), part.std(0)
    varies = std > 1e-12 * np.abs(part).max(0)
    return np.where(varies, (x - mean) / np.where(varies, std, 1.0), 0.0).astype(np.float32)
