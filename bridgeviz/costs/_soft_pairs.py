"""Soft pairs: what a cost is built on again, once a plan has guessed the partners of the other rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

CONFIDENT = 0.5
"""A guess that has more than this share of its row is a pair to a cost that reads whole pairs only."""
MOST_CONFIDENT = 1000
"""Such guesses, at most: the time of some costs grows with the cube of the pairs."""


def _no_rows() -> np.ndarray:
    return np.zeros((0, 2), np.int64)


def _no_numbers() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class SoftPairs:
    """Known pairs, and guesses with a weight.

    Attributes:
        known: (l, 2) rows (source, target) known to correspond; each counts as one pair.
        guesses: (k, 2) other rows, without repeats. Rows that are equal share one guess, in the name of their first.
        shares: (k,) in (0, 1], the probability of each guess: its share in its row of the plan.
        weights: (k,) > 0, how many pairs each guess counts as: its share, times the number of equal rows.

    >>> guesses, shares = np.array([[1, 0], [2, 1]]), np.array([0.4, 0.9])
    >>> SoftPairs(known=np.array([[0, 0]]), guesses=guesses, shares=shares, weights=shares).confident
    array([[0, 0],
           [2, 1]])
    """

    known: Int[np.ndarray, "l 2"]
    guesses: Int[np.ndarray, "k 2"] = field(default_factory=_no_rows)
    shares: Float[np.ndarray, " k"] = field(default_factory=_no_numbers)
    weights: Float[np.ndarray, " k"] = field(default_factory=_no_numbers)

    @property
    def pairs(self) -> Int[np.ndarray, "j 2"]:
        """All of them, the known ones first."""
        return np.concatenate([self.known, self.guesses])

    @property
    def counts(self) -> Float[np.ndarray, " j"]:
        """How many pairs each of `pairs` counts as."""
        return np.concatenate([np.ones(len(self.known)), self.weights])

    @property
    def confident(self) -> Int[np.ndarray, "c 2"]:
        """The known pairs and the confident guesses, for a cost that reads whole pairs only.

        Of more than 1,000 guesses, every partner keeps its most confident ones, as many as any other as far as it can.
        """
        sure = self.shares > CONFIDENT
        guesses, shares = self.guesses[sure], self.shares[sure]
        if len(guesses) > MOST_CONFIDENT:
            side = min((0, 1), key=lambda column: len(np.unique(guesses[:, column])))
            order = np.lexsort((-shares, guesses[:, side]))
            partner = guesses[order, side]
            place = np.arange(len(order)) - np.searchsorted(partner, partner)
            guesses = guesses[np.sort(order[np.argsort(place, kind="stable")[:MOST_CONFIDENT]])]
        return np.concatenate([self.known, guesses])
