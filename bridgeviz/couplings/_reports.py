"""What a plan says about itself, and what draws from it in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    import jax

    from bridgeviz.couplings._sampler import MassSample

DRAWS = 20_000
"""The number of (i, j) from which the mass between groups of rows is estimated."""

ASKED = "as asked for"
"""Why a method was taken that the options name."""

METHODS = {
    "newton": "Newton's method on the potentials of the smaller side",
    "dense": "iterations on the stored kernel",
    "factorised": "iterations on two factors of the kernel",
    "sparse": "iterations on the entries that can carry mass",
    "ott": "ott-jax's Sinkhorn in the log domain",
}
"""The methods of `Linear` in words."""


class Verdict(NamedTuple):
    """How the transport went.

    Attributes:
        converged: whether the solver reached its tolerance.
        text: one or two sentences: what was solved, or what to try.
    """

    converged: bool
    text: str


class Refinement(NamedTuple):
    """How a plan was refined.

    Attributes:
        rounds: how many were kept.
        moved: the share of the mass that moved in each of them, in [0, 1].
        held_out: the number of known pairs that were held out to choose the number of rounds; 0 if too few could be.
        ranks: the mean rank of their partners after 0, 1, ... rounds, as a share of all partners: 0 is perfect, 0.5 is
            chance. Empty if none were held out.
    """

    rounds: int
    moved: tuple[float, ...]
    held_out: int
    ranks: tuple[float, ...]

    @property
    def text(self) -> str:
        """What was done, and whether held-out pairs confirm it."""
        done = f"Refined in {self.rounds} round{'s' if self.rounds != 1 else ''}"
        if not self.held_out:
            return f"{done}; too few pairs could be held out to confirm that this helps."
        if not self.rounds:
            return f"Not refined: {self.held_out} held-out pairs do not confirm that this helps."
        first, last = self.ranks[0], self.ranks[min(self.rounds, len(self.ranks) - 1)]
        return (
            f"{done}: {self.held_out} held-out pairs found their partners at a mean rank of {last:.1%}, and of "
            f"{first:.1%} before (50 % is chance)."
        )


class RowShares(NamedTuple):
    """Where one source row goes.

    Attributes:
        row: the source row whose mass this is.
        shares: (groups,) shares of its mass by group of target rows; all zeros where it carries no mass.
        draws: the number of draws that the shares were counted from; 0 where they are exact.
    """

    row: int
    shares: np.ndarray
    draws: int


class Sampler(Protocol):
    """A JAX pytree that draws rows inside a compiled training step.

    Attributes:
        settings: what its arrays do not hold, as text that is the same in every process; for fingerprints.
    """

    @property
    def settings(self) -> str: ...

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` row numbers (i, j)."""
        ...

    def draw_with_masses(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array, MassSample]:
        """The same, and rows of each space with the mass that they carry."""
        ...
