"""Fused Gromov-Wasserstein on the device: projected gradients, on a whole problem and on one batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from bridgeviz._sinkhorn import Scalar, run_sinkhorn
from bridgeviz.costs import Chords
from bridgeviz.couplings._batch_marginals import batch_marginals, reachable
from bridgeviz.couplings._batch_solver import BatchPlan


class SpaceCost(Protocol):
    """The symmetric cost C within one space, as products with it: `costs.Chords` or `costs.Matrix`."""

    def apply(self, plan: jax.Array) -> jax.Array:
        """`C plan`."""
        ...

    def apply_square(self, mass: jax.Array) -> jax.Array:
        """`(C * C) mass`, with each entry of C squared."""
        ...


class Progress(NamedTuple):
    """How a step went.

    Attributes:
        change: L1 distance between the new plan and the old one.
        residual: the error that Sinkhorn ended with.
        settled: whether Sinkhorn reached the error that it was to reach, which may be above the tolerance.
    """

    change: float
    residual: float
    settled: bool


class StepSolver(Protocol):
    """Projected gradients, step by step, on a problem and a plan that are kept on the device in float64's presence."""

    def step(self) -> Progress:
        """Linearise the objective at the plan, and solve the linear problem."""
        ...

    def plan(self) -> np.ndarray:
        """(u, v) the plan; there are no steps after it."""
        ...


class Problem(NamedTuple):
    """A fused Gromov-Wasserstein problem between u and v atoms.

    Attributes:
        fused: (u, v) the cost between the spaces, finite everywhere.
        c_xx, c_yy: the cost within each space.
        mu, nu: (u,) and (v,) the required marginals.
        count: (u, v) the logarithm of the entropy's reference measure; -inf where no mass may go.
        squares: (u, v) the part of the gradient that depends on the marginals alone, if they are fixed; else None.
        alpha, epsilon: the weight of the Gromov-Wasserstein term, and the entropy regularisation.
    """

    fused: jax.Array
    c_xx: SpaceCost
    c_yy: SpaceCost
    mu: jax.Array
    nu: jax.Array
    count: jax.Array
    squares: jax.Array | None
    alpha: Scalar
    epsilon: Scalar


class State(NamedTuple):
    """The plan (u, v), and Sinkhorn's potentials (u,) and (v,)."""

    plan: jax.Array
    f: jax.Array
    g: jax.Array


class Step(NamedTuple):
    """The result of one projected step.

    Attributes:
        state: the new one.
        change: L1 distance between the new plan and the old one.
        residual: the smallest error that Sinkhorn measured.
        settled: whether Sinkhorn converged.
    """

    state: State
    change: jax.Array
    residual: jax.Array
    settled: jax.Array


def make_problem(
    fused: np.ndarray, c_xx: SpaceCost, c_yy: SpaceCost, mu: np.ndarray, nu: np.ndarray, *, count: np.ndarray,
    fixed: bool, alpha: float, epsilon: float,
) -> Problem:  # fmt: skip
    """A problem on the device.

    Args:
        fused, c_xx, c_yy, mu, nu, count, alpha, epsilon: see `Problem`.
        fixed: whether both marginals are enforced, so that their terms are the same at every step.
    """
    rows, columns = jnp.asarray(mu), jnp.asarray(nu)
    return Problem(
        fused=jnp.asarray(fused), c_xx=c_xx, c_yy=c_yy, mu=rows, nu=columns, count=jnp.asarray(count),
        squares=square_terms(c_xx, c_yy, rows, columns) if fixed else None, alpha=alpha, epsilon=epsilon,
    )  # fmt: skip


def start(mu: jax.Array, nu: jax.Array) -> State:
    """The product of the marginals."""
    return State(mu[:, None] * nu, jnp.zeros(len(mu)), jnp.zeros(len(nu)))


def projected_step(
    state: State, problem: Problem, tolerance: Scalar, *, tau: tuple[float, float], quadratic: bool, max_inner: int
) -> Step:
    """Linearise the objective at the plan, and solve the linear problem.

    Args:
        state: the last plan and potentials.
        problem: to solve.
        tolerance: of Sinkhorn.
        tau: of the two marginals.
        quadratic: whether entropy and marginal terms are quadratic in the mass.
        max_inner: maximum number of Sinkhorn iterations.
    """
    plan, f, g = state
    fused, c_xx, c_yy, mu, nu, count, squares, alpha, epsilon = problem
    rows, columns = plan.sum(1), plan.sum(0)
    mass = plan.sum()
    # L(pi)[i, j] = sum |c_XX[i, i'] - c_YY[j, j']|^2 pi[i', j']
    if squares is None:
        squares = square_terms(c_xx, c_yy, rows, columns)
    shapes = squares - 2 * c_yy.apply(c_xx.apply(plan).T).T
    gradient = 2 * alpha * shapes + (1 - alpha) * fused
    if quadratic:
        reference = mu[:, None] * nu
        gradient += (1 - alpha) * ((mass - 1) * fused + (fused * plan).sum())
        gradient += epsilon * divergence(plan, reference)
        for marginal, required, t in ((rows, mu, tau[0]), (columns, nu, tau[1])):
            if t < 1:
                gradient += epsilon * t / (1 - t) * divergence(marginal, required)
        epsilon = epsilon * mass
    out = run_sinkhorn(
        gradient - epsilon * count, epsilon, tau, tolerance=tolerance, max_iterations=max_inner, a=mu, b=nu,
        init=(f, g),
    )  # fmt: skip
    new = jnp.asarray(out.matrix)
    if quadratic:
        new = new * jnp.sqrt(mass / new.sum())  # both halves of the product keep the same mass
    errors = jnp.asarray(out.errors)  # one per ten iterations, -1 where the iterations stopped earlier
    return Step(
        state=State(new, jnp.asarray(out.f), jnp.asarray(out.g)),
        change=jnp.abs(new - plan).sum(),
        residual=jnp.where(errors >= 0, errors, jnp.inf).min(),
        settled=jnp.asarray(out.converged),
    )


jitted_step = jax.jit(projected_step, static_argnames=("tau", "quadratic", "max_inner"))


class LogSteps:
    """The steps in the log domain, by ott-jax's Sinkhorn (`StepSolver`).

    Args:
        problem: to solve, from the product of its marginals on.
        tolerance, tau, quadratic, max_inner: see `projected_step`.
    """

    def __init__(
        self, problem: Problem, *, tolerance: float, tau: tuple[float, float], quadratic: bool, max_inner: int
    ):
        self.state, self.problem, self.tolerance = start(problem.mu, problem.nu), problem, tolerance
        self.settings = {"tau": tau, "quadratic": quadratic, "max_inner": max_inner}

    def step(self) -> Progress:
        """Linearise the objective at the plan, and solve the linear problem."""
        step = jitted_step(self.state, self.problem, self.tolerance, **self.settings)
        self.state = step.state
        return Progress(float(step.change), float(step.residual), bool(step.settled))

    def plan(self) -> np.ndarray:
        """(u, v) the plan."""
        return np.asarray(self.state.plan)


@jax.jit
def square_terms(c_xx: SpaceCost, c_yy: SpaceCost, rows: jax.Array, columns: jax.Array) -> jax.Array:
    """The terms that depend on the marginals alone: `sum (c_XX[i, i']^2 + c_YY[j, j']^2) pi[i', j']`."""
    return c_xx.apply_square(rows)[:, None] + c_yy.apply_square(columns)


def divergence(p: jax.Array, q: jax.Array) -> jax.Array:
    """`sum p log(p / q)`."""
    return jnp.where(p > 0, p * jnp.log(jnp.where(p > 0, p, 1.0) / q), 0.0).sum()


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("alpha",),
    meta_fields=("epsilon", "tau", "tolerance", "max_iterations", "max_steps", "forbids"),
)
@dataclass(frozen=True)
class FusedBatch:
    """Fused Gromov-Wasserstein on one batch, as `fgw` does with `correction="none"` (a `BatchSolver`).

    `forbids` says whether the cost is infinite anywhere.
    """

    alpha: Scalar
    epsilon: float
    tau: tuple[float, float]
    tolerance: float
    max_iterations: int
    max_steps: int
    forbids: bool = False

    def solve(self, cost: jax.Array, spaces: tuple[Chords, Chords] | None) -> BatchPlan:
        """The transport of one batch."""
        assert spaces is not None
        b = len(cost)
        mu = nu = jnp.full(b, 1 / b)
        fused, count = cost, jnp.zeros((b, b))
        if self.forbids:
            mu, nu = batch_marginals(cost)
            fused = jnp.where(jnp.isinf(cost), 0.0, cost)
            count = jnp.where(jnp.isinf(reachable(cost)), -jnp.inf, 0.0)
        problem = Problem(
            fused=fused, c_xx=spaces[0], c_yy=spaces[1], mu=mu, nu=nu, count=count, squares=None, alpha=self.alpha,
            epsilon=self.epsilon,
        )  # fmt: skip

        def unfinished(carry: _Carry) -> jax.Array:
            return (carry.step < self.max_steps) & ~((carry.change <= self.tolerance) & carry.settled)

        def step(carry: _Carry) -> _Carry:
            result = projected_step(
                carry.state, problem, self.tolerance, tau=self.tau, quadratic=False, max_inner=self.max_iterations
            )
            return _Carry(result.state, result.change, result.settled, carry.step + 1)

        first = State(mu[:, None] * nu, jnp.zeros(b), jnp.zeros(b))
        end = jax.lax.while_loop(unfinished, step, _Carry(first, jnp.array(jnp.inf), jnp.array(False), jnp.array(0)))
        plan = jnp.where(jnp.isinf(cost), 0.0, end.state.plan) if self.forbids else end.state.plan
        return BatchPlan(plan, end.settled & (end.change <= self.tolerance), end.step)

    def advice(self, error: float) -> str:
        """What to try for batches that did not converge, as the end of a sentence."""
        return (
            f"the plan still changed after {self.max_steps} steps, or its Sinkhorn did not converge in "
            f"{self.max_iterations} iterations: try a larger epsilon (now {self.epsilon:g}), a smaller alpha or "
            "more Sinkhorn iterations per batch."
        )


class _Carry(NamedTuple):
    """What the loop over the steps of one batch carries."""

    state: State
    change: jax.Array
    settled: jax.Array
    step: jax.Array
