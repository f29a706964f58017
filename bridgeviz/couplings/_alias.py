"""Walker's alias method: tables for drawing from any distribution in O(1)."""

from __future__ import annotations

import numpy as np


def alias_table(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`keep` (N,) in [0, 1] and `alias` (N,): drawing k uniformly, then k or alias[k], has probabilities `share`.

    Walker's tables without a loop: entries below the mean, in order, are filled up from those above it, in order, so
    that the running sums of what is missing and of what is left over say which entry fills up which.

    Args:
        share: (N,) >= 0, not all zero; need not sum to one.
    """
    scaled = share * (len(share) / share.sum())
    light = scaled < 1.0
    low, high = np.flatnonzero(light), np.flatnonzero(~light)
    missing, surplus = np.cumsum(1.0 - scaled[low]), np.cumsum(scaled[high] - 1.0)
    keep, alias = np.ones(len(share)), np.arange(len(share))
    # A light entry is filled up by the heavy one whose surplus is not used up by the light ones before it.
    before = np.concatenate([[0.0], missing])[: len(low)]
    keep[low] = scaled[low]
    alias[low] = high[np.minimum(np.searchsorted(surplus, before, side="right"), len(high) - 1)]
    # A heavy one may give more than its surplus to its last light one; the next heavy one makes up for it.
    served = np.searchsorted(before, surplus, side="left")  # light ones filled up by it and the heavy ones before it
    spent = np.concatenate([[0.0], missing])[served]
    keep[high] = np.clip(1.0 + surplus - spent, 0.0, 1.0)
    alias[high] = np.append(high[1:], high[-1])
    keep[high[-1]] = 1.0
    return keep, alias
