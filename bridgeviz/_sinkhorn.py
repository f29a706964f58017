"""Sinkhorn's algorithm on plain arrays, on the device: what costs and couplings are both fitted with."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from ott.geometry import geometry
from ott.problems.linear import linear_problem
from ott.solvers.linear import sinkhorn

from bridgeviz._solution import Solution

Scalar = jax.Array | float

CHUNKS = (1000, 500, 200, 100, 50, 20, 10)
"""Numbers of iterations that may be one call: multiples of the ten after which ott-jax measures its error."""

WORK = 2**24
"""Entries times iterations of one call, at most: 0.3 s on two cores, after which a solve can be stopped."""


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
) -> Generator[tuple[int, float], None, Solution]:  # fmt: skip
    """The linear problem with a (u, v) cost and the marginals a (u,) and b (v,), in float64.

    Yields the iterations and the error wherever it can be stopped before its end: after `CHUNKS` of iterations, each of
    which starts from the potentials of the one before.
    """
    chunk = next((count for count in CHUNKS if count * cost.size <= WORK), CHUNKS[-1])
    with jax.enable_x64(True):
        problem = jnp.asarray(cost), jnp.asarray(a), jnp.asarray(b)
        potentials = jnp.zeros(len(a)), jnp.zeros(len(b))
    error, done = float("nan"), 0
    while True:
        count = min(chunk, max_iterations - done)
        with jax.enable_x64(True):  # not while it waits for whoever drives it
            potentials, errors, converged, iterations = _iterate(
                *problem, potentials, epsilon, tolerance, tau=tau, max_iterations=count
            )
        errors = np.asarray(errors)
        measured = errors[errors >= 0]  # -1 where the iterations stopped earlier
        error, done = float(measured[-1]) if len(measured) else float("nan"), done + int(iterations)
        if converged or done >= max_iterations or not np.isfinite(error):
            break
        yield done, error
    with jax.enable_x64(True):
        return Solution(np.asarray(_plan(problem[0], potentials, epsilon)), error, bool(converged), done)


@partial(jax.jit, static_argnames=("tau", "max_iterations"))
def _iterate(
    cost: jax.Array, a: jax.Array, b: jax.Array, potentials: tuple[jax.Array, jax.Array], epsilon: Scalar,
    tolerance: Scalar, *, tau: tuple[float, float], max_iterations: int,
):  # fmt: skip
    out = run_sinkhorn(
        cost, epsilon, tau, tolerance=tolerance, max_iterations=max_iterations, a=a, b=b, init=potentials
    )
    return (out.f, out.g), out.errors, out.converged, out.n_iters


@jax.jit
def _plan(cost: jax.Array, potentials: tuple[jax.Array, jax.Array], epsilon: Scalar) -> jax.Array:
    geom = geometry.Geometry(cost_matrix=cost, epsilon=epsilon)  # type: ignore[arg-type] - traced
    return geom.transport_from_potentials(*potentials)
