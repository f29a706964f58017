"""Local alignment: cost and coupling of each batch anew (Sec. 3.2, Algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.costs.cost import Cost, as_cost, positive_mean


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("source_factor", "target_factor", "source_index", "target_index"),
    meta_fields=("combine", "epsilon", "tau", "max_iterations"),
)
@dataclass(frozen=True, eq=False)
class LocalSampler:
    """Draws a batch from each space, couples the two batches, and draws pairs from that plan."""

    source_factor: Any
    target_factor: Any
    source_index: Any
    target_index: Any
    combine: Any
    epsilon: float
    tau: tuple[float, float]
    max_iterations: int

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` row numbers (i, j): the OT problem is solved on a fresh batch of `size` x `size` rows."""
        from ott.geometry import geometry
        from ott.problems.linear import linear_problem
        from ott.solvers.linear import sinkhorn

        rows, columns, pick = jax.random.split(key, 3)
        i = jax.random.randint(rows, (size,), 0, len(self.source_index))
        j = jax.random.randint(columns, (size,), 0, len(self.target_index))
        cost = self.combine(self.source_factor[self.source_index[i]], self.target_factor[self.target_index[j]])
        cost = cost / jnp.maximum(cost.mean(), 1e-12)
        problem = linear_problem.LinearProblem(
            geometry.Geometry(cost_matrix=cost, epsilon=self.epsilon), tau_a=self.tau[0], tau_b=self.tau[1]
        )
        solver = sinkhorn.Sinkhorn(threshold=1e-2, max_iterations=self.max_iterations)
        plan = solver(problem).matrix
        # By inverting the cumulative plan: a categorical would draw size^3 Gumbel numbers, more work than the OT.
        cdf = jnp.cumsum(plan.reshape(-1))
        at = jnp.searchsorted(cdf, jax.random.uniform(pick, (size,)) * cdf[-1], side="right")
        at = jnp.minimum(at, size * size - 1)
        return i[at // size], j[at % size]


@dataclass(frozen=True, eq=False)
class LocalCoupling:
    """A coupling that exists only batch by batch: it can be sampled, and has no (n, m) plan."""

    cost: Cost
    epsilon: float
    tau: tuple[float, float]
    batch_size: int
    max_iterations: int
    solver: str = "local"
    converged: bool | None = None
    marginal_error: float | None = None
    mass: float | None = None
    iterations: int | None = None
    advice: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        return self.cost.shape

    def dense(self) -> np.ndarray:
        """There is none: an error that says so."""
        raise InputError("A local coupling has no (n, m) plan: it exists batch by batch. Use sample(seed, size).")

    marginals = dense

    def sampler(self) -> LocalSampler:
        """The device's side, for the training step."""
        return LocalSampler(
            jnp.asarray(self.cost.source_factor, jnp.float32),
            jnp.asarray(self.cost.target_factor, jnp.float32),
            jnp.asarray(self.cost.source_atoms.index, jnp.int32),
            jnp.asarray(self.cost.target_atoms.index, jnp.int32),
            self.cost.combine,
            self.epsilon,
            self.tau,
            self.max_iterations,
        )

    def sample(self, seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw at least `size` rows (i, j) from as many batches as that takes; `size` of them are returned."""
        size = check.count(size, "size", "sample")
        key = jax.random.key(check.seed(seed, "seed", "sample"))
        sampler = self.sampler()
        draws = [
            _draw(sampler, jax.random.fold_in(key, b), self.batch_size) for b in range(-(-size // self.batch_size))
        ]
        i, j = (np.concatenate([np.asarray(draw[side]) for draw in draws])[:size] for side in (0, 1))
        return i, j


_draw = jax.jit(lambda sampler, key, size: sampler.draw(key, size), static_argnums=2)


def local(
    cost: Cost | ArrayLike,
    *,
    epsilon: float | None = None,
    tau: tuple[float, float] = (1.0, 1.0),
    batch_size: int = 256,
    max_iterations: int = 100,
) -> LocalCoupling:
    """The local strategy: `pi_b = OT(X_b, Y_b, C_b)` on a fresh batch at each training step.

    Memory is O(b^2) whatever n and m are; the price is that a batch need not hold the counterparts of its points.
    The batch's cost is divided by its own mean.

    Args:
        cost: a `Cost`, or an (n, m) matrix.
        epsilon: entropy regularisation > 0; None takes the cost's own default.
        tau: (tau_x, tau_y), each in (0, 1].
        batch_size: of `sample`; in training the flow's batch size is used.
        max_iterations: of Sinkhorn in each step.

    Raises:
        InputError: as for `linear`.
    """
    if not isinstance(cost, Cost):
        cost = as_cost(cost, "local")
        # Batches are coupled in float32, where a matrix in very small or large units would not survive.
        cost = replace(cost, source_factor=cost.source_factor / positive_mean(cost, "local"))
    epsilon = cost.default_epsilon if epsilon is None else check.positive(epsilon, "epsilon", "local")
    tau = check.pair_of_units(tau, "tau", "local")
    batch_size = check.count(batch_size, "batch_size", "local", least=2)
    return LocalCoupling(cost, epsilon, tau, batch_size, check.count(max_iterations, "max_iterations", "local"))
