"""What a plan says about single rows: its guesses as soft pairs, and the ranks of partners that it did not know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bridgeviz.costs import Atoms, SoftPairs
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._entries import as_dense

LEAST_SHARE = 0.01
"""Guesses with less than this share of their row are dropped."""
MOST_GUESSES = 32
"""Guesses per row, at most."""


@dataclass(frozen=True, eq=False)
class Guesser:
    """A plan as seen from the side with more atoms, whose rows guess their partners.

    With photos on one side and ten classes on the other, photos guess their class, in either direction of the plan.

    Attributes:
        plan: (a, b) mass between atoms.
        rows, partners: the atoms of both sides.
        side: the column of pairs that holds `rows`: 0 for the source, 1 for the target.
    """

    plan: Float[np.ndarray, "a b"]
    rows: Atoms
    partners: Atoms
    side: int

    @classmethod
    def of(cls, plan: Coupling) -> Guesser:
        """That of a plan; the source guesses if both sides have the same number of atoms."""
        mass = as_dense(plan.plan)
        if mass.shape[0] >= mass.shape[1]:
            return cls(mass, plan.source_atoms, plan.target_atoms, 0)
        return cls(mass.T, plan.target_atoms, plan.source_atoms, 1)

    def guesses(self, known: Int[np.ndarray, "l 2"]) -> SoftPairs:
        """Soft pairs of all rows but those of known pairs. Rows without mass guess nothing.

        A row of an unbalanced plan that keeps only a part of its mass counts only that part.
        """
        mass = self.plan.sum(1)
        share = np.divide(self.plan, mass[:, None], out=np.zeros_like(self.plan), where=mass[:, None] > 0)
        share[self.rows.index[known[:, self.side]]] = 0
        if share.shape[1] > MOST_GUESSES:
            least = np.partition(share, -MOST_GUESSES, axis=1)[:, -MOST_GUESSES, None]
            share = np.where(share >= least, share, 0)
        at, to = np.nonzero(share >= LEAST_SHARE)
        required, total = self.rows.mass, mass.sum()
        full = np.divide(mass, required * total, out=np.zeros_like(mass), where=required * total > 0)
        columns = [self.rows.rows[at], self.partners.rows[to]]
        return SoftPairs(
            known=known,
            guesses=np.stack(columns if self.side == 0 else columns[::-1], axis=1),
            shares=share[at, to],
            weights=share[at, to] * self.rows.multiplicity[at] * np.minimum(full, 1)[at],
        )

    def ranks(self, pairs: Int[np.ndarray, "l 2"], known: Int[np.ndarray, "k 2"]) -> Float[np.ndarray, " l"]:
        """For each pair, the share of the other partners that its row prefers to the true one; ties count half.

        0 is perfect, 0.5 is chance. Rows that are equal to the true partner are no other partners, and neither are the
        partners of known pairs: a plan that knows these would be better than chance by leaving them out.
        """
        row = self.rows.index[pairs[:, self.side]]
        true = self.partners.index[pairs[:, 1 - self.side]]
        mass = self.plan[row] / self.partners.multiplicity  # per partner, not per atom
        taken = self.partners.index[np.unique(known[:, 1 - self.side])]
        copies = self.partners.multiplicity - np.bincount(taken, minlength=len(self.partners))
        own = mass[np.arange(len(row)), true][:, None]
        ahead = (mass > own) @ copies + ((mass == own) @ copies - copies[true]) / 2
        return ahead / np.maximum(copies.sum() - copies[true], 1)
