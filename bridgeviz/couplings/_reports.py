"""What a plan says about itself, and what draws from it in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    import jax

    from bridgeviz.couplings._sampler import MassSample

DRAWS = 20_000
"""The number of (i, j) from which the mass between groups of rows is estimated."""


class Verdict(NamedTuple):
    """How the transport went.

    Attributes:
        converged: whether the solver reached its tolerance.
        text: one or two sentences: what was solved, or what to try.
    """

    converged: bool
    text: str


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
