"""Newton's method on the smaller side against ott-jax and SciPy, on hard problems, and where there is no plan."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import linprog

import bridgeviz as bv
from bridgeviz import _newton
from bridgeviz.costs import as_cost
from bridgeviz.couplings import Linear, linear
from bridgeviz.couplings._solver_options import finish

TAUS = [(1.0, 1.0), (0.9, 0.7), (1.0, 0.95), (0.95, 1.0), (0.3, 0.2)]


def cube(n: int, m: int, seed: int = 0) -> np.ndarray:
    """Squared distances between points of a cube."""
    rng = np.random.default_rng(seed)
    return ((rng.random((n, 3))[:, None] - rng.random((m, 3))) ** 2).sum(-1)


def both(cost, **options):
    plans = [Linear(method=method, max_iterations=50_000, **options).solve(cost) for method in ("newton", "ott")]
    assert all(plan.converged for plan in plans)
    assert [plan.method for plan in plans] == ["newton", "ott"]
    return plans


@pytest.mark.parametrize("tau", TAUS, ids=str)
@pytest.mark.parametrize("shape", [(60, 9), (9, 60)], ids=str)
@pytest.mark.parametrize("epsilon", [1.0, 0.05, 0.01])
def test_the_plan_is_that_of_ott(epsilon, shape, tau):
    rng = np.random.default_rng(1)
    cost = as_cost(cube(*shape), "test").weighted(*(rng.random(n) + 0.1 for n in shape))
    newton, ott = both(cost, epsilon=epsilon, tau=tau, tolerance=1e-10)
    assert np.abs(newton.dense() - ott.dense()).sum() < 1e-8 * ott.mass
    assert newton.iterations < 60


@pytest.mark.parametrize("tau", TAUS, ids=str)
def test_where_every_entry_of_a_row_or_column_underflows(tau):
    cost = cube(60, 50)
    cost[3] += 40 * cost.mean()
    cost[:, 7] += 60 * cost.mean()
    newton, ott = both(cost, epsilon=0.01, tau=tau, tolerance=1e-9)
    assert np.abs(newton.dense() - ott.dense()).sum() < 1e-7 * ott.mass
    assert newton.iterations < 60


def test_a_small_epsilon_that_sinkhorn_does_not_reach():
    """The plan is then nearly that of linear programming."""
    n, m = 30, 12
    cost = cube(n, m)
    plan = linear(cost, epsilon=1e-5, tolerance=1e-9)
    assert (plan.method, plan.converged) == ("newton", True)
    rows, columns = np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))
    exact = linprog(
        cost.ravel(), A_eq=np.concatenate([rows, columns]), b_eq=np.r_[np.full(n, 1 / n), np.full(m, 1 / m)]
    )
    assert (plan.dense() * cost).sum() == pytest.approx(exact.fun, rel=1e-4)
    assert not linear(cost, epsilon=1e-5, tolerance=1e-9, method="ott").converged


@pytest.mark.parametrize("epsilon", [0.02, 0.005, 1e-3, 1e-5])
def test_clusters_that_hardly_exchange_mass_and_have_to(epsilon):
    """Four clusters of other sizes on either side: at a small epsilon, their exchange drowns in rounding."""
    n, m, rng = 60, 50, np.random.default_rng(0)
    x = 3 * rng.standard_normal((4, 5))[np.arange(n) % 4] + 0.3 * rng.standard_normal((n, 5))
    y = 3 * rng.standard_normal((4, 3))[np.arange(m) % 4] + 0.3 * rng.standard_normal((m, 3))
    plan = linear(bv.costs.bridge(x, y, np.stack([np.arange(12)] * 2, axis=1)), epsilon=epsilon)
    assert (plan.method, plan.converged) == ("newton", True)
    assert plan.iterations <= 60
    if epsilon == 0.02:
        reference = linear(bv.costs.bridge(x, y, np.stack([np.arange(12)] * 2, axis=1)), epsilon=epsilon, method="ott")
        assert np.abs(plan.dense() - reference.dense()).sum() < 1e-4


def test_equal_rows_are_merged_exactly():
    cost = cube(40, 6)[:, np.arange(50) % 6]
    merged, whole = (
        linear(cost, epsilon=0.02, tau=(0.9, 0.8), tolerance=1e-10, merge=merge) for merge in (True, False)
    )
    np.testing.assert_allclose(merged.dense(), whole.dense(), atol=1e-12)


@pytest.mark.parametrize("permitted", [1, 2])
def test_forbidden_matches(permitted):
    """Five rows whose mass just fills the columns that they may use, and others that may or may not use these."""
    mask = np.zeros((30, 30), bool)
    mask[:5, :25] = True
    if permitted == 1:
        mask[5:, 25:] = True
    plan = linear(as_cost(cube(30, 30), "test").forbid(mask), epsilon=0.01, tolerance=1e-9)
    assert plan.converged
    assert (plan.dense()[mask] == 0).all()
    assert plan.dense()[5:, 25:].sum() < 1e-8
    assert plan.marginal_error < 2e-9


def test_where_there_is_no_plan_it_ends_and_says_so(monkeypatch):
    mask = np.zeros((30, 30), bool)
    mask[:5, :26] = True
    plan = linear(as_cost(cube(30, 30), "test").forbid(mask), epsilon=0.01)
    assert not plan.converged
    assert "leave no plan with these marginals" in plan.advice
    assert plan.iterations <= 100
    monkeypatch.setattr("bridgeviz.couplings._permitted._LARGEST", 0)  # so that it is not known before
    plan = linear(as_cost(cube(30, 30), "test").forbid(mask), epsilon=0.01)
    assert not plan.converged
    assert "may also be that the forbidden matches leave no plan" in plan.advice
    assert plan.iterations < 200
    gone = linear(cube(30, 30) + 100.0, epsilon=1e-3, tau=(0.1, 0.1), scale_cost=1.0)
    assert (gone.method, gone.converged, gone.mass) == ("newton", False, 0)
    assert "No mass is left" in gone.advice
    short = linear(cube(30, 20), epsilon=1e-3, max_iterations=3)
    assert not short.converged
    assert short.iterations == 3


@pytest.mark.parametrize("cost", [[[2.0]], np.ones((5, 4)), np.zeros((3, 7))], ids=["one", "constant", "zero"])
def test_trivial_problems(cost):
    plan = linear(cost, epsilon=0.01)
    n, m = np.shape(cost)
    np.testing.assert_allclose(plan.dense(), np.full((n, m), 1 / n / m), rtol=1e-12)


def test_blocks_change_nothing(monkeypatch):
    problem = cube(50, 12), np.full(50, 1 / 50), np.full(12, 1 / 12)
    settings = {"epsilon": 0.02, "tau": (0.95, 0.9), "tolerance": 1e-9, "max_iterations": 100}
    told: list[float] = []
    whole = finish(_newton.solve_by_newton(*problem, **settings), lambda _, error: told.append(error))
    assert len(told) == whole.iterations
    assert told[-1] == whole.residual <= 1e-9
    monkeypatch.setattr(_newton, "ENTRIES", 7 * 12)
    parts = finish(_newton.solve_by_newton(*problem, **settings))
    np.testing.assert_allclose(parts.plan, whole.plan, rtol=1e-12)


def test_it_is_refused_where_both_sides_are_wide(monkeypatch):
    monkeypatch.setattr("bridgeviz.couplings._linear.MOST_EQUATIONS", 8)
    with pytest.raises(bv.InputError, match=r"'method' of linear\(\) must be 'dense' where both sides"):
        linear(cube(10, 9), method="newton")
    assert linear(cube(10, 8), method="newton").converged


def clusters(n: int, share: float) -> np.ndarray:
    """Costs within and between two clusters, whose sizes differ between the sides, so that mass has to cross."""
    rng = np.random.default_rng(3)
    apart = (np.arange(n)[:, None] < n / 2) != (np.arange(n) < share * n)
    return rng.random((n, n)) + 20 * apart


@pytest.mark.parametrize("max_iterations", [10_000, 60])
def test_it_goes_on_where_sinkhorn_takes_too_long(monkeypatch, max_iterations):
    monkeypatch.setattr("bridgeviz.couplings._linear_methods.NARROW", 20)
    monkeypatch.setattr("bridgeviz.couplings._linear.TRIED", 60)
    cost, options = clusters(40, 0.4), {"epsilon": 0.02, "scale_cost": 1.0, "tolerance": 1e-7}
    seen = []
    plan = finish(Linear(**options, max_iterations=max_iterations).steps(cost), lambda step, _: seen.append(step))
    assert seen == sorted(seen)
    if max_iterations == 60:  # as many as were asked for
        assert (plan.method, plan.converged, plan.iterations) == ("dense", False, 60)
        return
    assert (plan.method, plan.converged) == ("newton", True)
    assert "'dense' had not reached the tolerance after 60 iterations" in plan.why
    assert 60 < plan.iterations < 160
    newton = Linear(**options, method="newton").solve(cost)
    assert np.abs(plan.dense() - newton.dense()).sum() < 1e-6
    assert not Linear(**options, method="dense", max_iterations=plan.iterations).solve(cost).converged


def test_jax_is_not_needed():
    """It takes seconds to import, and Newton's method needs milliseconds."""
    code = """
import sys, numpy as np, bridgeviz as bv
assert bv.couplings.linear(np.random.default_rng(0).random((40, 5))).converged
assert "jax" not in sys.modules, "jax was imported"
"""
    subprocess.run([sys.executable, "-c", code], check=True)
