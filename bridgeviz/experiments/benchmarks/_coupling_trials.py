"""What `bridgeviz bench couplings` times: each function prepares the data of one row, for a process of its own.

Problems of up to 10,000 rows are MNIST: latents of digits against codes that are sampled for their labels, so that no
two rows are equal. Larger ones draw these rows repeatedly and add noise.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from bridgeviz import costs, couplings
from bridgeviz._checks import InputError
from bridgeviz.costs import Cost, Within
from bridgeviz.couplings import Coupling, Plan
from bridgeviz.datasets import Mnist
from bridgeviz.experiments.benchmarks._fresh_process import Trial
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.problem import Pairs

EPSILON, TOLERANCE = 5e-3, 1e-3

DIGITS = 10_000
"""Rows of MNIST."""


def linear(n: int, method: str) -> Trial:
    """Ours, on the matrix of the bridge cost divided by its mean."""
    matrix = _matrix(bridge(n, 0.1))

    def report(plan: Coupling) -> Row:
        # "dense" reads its float32 kernel once per iteration; "ott" reads its float64 cost for rows and for columns.
        per_entry = 4 if plan.method == "dense" else 16
        return {**_about(plan), "bytes": per_entry * n * n * plan.iterations}

    options: Any = {"epsilon": EPSILON, "scale_cost": 1.0, "merge": False, "tolerance": TOLERANCE, "method": method}
    return Trial(lambda: couplings.linear(matrix, **options), report)


def pot_linear(n: int, method: str, entries: float) -> Trial:
    """POT's solver of that name on the same matrix.

    Its threshold is for the Euclidean norm of one marginal's error. The L1 norm, which our tolerance is for, is at most
    sqrt(n) times as large, and nearly that large where the error is spread over all columns.

    Args:
        n: rows and columns.
        method: of `ot.sinkhorn`.
        entries: of the matrix, summed over all iterations; at most, so that a row takes minutes instead of hours.
    """
    ot = _pot()
    matrix, weights = _matrix(bridge(n, 0.1)), np.full(n, 1 / n)
    threshold = TOLERANCE / math.sqrt(n)
    most = max(int(min(entries / n**2, 100_000)), 40)
    every, counted = {"sinkhorn_log": (10, "niter"), "sinkhorn_stabilized": (20, "n_iter")}[method]
    last: Row = {}

    def call() -> np.ndarray:
        plan, log = ot.sinkhorn(
            weights, weights, matrix, EPSILON, method=method, stopThr=threshold, numItermax=most, log=True, warn=False,
            print_period=every,
        )  # fmt: skip
        last.update(iterations=int(log[counted]) + 1, errors=[float(error) for error in log["err"]])
        return plan

    def report(plan: np.ndarray) -> Row:
        iterations, errors = last["iterations"], last["errors"]
        needed = iterations + _more_iterations(errors, every, threshold)
        return {
            "iterations": iterations, "marginal_error": _marginal_error(plan), "method": method,
            "iterations_needed": needed, "bytes": 16 * n * n * iterations,
        }  # fmt: skip

    return Trial(call, report)


def _more_iterations(errors: list[float], every: int, threshold: float) -> float:
    """The iterations that are left at the last rate of convergence, infinite if the error did not fall.

    This is a lower bound, because the rate falls with time.
    """
    if errors[-1] <= threshold:
        return 0.0
    rate = math.log(errors[-2] / errors[-1]) / every if len(errors) > 1 else 0.0
    return math.log(errors[-1] / threshold) / rate if rate > 0 else math.inf


def min_plus(n: int) -> Trial:
    """The matrix of the bridge cost from its factors, one column per pair."""
    cost = bridge(n, 0.1)
    # A copy has no matrix yet.
    return Trial(lambda: replace(cost).on_atoms, lambda _: _work_of_min_plus(cost, "Cost.on_atoms"))


def xla_scan(n: int) -> Trial:
    """The same in float32 by a plain scan: pair by pair, on the whole matrix."""
    import jax
    import jax.numpy as jnp

    cost = bridge(n, 0.1)
    factors: Any = cost.source_factor, cost.target_factor
    a, b = (jnp.asarray(factor.T, jnp.float32) for factor in factors)

    @jax.jit
    def run(a: jax.Array, b: jax.Array) -> jax.Array:
        def step(c: jax.Array, legs: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
            return jnp.minimum(c, legs[0][:, None] + legs[1][None]), None

        return jax.lax.scan(step, jnp.full((n, n), jnp.inf, jnp.float32), (a, b))[0]

    return Trial(lambda: run(a, b).block_until_ready(), lambda _: _work_of_min_plus(cost, "jax.lax.scan"))


def _work_of_min_plus(cost: Cost, method: str) -> Row:
    (n, m), columns = cost.shape, np.asarray(cost.source_factor).shape[1]
    return {"method": method, "add_mins": n * m * columns, "bytes": 4 * n * m}


def fgw(n: int, steps: int) -> Trial:
    """Ours at alpha 0.5, on the same matrix, and on the points within each space."""
    x, y, pairs = points(n, 0.1)
    matrix = _matrix(costs.bridge(x, y, pairs).unmerged())
    within = Within(x), Within(y)
    options: Any = {"epsilon": EPSILON, "merge": False, "tolerance": TOLERANCE, "max_iterations": steps}

    def report(plan: Coupling) -> Row:
        # In each step, products of the plan with the points on both sides, and at least one look at the matrix.
        flops = 2 * n * n * (x.shape[1] + y.shape[1]) * plan.iterations
        return {**_about(plan), "method": "fgw", "flops": flops, "bytes": 16 * n * n * plan.iterations}

    return Trial(lambda: couplings.fgw(matrix, *within, alpha=0.5, **options), report)


def pot_fgw(n: int, steps: int) -> Trial:
    """POT's projected gradients on three matrices, each divided by its mean; `steps` is the number of steps."""
    ot = _pot()
    x, y, pairs = points(n, 0.1)
    matrix = _matrix(costs.bridge(x, y, pairs).unmerged())
    within = [Within(space) for space in (x, y)]
    c_xx, c_yy = (space.dense() / space.mean() for space in within)

    def call() -> np.ndarray:
        return ot.gromov.entropic_fused_gromov_wasserstein(
            matrix, c_xx, c_yy, alpha=0.5, epsilon=EPSILON, symmetric=True, max_iter=steps, tol=0.0, numItermax=2_000,
            stopThr=TOLERANCE / math.sqrt(n), warn=False,
        )  # fmt: skip

    def report(plan: np.ndarray) -> Row:
        error = _marginal_error(plan)
        return {"iterations": steps, "marginal_error": error, "method": "PGD", "flops": 4 * n**3 * steps}

    return Trial(call, report)


def merged(n: int, p: int, q: int, classes: int) -> Trial:
    """From points to plan: n generated rows against the codes of their classes, of which equal ones are merged."""
    rng = np.random.default_rng(0)
    labels = rng.integers(classes, size=n)
    centres = rng.standard_normal((classes, p), np.float32)
    x = rng.standard_normal((n, p), np.float32)
    for rows in np.array_split(np.arange(n), max(1, n // 10_000)):
        x[rows] += centres[labels[rows]]
    y = rng.standard_normal((classes, q), np.float32)[labels]
    pairs = _pairs(n, 0.01)
    groups = len(np.unique(labels[pairs.source]))

    def report(plan: Coupling) -> Row:
        return {
            **_about(plan), "flops": 2 * n * len(pairs) * p, "add_mins": n * len(np.unique(labels)) * groups,
            "bytes": 4 * len(plan.source_atoms) * len(plan.target_atoms) * plan.iterations,
        }  # fmt: skip

    return Trial(lambda: couplings.linear(costs.bridge(x, y, pairs), epsilon=EPSILON, tolerance=TOLERANCE), report)


def factorised(n: int) -> Trial:
    """The diffusion bridge without its matrix; building the cost is not timed.

    No two rows are equal, so that nothing is merged. `Cost.unmerged` would copy the factors.
    """
    cost = costs.diffusion_bridge(*points(n, 0.01))
    # Either half of an iteration reads both factors, which take half of this in float32.
    return Trial(
        lambda: couplings.linear(cost, method="factorised", epsilon=EPSILON, tolerance=TOLERANCE),
        lambda plan: {**_about(plan), "bytes": cost.nbytes_factors * plan.iterations},
    )


def sparse(n: int) -> Trial:
    """The bridge cost without its matrix, with a plan that stores few entries; building the cost is not timed."""
    cost = costs.bridge(*points(n, 0.05))
    return Trial(lambda: couplings.linear(cost, method="sparse", epsilon=EPSILON, tolerance=TOLERANCE), _about)


def points(n: int, fraction: float) -> tuple[np.ndarray, np.ndarray, Pairs]:
    """(n, 16) latents, (n, 4) codes, and the pairs: a share of the rows, at least one."""
    from bridgeviz.datasets._label_codes import label_space

    problem = Mnist(n=min(n, DIGITS), codes="sampled").load()
    x, y = problem.source.x, problem.target.x
    if n > DIGITS:
        rng = np.random.default_rng(0)
        rows = rng.integers(DIGITS, size=n)
        assert problem.source.labels is not None
        x = x[rows] + 0.1 * x.std(0) * rng.standard_normal((n, x.shape[1]), np.float32)
        y = label_space(problem.source.labels[rows], sampled=True, seed=1).x
    return x, y, _pairs(n, fraction)


def bridge(n: int, fraction: float) -> Cost:
    """The paper's cost between these points, every row by itself."""
    return costs.bridge(*points(n, fraction)).unmerged()


def _pairs(n: int, fraction: float) -> Pairs:
    rows = np.random.default_rng(1).choice(n, size=max(1, round(fraction * n)), replace=False)
    return Pairs(np.stack([rows, rows], axis=1), shape=(n, n))


def _matrix(cost: Cost) -> np.ndarray:
    return cost.on_atoms / cost.mean()


def _about(plan: Plan) -> Row:
    method = getattr(plan, "method", plan.solver)
    return {"iterations": plan.iterations, "marginal_error": plan.marginal_error, "method": method}


def _marginal_error(plan: np.ndarray) -> float:
    """L1 distance of the marginals of an (n, m) plan from uniform ones, summed over both sides; infinite after NaN."""
    n, m = plan.shape
    error = float(np.abs(plan.sum(1) - 1 / n).sum() + np.abs(plan.sum(0) - 1 / m).sum())
    return math.inf if math.isnan(error) else error


def _pot() -> Any:
    try:
        import ot
    except ImportError:
        raise InputError("POT is not installed: pip install POT.") from None
    return ot
