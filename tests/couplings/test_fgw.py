"""Fused Gromov-Wasserstein against POT, against ott-jax, against the gradient of Eq. 3, and against itself merged."""

from __future__ import annotations

import warnings

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import xlogy

import bridgeviz as bv
from bridgeviz.costs import Matrix, Within

TIGHT = {"tolerance": 1e-10, "max_iterations": 3_000, "max_inner": 100_000}


def problem(seed, n, m):
    """C, C_XX, C_YY, each of mean one."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(m, 2))
    c = [rng.random((n, m)), bv.costs.sqeuclidean(x), bv.costs.sqeuclidean(y)]
    return [matrix / matrix.mean() for matrix in c]


@pytest.mark.parametrize(("n", "m"), [(4, 3), (12, 9), (25, 25), (7, 30)])
@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("epsilon", [0.3, 1.0])
def test_balanced_agrees_with_pot(n, m, alpha, epsilon):
    c, c_xx, c_yy = problem(n * m, n, m)
    theirs = ot.gromov.entropic_fused_gromov_wasserstein(
        c, c_xx, c_yy, np.full(n, 1 / n), np.full(m, 1 / m), epsilon=epsilon, alpha=alpha, symmetric=True,
        max_iter=3000, tol=1e-11, solver="PGD", numItermax=100_000, stopThr=1e-12,
    )  # fmt: skip
    ours = bv.couplings.fgw(c, c_xx, c_yy, alpha=alpha, epsilon=epsilon, **TIGHT)
    assert ours.converged
    assert ours.advice == ""
    assert (ours.solver, ours.alpha) == ("fgw", alpha)
    assert np.abs(ours.dense() - theirs).sum() < 1e-4
    assert ours.marginal_error < 1e-8


def ott_plan(c, c_xx, c_yy, alpha, epsilon, tau):
    """ott-jax's own solver, in its own units of alpha and epsilon."""
    import jax
    from ott.geometry import geometry
    from ott.problems.quadratic import quadratic_problem
    from ott.solvers.linear import sinkhorn
    from ott.solvers.quadratic import gromov_wasserstein

    with jax.enable_x64(True):
        quad = quadratic_problem.QuadraticProblem(
            *(geometry.Geometry(cost_matrix=jax.numpy.asarray(matrix)) for matrix in (c_xx, c_yy, c)),
            fused_penalty=(1 - alpha) / (2 * alpha), tau_a=tau[0], tau_b=tau[1], gw_unbalanced_correction=False,
        )  # fmt: skip
        solver = gromov_wasserstein.GromovWasserstein(
            sinkhorn.Sinkhorn(threshold=1e-11, max_iterations=100_000), epsilon=epsilon / (2 * alpha), threshold=1e-12,
            max_iterations=200, warm_start=False,
        )  # fmt: skip
        return np.asarray(solver(quad).matrix)


@pytest.mark.parametrize("tau", [(1.0, 1.0), (0.9, 0.9), (0.7, 1.0), (0.95, 0.5)])
@pytest.mark.parametrize("alpha", [0.3, 0.8])
def test_without_correction_agrees_with_ott(tau, alpha):
    c, c_xx, c_yy = problem(1, 10, 8)
    ours = bv.couplings.fgw(c, c_xx, c_yy, alpha=alpha, epsilon=0.5, tau=tau, correction="none", **TIGHT)
    theirs = ott_plan(c, c_xx, c_yy, alpha, 0.5, tau)
    assert ours.converged
    assert np.abs(ours.dense() - theirs).sum() < 1e-6 * max(1, theirs.sum())


@pytest.mark.parametrize("tau", [0.95, 0.7])
@pytest.mark.parametrize("epsilon", [0.2, 1.0])
def test_quadratic_correction_agrees_with_pot(tau, epsilon):
    """POT's weights multiply the whole KL(p x p | q x q), ours half of it."""
    c, c_xx, c_yy = problem(2, 9, 7)
    rho = epsilon * tau / (1 - tau)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, *_ = ot.gromov.fused_unbalanced_gromov_wasserstein(
            c_xx, c_yy, reg_marginals=rho / 2, epsilon=epsilon / 2, unbalanced_solver="sinkhorn_log", alpha=0, M=None,
            max_iter=3000, tol=1e-13, max_iter_ot=20_000, tol_ot=1e-13,
        )  # fmt: skip
    ours = bv.couplings.fgw(c, c_xx, c_yy, alpha=1.0, epsilon=epsilon, tau=(tau, tau), **TIGHT)
    assert ours.converged
    assert np.abs(ours.dense() - theirs).sum() < 1e-4
    assert ours.mass == pytest.approx(theirs.sum(), abs=1e-5)


def objective(p, c, c_xx, c_yy, alpha, epsilon, tau):
    """Eq. 3 with four nested sums, the fused cost not squared; halves as documented."""
    n, m = p.shape
    mass, mu, nu = p.sum(), np.full(n, 1 / n), np.full(m, 1 / m)
    gap = (c_xx[:, None, :, None] - c_yy[None, :, None, :]) ** 2
    total = alpha * np.einsum("ijkl,ij,kl", gap, p, p) + (1 - alpha) * mass * (c * p).sum()

    def product_divergence(q, r):
        return 2 * q.sum() * (xlogy(q, q) - q * np.log(r)).sum() - q.sum() ** 2 + r.sum() ** 2

    total += epsilon / 2 * product_divergence(p, mu[:, None] * nu)
    for marginal, required, t in ((p.sum(1), mu, tau[0]), (p.sum(0), nu, tau[1])):
        if t < 1:
            total += epsilon * t / (1 - t) / 2 * product_divergence(marginal, required)
    return total


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("tau", [(0.9, 0.9), (0.6, 0.95)])
def test_the_unbalanced_plan_is_a_stationary_point_of_equation_3(alpha, tau):
    c, c_xx, c_yy = problem(3, 6, 5)
    args = (c, c_xx, c_yy, alpha, 0.4, tau)
    ours = bv.couplings.fgw(c, c_xx, c_yy, alpha=max(alpha, 1e-9), epsilon=0.4, tau=tau, **TIGHT).dense()
    rng = np.random.default_rng(0)
    for _ in range(5):
        direction = rng.normal(size=ours.shape)
        up, down = (objective(ours * np.exp(sign * 1e-4 * direction), *args) for sign in (1, -1))
        slope = (up - down) / 2e-4
        assert abs(slope) < 1e-5
        wrong = objective(1.05 * ours * np.exp(0.1 * direction), *args) - objective(ours, *args)
        assert wrong > 1e-5


def test_alpha_zero_is_the_linear_problem():
    c, c_xx, c_yy = problem(4, 12, 9)
    for tau in ((1.0, 1.0), (0.8, 0.95)):
        linear = bv.couplings.linear(c, epsilon=0.1, tau=tau, tolerance=1e-11, max_iterations=100_000)
        fused = bv.couplings.fgw(c, c_xx, c_yy, alpha=0.0, epsilon=0.1, tau=tau, correction="none", **TIGHT)
        assert fused.converged
        assert np.abs(linear.dense() - fused.dense()).sum() < 1e-9


def test_squared_is_the_cost_squared():
    c, c_xx, c_yy = problem(5, 8, 8)
    squared = bv.couplings.fgw(c, c_xx, c_yy, alpha=0.4, epsilon=0.3, squared=True, **TIGHT)
    by_hand = bv.couplings.fgw(c**2, c_xx, c_yy, alpha=0.4, epsilon=0.3, scale_cost=1.0, **TIGHT)
    plain = bv.couplings.fgw(c, c_xx, c_yy, alpha=0.4, epsilon=0.3, **TIGHT)
    assert np.abs(squared.dense() - by_hand.dense()).sum() < 1e-9
    assert np.abs(squared.dense() - plain.dense()).sum() > 1e-2


@pytest.mark.parametrize("correction", ["quadratic", "none"])
@pytest.mark.parametrize("tau", [(1.0, 1.0), (0.95, 0.9), (0.6, 1.0)])
@pytest.mark.parametrize("matrices", [False, True])
def test_merged_equals_unmerged(tau, correction, matrices, spaces):
    x, y, _ = spaces(0, 24, 20, 3, 4, 1)
    x[16:], y[5:] = x[:8], y[np.arange(15) % 5]
    cost = bv.costs.bridge(x, y, [[0, 0], [3, 1], [5, 2], [17, 8]])
    c_xx, c_yy = Within(x), Within(y)
    if matrices:
        c_xx, c_yy = c_xx.dense(), c_yy.dense()
        c_xx, c_yy = c_xx[np.r_[:16, :8]][:, np.r_[:16, :8]], c_yy[np.arange(20) % 5][:, np.arange(20) % 5]
    options = {"alpha": 0.4, "epsilon": 0.2, "tau": tau, "correction": correction, **TIGHT}
    merged = bv.couplings.fgw(cost, c_xx, c_yy, **options)
    whole = bv.couplings.fgw(cost, c_xx, c_yy, merge=False, **options)
    assert merged.converged
    assert (merged.merged, whole.merged) == (True, False)
    assert merged.plan.shape == (16, 5)
    assert np.abs(merged.dense() - whole.dense()).sum() < 1e-10 * max(1, whole.mass)
    assert merged.mass == pytest.approx(whole.mass, rel=1e-10)


def test_rows_that_differ_in_a_given_matrix_are_not_merged(spaces):
    x, y, _ = spaces(0, 12, 10, 3, 4, 1)
    y[5:] = y[:5]
    cost = bv.costs.bridge(x, y, [[0, 0]])
    other = bv.costs.sqeuclidean(np.random.default_rng(0).normal(size=(10, 2)))
    plan = bv.couplings.fgw(cost, Within(x), other, epsilon=0.1)
    assert not plan.merged
    assert bv.couplings.fgw(cost, Within(x), Within(y), epsilon=0.1).merged


@given(seed=st.integers(0, 10**6), n=st.sampled_from([3, 14]), v=st.sampled_from([1, 4]))
def test_products_with_chords_are_products_with_the_matrix(seed, n, v):
    import jax

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) + 5
    for metric in ("sqeuclidean", "cosine"):
        within = Within(x, metric=metric)
        with jax.enable_x64(True):
            atoms = bv.costs.as_cost(np.zeros((n, n)), "test").source_atoms
            chords, matrix = within.on(atoms.rows, 2.0), Matrix(jax.numpy.asarray(within.dense() / 2))
            plan, mass = rng.random((n, v)), rng.random(n)
            np.testing.assert_allclose(chords.apply(plan), matrix.apply(plan), rtol=1e-8, atol=1e-10)
            np.testing.assert_allclose(chords.apply_square(mass), matrix.apply_square(mass), rtol=1e-7, atol=1e-10)


@given(seed=st.integers(0, 10**6), n=st.sampled_from([4, 9]), m=st.sampled_from([3, 8]))
def test_marginals_row_order_and_scale(seed, n, m):
    c, c_xx, c_yy = problem(seed, n, m)
    options = {"alpha": 0.4, "epsilon": 0.5, "tolerance": 1e-9, "max_iterations": 1000}
    plan = bv.couplings.fgw(c, c_xx, c_yy, **options)
    rows, columns = plan.marginals()
    np.testing.assert_allclose(rows, 1 / n, atol=1e-7)
    np.testing.assert_allclose(columns, 1 / m, atol=1e-7)
    rng = np.random.default_rng(seed)
    i, j = rng.permutation(n), rng.permutation(m)
    moved = bv.couplings.fgw(c[i][:, j], c_xx[i][:, i], c_yy[j][:, j], **options)
    np.testing.assert_allclose(moved.dense(), plan.dense()[i][:, j], atol=1e-7)
    units = bv.couplings.fgw(7 * c, 3 * c_xx, 0.2 * c_yy, **options)
    np.testing.assert_allclose(units.dense(), plan.dense(), atol=1e-7)


def test_the_advice_says_what_did_not_converge_and_what_to_try():
    c, c_xx, c_yy = problem(0, 20, 20)
    outer = bv.couplings.fgw(c, c_xx, c_yy, epsilon=0.05, max_iterations=2, max_inner=100_000, tolerance=1e-9)
    assert not outer.converged
    assert "The plan still changed by" in outer.advice
    assert "in step 2: try a larger epsilon (now 0.05), a smaller alpha or more Gromov steps." in outer.advice
    inner = bv.couplings.fgw(c, c_xx, c_yy, epsilon=0.002, max_iterations=3, max_inner=10)
    assert "Sinkhorn stopped after 10 iterations with a residual of" in inner.advice
    assert not inner.converged


def test_steps_are_reported_and_can_be_stopped():
    c, c_xx, c_yy = problem(0, 10, 10)
    steps = []
    plan = bv.couplings.fgw(c, c_xx, c_yy, epsilon=0.5, on_step=lambda step, change: steps.append((step, change)))
    assert [step for step, _ in steps] == list(range(1, plan.iterations + 1))
    assert steps[-1][1] <= 1e-6 < steps[0][1]

    def stop(step, change):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bv.couplings.fgw(c, c_xx, c_yy, epsilon=0.5, on_step=stop)


def test_costs_that_do_not_fit_are_refused():
    c, c_xx, c_yy = problem(0, 5, 4)
    with pytest.raises(bv.InputError, match=r"'c_yy' of fgw\(\) must be a matrix with 4 columns"):
        bv.couplings.fgw(c, c_xx, c_xx)
    with pytest.raises(bv.InputError, match=r"'c_xx' of fgw\(\) must be of shape \(5, 5\), as the cost has it"):
        bv.couplings.fgw(c, Within(np.eye(4)), c_yy)
    with pytest.raises(bv.InputError, match="a symmetric matrix"):
        bv.couplings.fgw(c, np.arange(25.0).reshape(5, 5), c_yy)
    with pytest.raises(bv.InputError, match=r"'alpha' of fgw\(\) must be a float in \[0, 1\]"):
        bv.couplings.fgw(c, c_xx, c_yy, alpha=1.5)
    with pytest.raises(bv.InputError, match="'quadratic', 'none'"):
        bv.couplings.fgw(c, c_xx, c_yy, correction="both")


def test_a_plan_that_leaves_everything_out_says_so():
    c, c_xx, c_yy = problem(0, 15, 12)
    plan = bv.couplings.fgw(c, c_xx, c_yy, epsilon=1e-3, tau=(0.5, 0.5))
    assert plan.mass == 0
    assert not plan.converged
    assert "it costs less to leave every point out than to move it. Try a larger tau or epsilon." in plan.advice
    assert bv.metrics.excluded_ratio(plan) == 1
    assert bv.metrics.matching_accuracy(plan, np.arange(15) % 3, np.arange(12) % 3) == 0
    for draw in (lambda: plan.sample(0, 5), plan.sampler):
        with pytest.raises(bv.InputError, match="a coupling with mass"):
            draw()
