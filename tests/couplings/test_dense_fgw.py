"""Fused Gromov-Wasserstein on a stored kernel: against ott-jax's path, against POT, and without matrices of a space."""

from __future__ import annotations

import numpy as np
import ot
import pytest

import bridgeviz as bv
from bridgeviz.costs import Within
from bridgeviz.couplings import FGW
from bridgeviz.couplings import _gromov_on_kernel as engine

PROBLEMS = [((1.0, 1.0), "none"), ((0.9, 0.7), "quadratic"), ((1.0, 0.9), "quadratic"), ((0.9, 0.95), "none")]


def spaces_of(n, m, seed=0, widths=(3, 5)):
    """A cost between two spaces, and the costs within them."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, widths[0])), rng.normal(size=(m, widths[1]))
    cost = ((x[:, None, :2] - y[:, :2]) ** 2).sum(-1)
    return cost, Within(x, metric="sqeuclidean"), Within(y)


def both(problem, **options):
    options = {"max_inner": 50_000, "max_iterations": 1000} | options
    plans = [bv.couplings.fgw(*problem, method=method, **options) for method in ("dense", "ott")]
    assert all(plan.converged for plan in plans)
    assert [plan.method for plan in plans] == ["dense", "ott"]
    return plans


@pytest.mark.parametrize(("tau", "correction"), PROBLEMS, ids=str)
@pytest.mark.parametrize(("alpha", "widths"), [(0.0, (3, 5)), (0.25, (5, 3)), (0.6, (3, 5))], ids=str)
def test_the_plan_is_that_of_ott(alpha, widths, tau, correction, monkeypatch):
    monkeypatch.setattr("bridgeviz._kernel_sinkhorn.ENTRIES", 400)  # blocks of ten rows, and three without mass
    monkeypatch.setattr("bridgeviz._kernel_sinkhorn.UNCUT_ENTRIES", 0)  # and iterations on blocks
    dense, ott = both(spaces_of(47, 40, widths=widths), alpha=alpha, epsilon=0.3, tau=tau, correction=correction)
    assert np.abs(dense.dense() - ott.dense()).sum() < 2e-5 * ott.mass
    assert dense.marginal_error < 2e-6


@pytest.mark.parametrize(("tau", "correction"), PROBLEMS, ids=str)
def test_double_precision_below_what_single_reaches(tau, correction):
    options = {"alpha": 0.5, "epsilon": 0.05, "tau": tau, "correction": correction, "tolerance": 1e-9}
    dense, ott = both(spaces_of(30, 40), **options)
    assert np.abs(dense.dense() - ott.dense()).sum() < 1e-7 * ott.mass


@pytest.mark.parametrize("n", [20, 60])
@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.75])
def test_it_agrees_with_pot_at_its_own_tolerance(alpha, n):
    cost, c_xx, c_yy = spaces_of(n, 35, seed=n)
    matrices = [matrix / matrix.mean() for matrix in (cost, c_xx.dense(), c_yy.dense())]
    theirs = ot.gromov.entropic_fused_gromov_wasserstein(
        *matrices, np.full(n, 1 / n), np.full(35, 1 / 35), epsilon=0.1, alpha=alpha, symmetric=True, max_iter=2000,
        tol=1e-11, numItermax=50_000, stopThr=1e-11,
    )  # fmt: skip
    for method in ("dense", "ott"):
        ours = bv.couplings.fgw(cost, c_xx, c_yy, alpha=alpha, epsilon=0.1, method=method)
        assert ours.converged
        assert np.abs(ours.dense() - theirs).sum() < 1e-4


@pytest.mark.parametrize("alpha", [0.5, 1.0])
@pytest.mark.parametrize(("tau", "correction"), PROBLEMS[:2], ids=str)
def test_costs_within_as_matrices_or_as_rows(tau, correction, alpha):
    cost, c_xx, c_yy = spaces_of(40, 30)
    rows, *others = [
        bv.couplings.fgw(
            cost, *within, method="dense", alpha=alpha, epsilon=0.2, tau=tau, correction=correction, tolerance=1e-9
        ).dense()
        for within in ((c_xx, c_yy), (c_xx.dense(), c_yy), (c_xx, c_yy.dense()), (c_xx.dense(), c_yy.dense()))
    ]
    for plan in others:
        assert np.abs(plan - rows).sum() < 1e-7


def test_no_matrix_of_a_space_is_made(monkeypatch):
    """Not by NumPy, and not on the device: the largest array has the problem's shape, padded to blocks."""
    import jax

    n, m = 900, 40
    monkeypatch.setattr(Within, "dense", None)
    shapes: set[int] = set()
    for name in ("summarise", "linearise"):
        function = getattr(engine, name)

        def watched(*args, function=function, **options):
            text = jax.make_jaxpr(lambda *a: function(*a, **options))(*args)
            shapes.update(_sizes(text.jaxpr))
            return function(*args, **options)

        monkeypatch.setattr(engine, name, watched)
    plan = bv.couplings.fgw(*spaces_of(n, m), method="dense", epsilon=0.1)
    assert plan.converged
    assert max(shapes) == n * m


def _sizes(jaxpr):
    """The numbers of entries of all arrays in a program and in those it calls."""
    for equation in jaxpr.eqns:
        yield from (variable.aval.size for variable in equation.outvars if hasattr(variable.aval, "size"))
        for value in equation.params.values():
            for inner in value if isinstance(value, (list, tuple)) else [value]:
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    yield from _sizes(inner)


@pytest.mark.parametrize(("tau", "correction"), PROBLEMS[:2], ids=str)
def test_weights_forbidden_matches_and_equal_rows(tau, correction):
    rng = np.random.default_rng(1)
    cost, c_xx, c_yy = spaces_of(40, 30)
    again = np.repeat(np.arange(40), 2)
    mask = rng.random((80, 30)) < 0.2
    mask[1::2] = mask[::2]
    weighted = bv.costs.as_cost(cost[again], "test").weighted(rng.random(80) + 0.1, rng.random(30) + 0.1).forbid(mask)
    within = Within(c_xx.rows[again], metric="sqeuclidean"), c_yy
    for alpha in (0.5, 1.0):
        dense, ott = both((weighted, *within), alpha=alpha, epsilon=0.5, tau=tau, correction=correction)
        assert np.abs(dense.dense() - ott.dense()).sum() < 2e-5
        assert (dense.dense()[mask] == 0).all()


def test_squared_and_rows_that_take_no_part():
    cost, c_xx, c_yy = spaces_of(30, 25)
    weighted = bv.costs.as_cost(cost, "test").weighted(np.r_[0, 0, np.ones(28)])
    dense, ott = both((weighted, c_xx, c_yy), epsilon=0.2, squared=True)
    assert np.abs(dense.dense() - ott.dense()).sum() < 2e-5
    assert dense.dense()[:2].sum() == 0


def test_a_faint_plan_is_solved_in_double_precision():
    cost, c_xx, c_yy = spaces_of(20, 15)
    options = {"alpha": 0.2, "epsilon": 0.01, "tau": (0.5, 0.5), "correction": "none", "tolerance": 1e-4}
    dense, ott = (
        bv.couplings.fgw(cost + 12, c_xx, c_yy, method=method, scale_cost=1.0, **options) for method in ("dense", "ott")
    )
    assert 0 < ott.mass < 1e-100
    assert dense.mass / ott.mass == pytest.approx(1, rel=0.01)


def test_large_problems_are_solved_so_unless_a_method_is_named(monkeypatch):
    problem = spaces_of(20, 15)
    assert bv.couplings.fgw(*problem, epsilon=0.5).method == "ott"
    monkeypatch.setattr(FGW, "large", 300)
    assert bv.couplings.fgw(*problem, epsilon=0.5).method == "dense"
    assert bv.couplings.fgw(*problem, epsilon=0.5, method="ott").method == "ott"


def test_it_tells_its_steps_and_stops_when_asked():
    import jax.numpy as jnp

    told: list[tuple[int, float]] = []
    solver = FGW(epsilon=0.1, method="dense")
    cost, *within = spaces_of(40, 30)
    plan = solver.solve(cost, (within[0], within[1]), on_step=lambda *step: told.append(step))
    assert [number for number, _ in told] == list(range(1, plan.iterations + 1))
    assert told[-1][1] <= 1e-6
    steps = solver.steps(cost, (within[0], within[1]))
    next(steps)
    assert jnp.zeros(1).dtype == np.float32
    steps.close()


def test_the_advice_says_what_did_not_converge():
    problem = spaces_of(40, 30)
    few = bv.couplings.fgw(*problem, epsilon=0.05, method="dense", max_iterations=2)
    assert not few.converged
    assert "The plan still changed by" in few.advice
    short = bv.couplings.fgw(*problem, epsilon=0.002, method="dense", max_iterations=2, max_inner=15)
    assert "Sinkhorn stopped after 15 iterations" in short.advice
