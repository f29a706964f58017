"""Sinkhorn's algorithm on the device: on a whole problem, and on one batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ott.geometry import geometry
from ott.problems.linear import linear_problem
from ott.solvers.linear import sinkhorn

from bridgeviz.costs import Chords
from bridgeviz.couplings._batch_marginals import batch_marginals, reachable
from bridgeviz.couplings._batch_solver import BatchPlan

Scalar = jax.Array | float


class Solution(NamedTuple):
    """What Sinkhorn found.

    Attributes:
        plan: (u, v).
        residual: the last error that was measured; NaN if none was.
        converged: whether that is below the tolerance.
        iterations: the number of iterations.
    """

    plan: np.ndarray
    residual: float
    converged: bool
    iterations: int


def run_sinkhorn(
    cost: jax.Array, epsilon: Scalar, tau: tuple[float, float], *, tolerance: Scalar, max_iterations: int,
    a: jax.Array | None = None, b: jax.Array | None = None, init: tuple[jax.Array, jax.Array] | None = None,
) -> sinkhorn.SinkhornOutput:  # fmt: skip
    """ott-jax's Sinkhorn on a cost matrix, in the log domain.

    Args:
        cost: (u, v).
        epsilon: entropy regularisation.
        tau: of the two marginals.
        tolerance: error at which to stop.
        max_iterations: maximum number of iterations.
        a, b: the marginals (u,) and (v,); None is uniform.
        init: the two potentials to start from.
    """
    geom = geometry.Geometry(cost_matrix=cost, epsilon=epsilon)  # type: ignore[arg-type] - traced
    problem = linear_problem.LinearProblem(geom, a=a, b=b, tau_a=tau[0], tau_b=tau[1])
    solver = sinkhorn.Sinkhorn(threshold=tolerance, max_iterations=max_iterations)  # type: ignore[arg-type] - traced
    return solver(problem, init=init)


def solve_linear(
    cost: np.ndarray, a: np.ndarray, b: np.ndarray, *, epsilon: float, tau: tuple[float, float], tolerance: float,
    max_iterations: int,
) -> Solution:  # fmt: skip
    """The linear problem with a (u, v) cost and the marginals a (u,) and b (v,), in float64."""
    with jax.enable_x64(True):
        plan, errors, converged, iterations = _solve(
            jnp.asarray(cost), jnp.asarray(a), jnp.asarray(b), epsilon, tolerance, tau=tau,
            max_iterations=max_iterations,
        )  # fmt: skip
        errors = np.asarray(errors)
        measured = errors[errors >= 0]  # -1 where the iterations stopped earlier
        return Solution(
            np.asarray(plan), float(measured[-1]) if len(measured) else float("nan"), bool(converged), int(iterations)
        )


@partial(jax.jit, static_argnames=("tau", "max_iterations"))
def _solve(
    cost: jax.Array, a: jax.Array, b: jax.Array, epsilon: Scalar, tolerance: Scalar, *, tau: tuple[float, float],
    max_iterations: int,
):  # fmt: skip
    out = run_sinkhorn(cost, epsilon, tau, tolerance=tolerance, max_iterations=max_iterations, a=a, b=b)
    return out.matrix, out.errors, out.converged, out.n_iters


@partial(
    jax.tree_util.register_dataclass,
    data_fields=(),
    meta_fields=("epsilon", "tau", "tolerance", "max_iterations", "forbids"),
)
@dataclass(frozen=True)
class LinearBatch:
    """The linear problem on one batch, with uniform marginals (a `BatchSolver`).

    `forbids` says whether the cost is infinite anywhere.
    """

    epsilon: float
    tau: tuple[float, float]
    tolerance: float
    max_iterations: int
    forbids: bool = False

    def solve(self, cost: jax.Array, spaces: tuple[Chords, Chords] | None) -> BatchPlan:
        """The transport of one batch; `spaces` are not read."""
        a, b = batch_marginals(cost) if self.forbids else (None, None)
        out = run_sinkhorn(
            reachable(cost) if self.forbids else cost, self.epsilon, self.tau, tolerance=self.tolerance,
            max_iterations=self.max_iterations, a=a, b=b,
        )  # fmt: skip
        plan = jnp.asarray(out.matrix)
        if self.forbids:
            plan = jnp.where(jnp.isinf(cost), 0.0, plan)
        return BatchPlan(plan, jnp.asarray(out.converged), jnp.asarray(out.n_iters))

    def advice(self, error: float) -> str:
        """What to try for batches that did not converge, as the end of a sentence."""
        return (
            f"Sinkhorn stopped after {self.max_iterations} iterations (mean residual {error:.1e}, tolerance "
            f"{self.tolerance:.0e}): try a larger epsilon (now {self.epsilon:g}) or more Sinkhorn iterations per "
            "batch."
        )
