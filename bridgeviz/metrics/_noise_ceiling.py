"""How much of a recorded response is signal: the reliability of averages over repetitions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check


class NoiseCeiling(NamedTuple):
    """What repetitions say about each neuron.

    Attributes:
        reliability: (q,) the expected correlation of the average with that of as many new repetitions (Spearman-Brown),
            in [0, 1]; NaN where a neuron does not vary.
        correlation: (q,) its square root: the correlation with the average that a model of the true response would
            have. A model's `neuron_correlation` can exceed it only by chance.
    """

    reliability: Float[np.ndarray, " q"]
    correlation: Float[np.ndarray, " q"]


def noise_ceiling(repeats: ArrayLike, *, splits: int = 20, seed: int = 0) -> NoiseCeiling:
    """The noise ceiling of each neuron, from the split-half correlation r of its repetitions: `2 r / (1 + r)`.

    The repetitions of every stimulus are divided into two random halves. r is the correlation of the two averages over
    the stimuli, averaged over several such divisions; the Spearman-Brown formula extends it from half of the
    repetitions to all. A negative r counts as 0. An odd repetition is left out of a division.

    Args:
        repeats: (n, q, r) responses to n stimuli of q neurons in r repetitions; NaN where a stimulus was shown less
            often. Each stimulus needs at least two repetitions.
        splits: number of random divisions.
        seed: of the divisions.

    Raises:
        InputError: not three axes, or a stimulus without two repetitions.

    >>> rng = np.random.default_rng(0)
    >>> signal = rng.normal(size=(500, 1, 1))
    >>> ceiling = noise_ceiling(signal + rng.normal(size=(500, 1, 10)))  # reliability 10 / 11
    >>> ceiling.reliability.round(1), ceiling.correlation.round(2)
    (array([0.9]), array([0.96]))
    """
    where = "noise_ceiling"
    repeats = np.asarray(repeats)
    expected = "an array of shape (stimuli, neurons, repetitions)"
    if repeats.ndim != 3 or repeats.dtype.kind not in "fiu" or min(repeats.shape) == 0:
        raise check.fail("repeats", where, expected, check.describe(repeats))
    splits = check.count(splits, "splits", where)
    rng = np.random.default_rng(check.seed(seed, "seed", where))
    there = np.isfinite(repeats)
    shown = there.sum(2)
    if shown.min() < 2:
        stimulus, neuron = (int(k) for k in np.argwhere(shown < 2)[0])
        got = f"{shown[stimulus, neuron]} of neuron {neuron} to stimulus {stimulus}"
        raise check.fail("repeats", where, "at least two repetitions of each stimulus", got)
    if (there == there[:, :1]).all():  # neurons that were recorded together share their repetitions
        there, shown = there[:, :1], shown[:, :1]
    correlations = [_split_half(repeats, there, shown // 2, rng) for _ in range(splits)]
    r = np.maximum(np.mean(correlations, axis=0), 0.0)
    reliability = 2 * r / (1 + r)
    return NoiseCeiling(reliability, np.sqrt(reliability))


def _split_half(repeats: np.ndarray, there: np.ndarray, half: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(q,) the correlation of the averages of two disjoint random halves of the repetitions.

    All neurons take the same repetitions as far as they have them.
    """
    order = rng.random((len(repeats), 1, repeats.shape[2]))
    rank = np.where(there, order, 2.0).argsort(2).argsort(2)  # missing repetitions come last
    halves = []
    for low in (0, 1):
        chosen = (rank >= low * half[..., None]) & (rank < (low + 1) * half[..., None])
        halves.append(np.where(chosen, repeats, 0.0).sum(2, dtype=np.float64) / half)
    a, b = (one - one.mean(0) for one in halves)
    lengths = np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
    return np.where(lengths > 0, (a * b).sum(0) / np.where(lengths > 0, lengths, 1.0), np.nan)
