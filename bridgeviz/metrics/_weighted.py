"""Means over rows that weigh differently."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def weighted_mean(values: np.ndarray, weights: np.ndarray | None) -> float:
    """The mean of the values, each with its weight; with equal weights or None exactly the plain mean.

    Args:
        values: (k,).
        weights: (k,) >= 0, with a positive sum.

    >>> weighted_mean(np.array([0.0, 1.0]), np.array([3.0, 1.0]))
    0.25
    """
    if weights is None or (weights == weights[0]).all():
        return float(values.mean())
    return float(values @ (weights / weights.sum()))


def carry_weight(pairs: np.ndarray, weights: Sequence[np.ndarray | None]) -> bool:
    """Whether pairs of rows can be averaged with the weights of both sides: some row of each side has any."""
    return len(pairs) > 0 and all(
        side is None or bool(side[rows].any()) for rows, side in zip(pairs.T, weights, strict=True)
    )
