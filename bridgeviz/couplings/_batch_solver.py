"""What couples one batch on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import jax

    from bridgeviz.costs import Chords


class BatchPlan(NamedTuple):
    """The transport of one batch.

    Attributes:
        plan: (b, b).
        converged: whether the solver reached its tolerance.
        iterations: of the solver.
    """

    plan: jax.Array
    converged: jax.Array
    iterations: jax.Array


class BatchSolver(Protocol):
    """A JAX pytree that couples one batch inside a compiled training step."""

    def solve(self, cost: jax.Array, spaces: tuple[Chords, Chords] | None) -> BatchPlan:
        """The transport of one batch.

        Args:
            cost: (b, b), divided by its mean; infinite where a match is forbidden, where the plan must be zero.
            spaces: the costs within the batch's source and target rows, each divided by its mean; None for a solver
                that does not need them.
        """
        ...

    def advice(self, error: float) -> str:
        """The end of the sentence "In 25% of 8 batches ..." on batches that did not converge.

        Args:
            error: their mean marginal error.
        """
        ...
