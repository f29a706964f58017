"""Local alignment: cost and coupling of each batch anew (Sec. 3.2, Algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.costs.cost import Cost, as_cost, positive_mean, refuse_above_limit

TOLERANCE = 1e-2
"""Marginal error at which a batch's Sinkhorn stops."""

_PROBES = 8


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("source_factor", "target_factor", "source_index", "target_index"),
    meta_fields=("combine", "epsilon", "tau", "ot_batch_size", "max_iterations"),
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
    ot_batch_size: int
    max_iterations: int

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` row numbers (i, j) from the plan of one fresh batch of `ot_batch_size` rows of each space."""
        batch, pick = jax.random.split(key)
        i, j, out = self.solve(batch)
        # By inverting the cumulative plan: a categorical would draw size b^2 Gumbel numbers, more work than the OT.
        cdf = jnp.cumsum(out.matrix.reshape(-1))
        at = jnp.searchsorted(cdf, jax.random.uniform(pick, (size,)) * cdf[-1], side="right")
        at = jnp.minimum(at, len(cdf) - 1)
        return i[at // self.ot_batch_size], j[at % self.ot_batch_size]

    def solve(self, key: jax.Array) -> tuple[jax.Array, jax.Array, Any]:
        """A fresh batch: its rows i and j, and ott-jax's solution between them."""
        from ott.geometry import geometry
        from ott.problems.linear import linear_problem
        from ott.solvers.linear import sinkhorn

        rows, columns = jax.random.split(key)
        i = jax.random.randint(rows, (self.ot_batch_size,), 0, len(self.source_index))
        j = jax.random.randint(columns, (self.ot_batch_size,), 0, len(self.target_index))
        cost = self.combine(self.source_factor[self.source_index[i]], self.target_factor[self.target_index[j]])
        cost = cost / jnp.maximum(cost.mean(), 1e-12)
        problem = linear_problem.LinearProblem(
            geometry.Geometry(cost_matrix=cost, epsilon=self.epsilon), tau_a=self.tau[0], tau_b=self.tau[1]
        )
        solver = sinkhorn.Sinkhorn(threshold=TOLERANCE, max_iterations=self.max_iterations)
        return i, j, solver(problem)


class Probe(NamedTuple):
    """How the transport of a few batches went.

    Attributes:
        converged: the share of batches whose Sinkhorn reached its tolerance.
        marginal_error: mean L1 distance of a batch's marginals to those asked for, both sides added up.
        mass: mean.
        iterations: mean.
    """

    converged: float
    marginal_error: float
    mass: float
    iterations: float


@dataclass(frozen=True, eq=False)
class LocalCoupling:
    """A coupling that exists only batch by batch: it can be sampled, and has no (n, m) plan."""

    cost: Cost
    epsilon: float
    tau: tuple[float, float]
    batch_size: int
    ot_batch_size: int
    max_iterations: int
    solver: str = "local"

    @cached_property
    def probe(self) -> Probe:
        """The transport of eight batches, solved when first asked for."""
        sampler = self.sampler()
        found = [_probe(sampler, jax.random.key(seed)) for seed in range(_PROBES)]
        return Probe(*(float(np.mean([float(one[k]) for one in found])) for k in range(4)))

    @property
    def converged(self) -> bool:
        """Whether the transport of every probed batch converged."""
        return self.probe.converged == 1.0

    @property
    def marginal_error(self) -> float:
        """Of a batch, in the mean."""
        return self.probe.marginal_error

    @property
    def mass(self) -> float:
        """Of a batch's plan, in the mean."""
        return self.probe.mass

    @property
    def iterations(self) -> int:
        """Of Sinkhorn in a batch, in the mean."""
        return round(self.probe.iterations)

    @property
    def advice(self) -> str:
        """What to try when not every batch converged, else ""."""
        if self.converged:
            return ""
        return (
            f"In {1 - self.probe.converged:.0%} of {_PROBES} batches Sinkhorn stopped after {self.max_iterations} "
            f"iterations (mean residual {self.marginal_error:.1e}, tolerance {TOLERANCE:.0e}): try a larger epsilon "
            f"(now {self.epsilon:g}) or more max_iterations."
        )

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
            _device(self.cost.source_factor),
            _device(self.cost.target_factor),
            jnp.asarray(self.cost.source_atoms.index, jnp.int32),
            jnp.asarray(self.cost.target_atoms.index, jnp.int32),
            self.cost.combine,
            self.epsilon,
            self.tau,
            self.ot_batch_size,
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


@jax.jit
def _probe(sampler: LocalSampler, key: jax.Array) -> tuple[Any, Any, Any, Any]:
    _, _, out = sampler.solve(key)
    plan, b = out.matrix, sampler.ot_batch_size
    error = jnp.abs(plan.sum(1) - 1 / b).sum() + jnp.abs(plan.sum(0) - 1 / b).sum()
    return out.converged, error, plan.sum(), out.n_iters


def local(
    cost: Cost | ArrayLike,
    *,
    epsilon: float | None = None,
    tau: tuple[float, float] = (1.0, 1.0),
    batch_size: int = 256,
    ot_batch_size: int | None = None,
    max_iterations: int = 100,
) -> LocalCoupling:
    """The local strategy: `pi_b = OT(X_b, Y_b, C_b)` on a fresh batch at each training step.

    Memory is O(b^2) whatever n and m are; the price is that a batch need not hold the counterparts of its points. The
    paper's remedy is a bigger batch: `ot_batch_size` makes that of the transport bigger than that of the flow. The
    batch's cost is divided by its own mean.

    Args:
        cost: a `Cost`, or an (n, m) matrix.
        epsilon: entropy regularisation > 0; None takes the cost's own default.
        tau: (tau_x, tau_y), each in (0, 1].
        batch_size: pairs drawn from each batch's plan; in training the flow's batch size is used.
        ot_batch_size: rows of each space that the transport is solved on; None takes `batch_size`.
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
    most = check.count(max_iterations, "max_iterations", "local")
    ot_batch_size = (
        batch_size if ot_batch_size is None else check.count(ot_batch_size, "ot_batch_size", "local", least=2)
    )
    refuse_above_limit(ot_batch_size, ot_batch_size, "batch's cost")
    return LocalCoupling(cost, epsilon, tau, batch_size, ot_batch_size, most)


def _device(factor: Any) -> jax.Array:
    return jnp.asarray(factor if isinstance(factor, np.ndarray) else factor.toarray(), jnp.float32)
