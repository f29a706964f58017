"""Sinkhorn's algorithm on plain arrays, on the device: what costs and couplings are both fitted with."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ott.geometry import geometry
from ott.problems.linear import linear_problem
from ott.solvers.linear import sinkhorn

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
