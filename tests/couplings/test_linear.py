"""Entropic optimal transport against POT, against plain scaling iterations in NumPy, and against itself merged."""

from __future__ import annotations

import itertools

import numpy as np
import ot
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import bridgeviz as bv

TIGHT = {"tolerance": 1e-11, "max_iterations": 100_000}


def matrix(seed: int, n: int, m: int) -> np.ndarray:
    return np.random.default_rng(seed).random((n, m))


def unbalanced_by_scaling(cost, epsilon, tau, iterations=20_000):
    """Eq. 1 by scaling iterations (Chizat et al. 2018): u = (mu / Kv)^tau_x, v = (nu / K^T u)^tau_y.

    K = exp(-C / epsilon), so the entropy's reference is the counting measure, and tau = lambda / (lambda + epsilon).
    """
    n, m = cost.shape
    k = np.exp(-cost / epsilon)
    u, v = np.ones(n), np.ones(m)
    for _ in range(iterations):
        old = u
        u = (1 / n / (k @ v)) ** tau[0]
        v = (1 / m / (k.T @ u)) ** tau[1]
        if np.abs(np.log(u / old)).max() < 1e-14:
            break
    return u[:, None] * k * v


@pytest.mark.parametrize(("n", "m"), [(3, 2), (7, 5), (5, 30), (40, 40)])
@pytest.mark.parametrize("epsilon", [0.03, 0.2, 2.0])
def test_balanced_agrees_with_pot(n, m, epsilon):
    cost = matrix(n * m, n, m)
    ours = bv.couplings.linear(cost, epsilon=epsilon, tolerance=1e-9, max_iterations=100_000)
    theirs = ot.sinkhorn(
        np.full(n, 1 / n), np.full(m, 1 / m), cost / cost.mean(), epsilon, method="sinkhorn_log", stopThr=1e-10,
        numItermax=100_000,
    )  # fmt: skip
    assert ours.converged
    assert ours.advice == ""
    assert ours.dense().dtype == np.float64
    assert np.abs(ours.dense() - theirs).sum() < 1e-6
    assert ours.marginal_error < 1e-8


def test_falling_epsilon_approaches_the_exact_cost():
    cost = matrix(1, 20, 15)
    scaled = cost / cost.mean()
    exact = (ot.emd(np.full(20, 1 / 20), np.full(15, 1 / 15), scaled) * scaled).sum()
    gaps = []
    for epsilon in (1.0, 0.1, 0.01, 0.002):
        plan = bv.couplings.linear(cost, epsilon=epsilon, tolerance=1e-6, max_iterations=100_000)
        gaps.append((plan.dense() * scaled).sum() - exact)
    assert all(later < earlier for earlier, later in itertools.pairwise(gaps))
    assert -1e-6 < gaps[-1] < 2e-3


@pytest.mark.parametrize(("n", "m"), [(3, 2), (5, 7), (9, 4), (8, 11)])
def test_the_plan_itself_becomes_the_exact_one(n, m):
    """Sizes without a common factor: the exact plan is a vertex, and the entropic one exponentially close to it."""
    cost = matrix(n * m, n, m)
    exact = ot.emd(np.full(n, 1 / n), np.full(m, 1 / m), cost / cost.mean())
    gaps = []
    for epsilon in (0.1, 0.01, 0.001):
        plan = bv.couplings.linear(cost, epsilon=epsilon, tolerance=1e-9, max_iterations=100_000)
        assert plan.converged
        gaps.append(np.abs(plan.dense() - exact).sum())
    assert gaps[0] > 1e-2
    assert all(later <= earlier + 1e-8 for earlier, later in itertools.pairwise(gaps))
    assert gaps[-1] < 1e-6


@pytest.mark.parametrize("tau", [(0.95, 0.95), (0.5, 0.9), (1.0, 0.7), (0.99, 1.0)])
@pytest.mark.parametrize("epsilon", [0.1, 1.0])
def test_unbalanced_agrees_with_scaling_in_numpy(tau, epsilon):
    cost = matrix(3, 12, 9)
    ours = bv.couplings.linear(cost, epsilon=epsilon, tau=tau, **TIGHT)
    theirs = unbalanced_by_scaling(cost / cost.mean(), epsilon, tau)
    assert ours.converged
    assert np.abs(ours.dense() - theirs).sum() < 1e-8
    assert ours.mass == pytest.approx(theirs.sum(), abs=1e-8)


@pytest.mark.parametrize("tau", [0.9, 0.5])
def test_unbalanced_agrees_with_pot(tau):
    """POT's convention: reg_m = lambda = epsilon tau / (1 - tau), reg_type "entropy" for the counting measure."""
    n, m, epsilon = 10, 14, 0.3
    cost = matrix(5, n, m)
    reg_m = epsilon * tau / (1 - tau)
    with pytest.warns(UserWarning, match="overwritten by the one matrix"):  # as intended
        theirs = ot.unbalanced.sinkhorn_unbalanced(
            np.full(n, 1 / n), np.full(m, 1 / m), cost / cost.mean(), epsilon, reg_m, method="sinkhorn",
            reg_type="entropy", numItermax=20_000, stopThr=1e-14,
        )  # fmt: skip
    ours = bv.couplings.linear(cost, epsilon=epsilon, tau=(tau, tau), **TIGHT)
    assert np.abs(ours.dense() - theirs).sum() < 1e-6


@pytest.mark.parametrize("tau", [(1.0, 1.0), (0.95, 0.95), (0.6, 0.99)])
@pytest.mark.parametrize("build", [bv.costs.bridge, bv.costs.diffusion_bridge])
def test_merged_equals_unmerged(tau, build, spaces):
    x, y, _ = spaces(0, 24, 20, 3, 4, 1)
    x[16:], y[5:] = x[:8], y[np.arange(15) % 5]
    cost = build(x, y, [[0, 0], [3, 1], [5, 2], [17, 8]], **({} if build is bv.costs.bridge else {"k": 4}))
    assert cost.atom_shape == (16, 5)
    merged = bv.couplings.linear(cost, epsilon=0.1, tau=tau, **TIGHT)
    whole = bv.couplings.linear(cost, epsilon=0.1, tau=tau, merge=False, **TIGHT)
    assert merged.merged
    assert not whole.merged
    assert merged.plan.shape == (16, 5)
    assert np.abs(merged.dense() - whole.dense()).sum() < 1e-10
    assert merged.mass == pytest.approx(whole.mass, abs=1e-10)
    for ours, theirs in zip(merged.marginals(), whole.marginals(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)
    plain = bv.couplings.linear(cost.dense(), epsilon=0.1, tau=tau, **TIGHT)
    assert np.abs(plain.dense() - whole.dense()).sum() < 1e-10


@given(seed=st.integers(0, 10**6), n=st.sampled_from([3, 8]), m=st.sampled_from([2, 9]), epsilon=st.floats(0.05, 5))
def test_marginals_mass_and_row_order(seed, n, m, epsilon):
    cost = matrix(seed, n, m)
    plan = bv.couplings.linear(cost, epsilon=epsilon, tolerance=1e-9)
    rows, columns = plan.marginals()
    np.testing.assert_allclose(rows, 1 / n, atol=1e-8)
    np.testing.assert_allclose(columns, 1 / m, atol=1e-8)
    np.testing.assert_allclose(plan.dense().sum(1), rows, atol=1e-12)
    np.testing.assert_allclose(plan.dense().sum(0), columns, atol=1e-12)
    assert plan.mass == pytest.approx(1, abs=1e-8)
    assert plan.dense().min() >= 0
    rng = np.random.default_rng(seed)
    i, j = rng.permutation(n), rng.permutation(m)
    again = bv.couplings.linear(cost[np.ix_(i, j)], epsilon=epsilon, tolerance=1e-9)
    np.testing.assert_allclose(again.dense(), plan.dense()[np.ix_(i, j)], atol=1e-7)


def test_the_cost_is_divided_by_its_mean_unless_a_scale_is_given():
    cost = matrix(0, 6, 6)
    plain = bv.couplings.linear(cost, epsilon=0.1, **TIGHT).dense()
    np.testing.assert_allclose(bv.couplings.linear(37 * cost, epsilon=0.1, **TIGHT).dense(), plain, atol=1e-9)
    unscaled = bv.couplings.linear(cost, epsilon=0.1, scale_cost=1.0, **TIGHT).dense()
    theirs = ot.sinkhorn(np.full(6, 1 / 6), np.full(6, 1 / 6), cost, 0.1, method="sinkhorn_log", stopThr=1e-12)
    assert np.abs(unscaled - theirs).sum() < 1e-6
    assert np.abs(unscaled - plain).sum() > 1e-2
    by_mean = bv.couplings.linear(cost, epsilon=0.1, scale_cost=cost.mean(), **TIGHT).dense()
    np.testing.assert_allclose(by_mean, plain, atol=1e-9)


def test_the_mean_is_over_rows_and_not_over_atoms(spaces):
    x, y, _ = spaces(0, 12, 10, 3, 4, 1)
    x[3:] = x[0]
    cost = bv.costs.bridge(x, y, [[0, 0], [1, 1]])
    merged = bv.couplings.linear(cost, epsilon=0.1, **TIGHT).dense()
    np.testing.assert_allclose(bv.couplings.linear(cost.dense(), epsilon=0.1, **TIGHT).dense(), merged, atol=1e-9)


def test_epsilon_none_takes_the_costs_own():
    from dataclasses import replace

    cost = replace(bv.costs.as_cost(matrix(0, 5, 5), "test"), default_epsilon=0.37)
    plan = bv.couplings.linear(cost, **TIGHT)
    assert plan.epsilon == 0.37
    np.testing.assert_allclose(plan.dense(), bv.couplings.linear(cost, epsilon=0.37, **TIGHT).dense(), atol=1e-12)
    assert bv.couplings.local(cost).epsilon == 0.37
    assert bv.costs.bridge(np.eye(3), np.eye(3), [[0, 0]]).default_epsilon == 5e-3


@pytest.mark.parametrize("tau", [(1.0, 1.0), (0.999, 0.999)])
def test_an_unconverged_plan_says_so(tau):
    plan = bv.couplings.linear(matrix(0, 30, 30), epsilon=2e-3, tau=tau, tolerance=1e-8, max_iterations=10)
    assert plan.converged is False
    assert plan.marginal_error > 1e-8
    assert "more Sinkhorn iterations" in plan.advice
    assert "larger epsilon" in plan.advice
    assert plan.iterations <= 10


def test_the_marginal_error_is_the_plans(spaces):
    x, y, pairs = spaces(1, 30, 30, 4, 4, 5)
    plan = bv.couplings.linear(bv.costs.bridge(x, y, pairs), epsilon=0.05, max_iterations=20, tolerance=1e-9)
    rows, columns = plan.dense().sum(1), plan.dense().sum(0)
    assert plan.marginal_error == pytest.approx(np.abs(rows - 1 / 30).sum() + np.abs(columns - 1 / 30).sum(), rel=1e-6)


def test_a_cost_of_zeros_gives_the_independent_plan():
    np.testing.assert_allclose(bv.couplings.linear(np.zeros((3, 4)), epsilon=0.1).dense(), 1 / 12)


@example(seed=1, exponent=-61.0, tau=(1.0, 1.0))  # no curvature at all
@example(seed=1, exponent=-18.0, tau=(1.0, 1.0))  # some in other directions than that of the step
@given(
    seed=st.integers(0, 20), exponent=st.floats(-300, 300), tau=st.sampled_from([(1.0, 1.0), (0.5, 0.5), (1.0, 0.3)])
)
def test_converged_is_never_said_of_a_plan_that_is_not_finite_and_right(seed, exponent, tau):
    cost = np.random.default_rng(seed).random((6, 5))
    plan = bv.couplings.linear(cost, epsilon=10.0**exponent, tau=tau, max_iterations=200)
    assert np.isfinite(plan.plan).all()
    assert plan.converged or plan.advice
    if plan.converged:
        assert plan.mass > 0
        rows, columns = plan.marginals()
        if tau[0] == 1:
            np.testing.assert_allclose(rows, 1 / 6, atol=2e-3)
        if tau[1] == 1:
            np.testing.assert_allclose(columns, 1 / 5, atol=2e-3)
    else:
        assert "Try" in plan.advice or "try" in plan.advice
