"""The transport on a stored kernel against ott-jax and POT, where kernels underflow, and while it is interrupted."""

from __future__ import annotations

import numpy as np
import ot
import pytest

import bridgeviz as bv
from bridgeviz import _kernel_programs
from bridgeviz import _kernel_sinkhorn as engine
from bridgeviz._relaxation import MOST, best_relaxation
from bridgeviz.couplings import Linear, _linear_methods
from bridgeviz.couplings._solver_options import finish

TAUS = [(1.0, 1.0), (0.9, 0.7), (1.0, 0.95)]


def cube(n: int, m: int, seed: int = 0) -> np.ndarray:
    """Squared distances between points of a cube."""
    rng = np.random.default_rng(seed)
    x, y = rng.random((n, 3)), rng.random((m, 3))
    return ((x[:, None] - y) ** 2).sum(-1)


def both(cost, **options):
    plans = [Linear(method=method, max_iterations=50_000, **options).solve(cost) for method in ("dense", "ott")]
    assert all(plan.converged for plan in plans)
    assert [plan.method for plan in plans] == ["dense", "ott"]
    return plans


@pytest.mark.parametrize("tau", TAUS, ids=str)
@pytest.mark.parametrize("epsilon", [0.5, 0.02, 0.008])
def test_the_plan_is_that_of_ott(epsilon, tau):
    dense, ott = both(cube(120, 80), epsilon=epsilon, tau=tau, tolerance=1e-9)
    assert np.abs(dense.dense() - ott.dense()).sum() < 1e-7 * ott.mass
    assert dense.marginal_error <= 2e-9


def test_single_precision_reaches_its_tolerance_and_says_its_error():
    cost = cube(300, 200)
    plan = bv.couplings.linear(cost, epsilon=0.01, tolerance=1e-6, method="dense")
    mu, nu = plan.marginals()
    assert plan.converged
    assert np.abs(mu - 1 / 300).sum() + np.abs(nu - 1 / 200).sum() == pytest.approx(plan.marginal_error, abs=1e-7)
    assert plan.marginal_error < 2e-6
    theirs = ot.sinkhorn(
        np.full(300, 1 / 300), np.full(200, 1 / 200), cost / cost.mean(), 0.01, method="sinkhorn_log", stopThr=1e-9,
        numItermax=100_000,
    )  # fmt: skip
    assert np.abs(plan.dense() - theirs).sum() < 2e-5


def test_over_relaxation_takes_a_fraction_of_the_iterations():
    dense, ott = both(cube(150, 100), epsilon=0.005, tolerance=1e-6)
    assert dense.iterations < ott.iterations / 3


def test_wide_problems_are_solved_so_unless_a_method_is_named(monkeypatch):
    cost = cube(40, 30)
    monkeypatch.setattr(_linear_methods, "NARROW", 29)
    assert bv.couplings.linear(cost).method == "dense"
    assert bv.couplings.linear(cost, method="ott").method == "ott"
    with pytest.raises(bv.InputError, match=r"'method' of linear\(\) must be"):
        bv.couplings.linear(cost, method="fast")


@pytest.mark.parametrize("tau", TAUS, ids=str)
def test_where_every_entry_of_a_row_or_column_underflows(tau):
    """Rows and columns that are far from all others: exp(-C / epsilon) is zero in any precision."""
    cost = cube(60, 50)
    cost[3] += 40 * cost.mean()
    cost[:, 7] += 60 * cost.mean()
    dense, ott = both(cost, epsilon=0.01, tau=tau, tolerance=1e-6)
    assert np.abs(dense.dense() - ott.dense()).sum() < 1e-4 * ott.mass
    if tau == (1.0, 1.0):
        assert dense.dense()[:, 7].sum() == pytest.approx(1 / 50, rel=1e-4)


def test_a_column_that_is_far_from_all_rows_keeps_its_mass():
    """In float32 the kernel of its entries is zero, but leaving it out would cost more than moving it."""
    cost = cube(60, 50)
    cost[:, 7] += 2 * cost.mean()
    dense, ott = both(cost, epsilon=0.01, tau=(1.0, 0.99), tolerance=1e-5)
    assert ott.dense()[:, 7].sum() > 0.05 / 50
    assert dense.dense()[:, 7].sum() == pytest.approx(ott.dense()[:, 7].sum(), rel=0.01)


def test_a_loose_tolerance_is_not_a_larger_epsilon():
    sharpness = [
        bv.couplings.linear(cube(60, 50), epsilon=0.005, tolerance=tolerance, method="dense").dense().max(1).sum()
        for tolerance in (0.2, 1e-6)
    ]
    assert sharpness[0] > 0.9 * sharpness[1]  # at the epsilon before, it would be much flatter


def test_blocks_of_rows_with_a_remainder(monkeypatch):
    cost = cube(47, 30)
    whole = bv.couplings.linear(cost, epsilon=0.02, tolerance=1e-6, method="dense")
    monkeypatch.setattr(engine, "ENTRIES", 300)  # blocks of ten rows
    monkeypatch.setattr(engine, "UNCUT_ENTRIES", 0)  # and iterations on blocks
    parts = bv.couplings.linear(cost, epsilon=0.02, tolerance=1e-6, method="dense")
    assert np.abs(whole.dense() - parts.dense()).sum() < 1e-5


@pytest.mark.parametrize("tau", TAUS, ids=str)
def test_weights_and_forbidden_matches(tau):
    rng = np.random.default_rng(1)
    mask = rng.random((60, 40)) < 0.3
    cost = bv.costs.as_cost(cube(60, 40), "test").weighted(rng.random(60) + 0.1, rng.random(40) + 0.1).forbid(mask)
    dense, ott = both(cost, epsilon=0.05, tau=tau, tolerance=1e-8)
    assert np.abs(dense.dense() - ott.dense()).sum() < 1e-6 * ott.mass
    assert (dense.dense()[mask] == 0).all()


def test_equal_rows_and_weights_of_zero():
    cost = cube(30, 20)[np.repeat(np.arange(30), 3)]
    weights = np.r_[0, 0, np.ones(88)]
    plans = both(bv.costs.as_cost(cost, "test").weighted(weights), epsilon=0.05, tau=(0.9, 1.0), tolerance=1e-8)
    assert np.abs(plans[0].dense() - plans[1].dense()).sum() < 1e-6
    assert plans[0].dense()[:2].sum() == 0


def test_one_row_and_a_constant_cost():
    for cost in (np.ones((1, 5)), np.ones((4, 1)), np.full((6, 3), 2.0), np.array([[1.0]])):
        plan = bv.couplings.linear(cost, epsilon=0.05, method="dense")
        assert plan.converged
        np.testing.assert_allclose(plan.dense(), 1 / cost.size, rtol=1e-5)


def test_a_faint_plan_is_found_and_one_without_mass_is_said():
    """float32 numbers end at 1e-38; an unbalanced plan with less mass is still sampled from."""
    cost = cube(50, 40) + 3
    dense, ott = both(cost, epsilon=1e-3, tau=(0.5, 0.5))
    assert 0 < ott.mass < 1e-100
    assert dense.mass == pytest.approx(ott.mass, rel=0.01)
    np.testing.assert_allclose(dense.dense() / dense.mass, ott.dense() / ott.mass, atol=1e-3)
    plan = bv.couplings.linear(cost, epsilon=1e-4, tau=(0.5, 0.5), method="dense")
    assert not plan.converged
    assert plan.mass == 0
    assert "No mass is left" in plan.advice


def test_too_few_iterations_are_said():
    plan = bv.couplings.linear(cube(50, 40), epsilon=0.002, tolerance=1e-6, max_iterations=15, method="dense")
    assert not plan.converged
    assert plan.iterations <= 16
    assert "stopped after" in plan.advice
    assert np.isfinite(plan.dense()).all()


def test_an_impossible_balance_is_not_converged():
    mask = np.zeros((6, 6), bool)
    mask[:3, 1:] = True  # three rows compete for one column
    cost = bv.costs.as_cost(cube(6, 6), "test").forbid(mask)
    plan = bv.couplings.linear(cost, epsilon=0.05, method="dense")
    assert not plan.converged
    assert plan.advice == bv.couplings.linear(cost, epsilon=0.05, method="ott").advice


def test_it_tells_its_progress_and_stops_when_asked():
    told: list[tuple[int, float]] = []

    def stop(done: int, error: float) -> None:
        told.append((done, error))
        if len(told) == 3:
            raise KeyboardInterrupt

    solver = Linear(epsilon=0.005, method="dense", tolerance=1e-6)
    with pytest.raises(KeyboardInterrupt):
        solver.solve(cube(100, 80), on_step=stop)
    assert len(told) == 3
    told.clear()
    plan = solver.solve(cube(100, 80), on_step=lambda *step: told.append(step))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == plan.iterations
    assert told[-1][1] <= 1e-6


def test_the_best_relaxation_follows_from_the_decay():
    """Iterations whose error falls by r = 0.99: relaxed as Lehmann et al. say, from whichever factor is measured."""
    best = 2 / (1 + np.sqrt(1 - 0.99))
    assert best_relaxation(1.0, 0.99) == pytest.approx(best)
    omega = 1.3
    root = (omega * np.sqrt(0.99) + np.sqrt(omega**2 * 0.99 - 4 * (omega - 1))) / 2
    assert best_relaxation(omega, root**2) == pytest.approx(best)
    assert best_relaxation(1.9, 0.9) == pytest.approx(1.9)  # it is beyond the best
    assert best_relaxation(1.5, 1.0) == 1.25
    assert best_relaxation(1.0, 1.0) == 1.0
    assert best_relaxation(1.0, 0.9999) == MOST


def test_numbers_of_numpy_are_numbers():
    """A cost's own epsilon may be one, and JAX gives arrays the type of such a number."""
    a, b = np.full(40, 1 / 40), np.full(30, 1 / 30)
    plans = []
    for number in (float, np.float64):
        for tau in (1.0, 0.9):
            settings = {"epsilon": number(0.05), "tau": (number(1.0), number(tau)), "tolerance": 1e-3}
            steps = engine.solve_on_kernel(cube(40, 30), a, b, **settings, max_iterations=1000)
            plans.append(finish(steps).plan)
    np.testing.assert_array_equal(plans[:2], plans[2:])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(60, 20), (20, 60)], ids=str)
@pytest.mark.parametrize("tau", [(1.0, 0.7), (1.0, 0.3), (0.7, 1.0)], ids=str)
def test_scalings_beyond_their_type_are_absorbed(shape, tau):
    """A column's potential may be farther from its first one than float32 numbers reach."""
    dense, ott = both(cube(*shape), epsilon=2e-4, tau=tau, tolerance=1e-6)
    assert np.abs(dense.dense() - ott.dense()).sum() < 1e-5 * ott.mass


def test_whoever_drives_it_keeps_their_precision():
    import jax.numpy as jnp

    steps = Linear(epsilon=0.01, method="dense").steps(cube(40, 30))
    next(steps)
    assert jnp.zeros(1).dtype == np.float32
    steps.close()
    assert jnp.zeros(1).dtype == np.float32


def test_other_numbers_take_the_same_program():
    cost = cube(70, 50)
    bv.couplings.linear(cost, epsilon=0.02, tau=(0.9, 1.0), tolerance=1e-4, method="dense")
    compiled = (_kernel_programs._sweeps, _kernel_programs._start, _kernel_programs._columns_alone)
    programs = [program._cache_size() for program in compiled]
    bv.couplings.linear(cost, epsilon=0.05, tau=(0.8, 0.95), tolerance=1e-5, method="dense")
    assert [program._cache_size() for program in compiled] == programs
