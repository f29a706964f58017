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
from bridgeviz.costs.atoms import Atoms
from bridgeviz.costs.cost import Cost, as_cost, positive_mean, refuse_above_limit
from bridgeviz.costs.within import Within
from bridgeviz.couplings.fgw import projected_step
from bridgeviz.couplings.sampler import MassSample

TOLERANCE = 1e-2
"""Marginal error at which a batch's Sinkhorn stops."""

_PROBES = 8


class Solved(NamedTuple):
    """The transport of one batch: its rows i and j, the plan between them, and how that went."""

    i: jax.Array
    j: jax.Array
    plan: jax.Array
    converged: jax.Array
    iterations: jax.Array


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("source_factor", "target_factor", "source_index", "target_index", "spaces", "alpha"),
    meta_fields=("combine", "epsilon", "tau", "ot_batch_size", "max_iterations", "max_steps"),
)
@dataclass(frozen=True, eq=False)
class LocalSampler:
    """Draws a batch from each space, couples the two batches, and draws pairs from that plan.

    `spaces` are the costs within both spaces for fused Gromov-Wasserstein, or None for the linear problem.
    """

    source_factor: Any
    target_factor: Any
    source_index: Any
    target_index: Any
    spaces: Any
    alpha: Any
    combine: Any
    epsilon: float
    tau: tuple[float, float]
    ot_batch_size: int
    max_iterations: int
    max_steps: int

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` row numbers (i, j) from the plan of one fresh batch of `ot_batch_size` rows of each space."""
        i, j, _ = self.draw_with_masses(key, size)
        return i, j

    def draw_with_masses(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array, MassSample]:
        """As `draw`, and all rows of the batch with their masses, `b` times the marginals of its plan."""
        batch, pick = jax.random.split(key)
        found = self.solve(batch)
        # By inverting the cumulative plan: a categorical would draw size b^2 Gumbel numbers, more work than the OT.
        cdf = jnp.cumsum(found.plan.reshape(-1))
        at = jnp.searchsorted(cdf, jax.random.uniform(pick, (size,)) * cdf[-1], side="right")
        at = jnp.minimum(at, len(cdf) - 1)
        b = self.ot_batch_size
        masses = MassSample(found.i, b * found.plan.sum(1), found.j, b * found.plan.sum(0))
        return found.i[at // b], found.j[at % b], masses

    def solve(self, key: jax.Array) -> Solved:
        """Draw a batch and couple it."""
        rows, columns = jax.random.split(key)
        i = jax.random.randint(rows, (self.ot_batch_size,), 0, len(self.source_index))
        j = jax.random.randint(columns, (self.ot_batch_size,), 0, len(self.target_index))
        cost = self.combine(self.source_factor[self.source_index[i]], self.target_factor[self.target_index[j]])
        cost = cost / jnp.maximum(cost.mean(), 1e-12)
        return self._linear(i, j, cost) if self.spaces is None else self._fused(i, j, cost)

    def _linear(self, i: jax.Array, j: jax.Array, cost: jax.Array) -> Solved:
        from ott.geometry import geometry
        from ott.problems.linear import linear_problem
        from ott.solvers.linear import sinkhorn

        problem = linear_problem.LinearProblem(
            geometry.Geometry(cost_matrix=cost, epsilon=self.epsilon), tau_a=self.tau[0], tau_b=self.tau[1]
        )
        out = sinkhorn.Sinkhorn(threshold=TOLERANCE, max_iterations=self.max_iterations)(problem)
        return Solved(i, j, jnp.asarray(out.matrix), jnp.asarray(out.converged), jnp.asarray(out.n_iters))

    def _fused(self, i: jax.Array, j: jax.Array, cost: jax.Array) -> Solved:
        """As `fgw` with `correction="none"`, each of the three costs divided by its mean on the batch."""
        b = self.ot_batch_size
        even = jnp.full(b, 1 / b)
        spaces = [space.take(rows) for space, rows in zip(self.spaces, (i, j), strict=True)]
        count = jnp.zeros((b, b))
        problem = (cost, *spaces, even, even, count, None, self.alpha, self.epsilon)

        def go_on(carry: tuple) -> jax.Array:
            _, change, settled, step = carry
            return (step < self.max_steps) & ~((change <= TOLERANCE) & settled)

        def step(carry: tuple) -> tuple:
            state, _, _, step = carry
            state, change, _, settled = projected_step(
                state, problem, TOLERANCE, tau=self.tau, quadratic=False, max_inner=self.max_iterations
            )
            return state, change, settled, step + 1

        start = (jnp.full((b, b), 1 / b**2), jnp.zeros(b), jnp.zeros(b)), jnp.array(jnp.inf), jnp.array(False), 0
        (plan, _, _), change, settled, steps = jax.lax.while_loop(go_on, step, start)
        return Solved(i, j, plan, settled & (change <= TOLERANCE), jnp.asarray(steps))


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
    within: tuple[Within, Within] | None = None
    alpha: float = 0.0
    max_steps: int = 20
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
        share = f"In {1 - self.probe.converged:.0%} of {_PROBES} batches"
        if self.within is not None:
            return (
                f"{share} the plan still changed after {self.max_steps} steps, or its Sinkhorn did not settle in "
                f"{self.max_iterations} iterations: try a larger epsilon (now {self.epsilon:g}) or more max_steps."
            )
        return (
            f"{share} Sinkhorn stopped after {self.max_iterations} "
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
            None if self.within is None else tuple(one.rows_on_device() for one in self.within),
            self.alpha,
            self.cost.combine,
            self.epsilon,
            self.tau,
            self.ot_batch_size,
            self.max_iterations,
            self.max_steps,
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
    found, b = sampler.solve(key), sampler.ot_batch_size
    error = jnp.abs(found.plan.sum(1) - 1 / b).sum() + jnp.abs(found.plan.sum(0) - 1 / b).sum()
    return found.converged, error, found.plan.sum(), found.iterations


def local(
    cost: Cost | ArrayLike | None,
    c_xx: Within | None = None,
    c_yy: Within | None = None,
    *,
    alpha: float | None = None,
    epsilon: float | None = None,
    tau: tuple[float, float] = (1.0, 1.0),
    batch_size: int = 256,
    ot_batch_size: int | None = None,
    max_iterations: int = 100,
    max_steps: int = 20,
) -> LocalCoupling:
    """The local strategy: `pi_b = OT(X_b, Y_b, C_b)` on a fresh batch at each training step.

    Memory is O(b^2) whatever n and m are; the price is that a batch need not hold the counterparts of its points. The
    paper's remedy is a bigger batch: `ot_batch_size` makes that of the transport bigger than that of the flow. The
    batch's costs are divided by their own means.

    With the costs within both spaces, each batch is coupled by fused Gromov-Wasserstein, as `fgw` does with
    `correction="none"`; with alpha 1 that needs no pairs at all (Appendix I).

    Args:
        cost: a `Cost`, or an (n, m) matrix; None for alpha 1.
        c_xx, c_yy: `costs.Within(x, metric=...)` of each space; None for the linear problem.
        alpha: of fused Gromov-Wasserstein, in [0, 1]; None takes 0.5, or 1 where there is no cost.
        epsilon: entropy regularisation > 0; None takes the cost's own default, or 0.005 where there is none.
        tau: (tau_x, tau_y), each in (0, 1].
        batch_size: pairs drawn from each batch's plan; in training the flow's batch size is used.
        ot_batch_size: rows of each space that the transport is solved on; None takes `batch_size`.
        max_iterations: of Sinkhorn in each step.
        max_steps: of fused Gromov-Wasserstein in each batch.

    Raises:
        InputError: as for `linear` and `fgw`.
    """
    where = "local"
    within = _both(c_xx, c_yy)
    if within is None and alpha is not None:
        raise check.fail("alpha", where, "left out without the costs within both spaces", alpha)
    if cost is None:
        alpha = 1.0 if alpha is None else check.unit(alpha, "alpha", where, zero=True)
        if within is None or alpha < 1:
            raise check.fail("cost", where, "a Cost or an (n, m) matrix, but for alpha 1, which needs none", None)
        cost = _no_cost(within[0].shape[0], within[1].shape[0])
    alpha = 0.0 if within is None else check.unit(0.5 if alpha is None else alpha, "alpha", where, zero=True)
    if not isinstance(cost, Cost):
        cost = as_cost(cost, where)
        # Batches are coupled in float32, where a matrix in very small or large units would not survive.
        cost = replace(cost, source_factor=cost.source_factor / positive_mean(cost, where))
    if within is not None and (within[0].shape[0], within[1].shape[0]) != cost.shape:
        got = f"{within[0].shape[0]} and {within[1].shape[0]} rows"
        raise check.fail("c_xx", where, f"with c_yy, of a cost of shape {cost.shape}", got)
    epsilon = cost.default_epsilon if epsilon is None else check.positive(epsilon, "epsilon", where)
    tau = check.pair_of_units(tau, "tau", where)
    batch_size = check.count(batch_size, "batch_size", where, least=2)
    most = check.count(max_iterations, "max_iterations", where)
    max_steps = check.count(max_steps, "max_steps", where)
    ot_batch_size = batch_size if ot_batch_size is None else check.count(ot_batch_size, "ot_batch_size", where, least=2)
    refuse_above_limit(ot_batch_size, ot_batch_size, "batch's cost")
    return LocalCoupling(cost, epsilon, tau, batch_size, ot_batch_size, most, within, alpha, max_steps)


def _both(c_xx: Within | None, c_yy: Within | None) -> tuple[Within, Within] | None:
    if c_xx is None and c_yy is None:
        return None
    for value, name in ((c_xx, "c_xx"), (c_yy, "c_yy")):
        if not isinstance(value, Within):
            expected = "costs.Within(x, metric=...) of that space, with both spaces or neither"
            raise check.fail(name, "local", expected, check.describe(value))
    return c_xx, c_yy  # type: ignore[return-value]


def _no_cost(n: int, m: int) -> Cost:
    """Zero between all rows: one atom a side."""
    source, target = (Atoms(np.zeros(1, np.int64), np.zeros(size, np.int64), np.array([size])) for size in (n, m))
    return Cost("none", np.zeros((1, 1)), np.zeros((1, 1)), _zero, source, target)


def _zero(a: Any, b: Any) -> Any:
    return 0.0 * (a @ b.T)


def _device(factor: Any) -> jax.Array:
    return jnp.asarray(factor if isinstance(factor, np.ndarray) else factor.toarray(), jnp.float32)
