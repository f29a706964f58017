"""The local strategy on the device: draw a batch of each space, couple the two, and draw pairs from that plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from bridgeviz.costs import Chords, Lookup
from bridgeviz.couplings._batch_marginals import batch_marginals
from bridgeviz.couplings._batch_solver import BatchSolver
from bridgeviz.couplings._row_sampler import RowSampler, draw_rows
from bridgeviz.couplings._sampler import MassSample


class Solved(NamedTuple):
    """A batch and its transport.

    Attributes:
        i, j: (b,) its source rows and target rows.
        required: (b,) and (b,) the marginals of the plan.
        plan: (b, b) between them.
        converged, iterations: as in `BatchPlan`.
    """

    i: jax.Array
    j: jax.Array
    required: tuple[jax.Array, jax.Array]
    plan: jax.Array
    converged: jax.Array
    iterations: jax.Array


@partial(
    jax.tree_util.register_dataclass,
    data_fields=(
        "source_factor",
        "target_factor",
        "source_index",
        "target_index",
        "spaces",
        "solver",
        "mu",
        "nu",
        "forbidden",
    ),
    meta_fields=("combine", "size"),
)
@dataclass(frozen=True, eq=False)
class LocalSampler:
    """Draws a batch of rows from each space, couples the two batches, and draws pairs from that plan.

    Attributes:
        source_factor, target_factor: of the cost, on atoms.
        source_index, target_index: (n,) and (m,) the atom of each row.
        spaces: the costs within both spaces; None for a solver that does not need them.
        solver: of the transport.
        combine: of the cost.
        size: rows of each space per batch.
        mu, nu: draw the rows of a batch by their weights; None where all weigh the same.
        forbidden: the forbidden matches of atoms; None if there are none.
    """

    source_factor: jax.Array
    target_factor: jax.Array
    source_index: jax.Array
    target_index: jax.Array
    spaces: tuple[Chords, Chords] | None
    solver: BatchSolver
    combine: Callable[[jax.Array, jax.Array], jax.Array]
    size: int
    mu: RowSampler | None = None
    nu: RowSampler | None = None
    forbidden: Lookup | None = None

    @property
    def settings(self) -> str:
        """What the arrays do not hold, as text that is the same in every process."""
        return f"{self.solver!r} size={self.size}"

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` row numbers (i, j) from the plan of a new batch."""
        i, j, _ = self.draw_with_masses(key, size)
        return i, j

    def draw_with_masses(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array, MassSample]:
        """The same draws, and all rows of the batch with their masses, `b` times the marginals of its plan."""
        batch, pick = jax.random.split(key)
        solved = self.solve(batch)
        # By inverting the cumulative plan: a categorical would draw size b^2 Gumbel numbers, more work than the OT.
        cdf = jnp.cumsum(solved.plan.reshape(-1))
        at = jnp.searchsorted(cdf, jax.random.uniform(pick, (size,)) * cdf[-1], side="right")
        at = jnp.minimum(at, len(cdf) - 1)
        b = self.size
        masses = MassSample(solved.i, b * solved.plan.sum(1), solved.j, b * solved.plan.sum(0))
        return solved.i[at // b], solved.j[at % b], masses

    def solve(self, key: jax.Array) -> Solved:
        """Draw a batch and couple it."""
        rows, columns = jax.random.split(key)
        i = draw_rows(self.mu, rows, self.size, len(self.source_index))
        j = draw_rows(self.nu, columns, self.size, len(self.target_index))
        u, v = self.source_index[i], self.target_index[j]
        cost = self.combine(self.source_factor[u], self.target_factor[v])
        a = b = jnp.full(self.size, 1 / self.size)
        if self.forbidden is None:
            cost = cost / jnp.maximum(cost.mean(), 1e-12)
        else:
            forbidden = self.forbidden.among(u, v)
            cost = jnp.where(forbidden, jnp.inf, cost / jnp.maximum(cost.mean(where=~forbidden), 1e-12))
            a, b = batch_marginals(cost)
        spaces = None if self.spaces is None else (self.spaces[0].take(i), self.spaces[1].take(j))
        return Solved(i, j, (a, b), *self.solver.solve(cost, spaces))


draw = jax.jit(LocalSampler.draw, static_argnums=2)


class Measured(NamedTuple):
    """How the transport of one batch went: numbers as in `Probe`."""

    converged: jax.Array
    marginal_error: jax.Array
    mass: jax.Array
    iterations: jax.Array


@jax.jit
def measure(sampler: LocalSampler, key: jax.Array) -> Measured:
    """Couple one batch, and say how that went."""
    solved = sampler.solve(key)
    a, b = solved.required
    error = jnp.abs(solved.plan.sum(1) - a).sum() + jnp.abs(solved.plan.sum(0) - b).sum()
    return Measured(solved.converged, error, solved.plan.sum(), solved.iterations)
