"""What `bridgeviz bench couplings` times: each function prepares the data of one row, for a process of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bridgeviz import costs, couplings
from bridgeviz._checks import InputError
from bridgeviz.costs import Cost, Within
from bridgeviz.couplings import Coupling, Plan
from bridgeviz.couplings._entries import group_shares
from bridgeviz.couplings._factored import Factored
from bridgeviz.experiments.benchmarks._coupling_data import DIGITS, METRIC, bridge, digits, points, some_pairs
from bridgeviz.experiments.benchmarks._fresh_process import Trial
from bridgeviz.experiments.benchmarks._ledger import Row

EPSILON, TOLERANCE = 5e-3, 1e-3


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
    pairs = some_pairs(n, 0.01)
    groups = len(np.unique(labels[pairs.source]))

    def report(plan: Coupling) -> Row:
        return {
            **_about(plan), "flops": 2 * n * len(pairs) * p, "add_mins": n * len(np.unique(labels)) * groups,
            "bytes": 4 * len(plan.source_atoms) * len(plan.target_atoms) * plan.iterations,
        }  # fmt: skip

    return Trial(lambda: couplings.linear(costs.bridge(x, y, pairs), epsilon=EPSILON, tolerance=TOLERANCE), report)


def factorised(n: int, whole: bool, strongest: int | None = None, power: float = 1.0) -> Trial:
    """The diffusion bridge without its matrix: Sinkhorn alone, or from the points to the plan.

    No two rows are equal, so that nothing is merged.

    Args:
        n: rows and columns.
        whole: whether the graphs and the diffusion are timed as well.
        strongest, power: of the cost.
    """
    x, y, labels = digits(n)
    pairs = some_pairs(n, min(0.01, 1_000 / n))

    def build() -> Cost:
        return costs.diffusion_bridge(x, y, pairs, metric=METRIC, strongest=strongest, power=power)

    def solve(cost: Cost) -> Coupling:
        return couplings.linear(cost, method="factorised", tolerance=TOLERANCE)

    made = None if whole else build()

    def report(plan: Coupling) -> Row:
        # Either half of an iteration reads both factors.
        size = plan.plan.nbytes if isinstance(plan.plan, Factored) else 0
        return {**_about(plan), "bytes": 2 * size * plan.iterations, "also": _by_class(plan, labels)}

    return Trial(lambda: solve(build() if made is None else made), report)


def kernel_in_log_domain(n: int, whole: bool) -> Trial:
    """The same problem by ott-jax on the matrix `-log K`."""
    x, y, labels = digits(n)
    pairs = some_pairs(n, min(0.01, 1_000 / n))

    def build() -> Cost:
        return costs.diffusion_bridge(x, y, pairs, metric=METRIC)

    def solve(cost: Cost) -> Coupling:
        return couplings.linear(cost, method="ott", epsilon=1.0, scale_cost=1.0, tolerance=TOLERANCE)

    made = None if whole else build()
    if made is not None:
        _ = made.on_atoms  # the matrix is made before the solver starts
    return Trial(
        lambda: solve(build() if made is None else made),
        lambda plan: {**_about(plan), "bytes": 16 * n * n * plan.iterations, "also": _by_class(plan, labels)},
    )


def _by_class(plan: Coupling, labels: np.ndarray) -> str:
    """How often the target row with the most mass, and a drawn one, has the class of the source row; in words."""
    classes, groups = np.unique(labels, return_inverse=True)
    of_atoms = plan.times(group_shares(plan.target_atoms, groups, len(classes))).argmax(1)
    by_class = of_atoms[plan.source_atoms.index]
    draws = plan.agreement(groups, groups, len(classes))
    found = f"class with most mass {np.mean(by_class == groups):.3f}, draws {draws:.3f}"
    if len(labels) <= DIGITS:
        modes = np.concatenate([block.argmax(1) for _, block in _blocks(plan)])
        found = f"mode {np.mean(labels[modes] == labels):.3f}, {found}"
    return f"own class: {found}"


def _blocks(plan: Coupling) -> Iterator[tuple[slice, np.ndarray]]:
    if isinstance(plan.plan, Factored):
        yield from plan.plan.blocks()
    else:
        yield slice(None), np.asarray(plan.plan)


def sparse(n: int) -> Trial:
    """The bridge cost without its matrix, with a plan that stores few entries; building the cost is not timed."""
    cost = costs.bridge(*points(n, 0.05))
    return Trial(lambda: couplings.linear(cost, method="sparse", epsilon=EPSILON, tolerance=TOLERANCE), _about)


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
