"""Weights of rows through every solver: against POT, ott-jax and scaling in NumPy, and against repeated rows."""

from __future__ import annotations

import doctest
import warnings
from pathlib import Path

import jax
import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bridgeviz as bv
from bridgeviz.costs import Within, as_cost

TIGHT = {"tolerance": 1e-11, "max_iterations": 100_000}
FUSED = {"tolerance": 1e-10, "max_iterations": 3_000, "max_inner": 100_000}


def instance(seed: int, n: int = 9, m: int = 7):
    """A cost, and weights of both sides that sum to one. Most are of one size, which is compiled once."""
    rng = np.random.default_rng(seed)
    a, b = rng.random(n) + 0.05, rng.random(m) + 0.05
    return rng.random((n, m)), a / a.sum(), b / b.sum()


def spaces(seed: int, n: int = 9, m: int = 7):
    """The costs within two spaces."""
    rng = np.random.default_rng(seed)
    return bv.costs.sqeuclidean(rng.normal(size=(n, 3))), bv.costs.sqeuclidean(rng.normal(size=(m, 2)))


def scaling(cost, a, b, epsilon, tau, iterations=20_000):
    """Eq. 1 with weights by scaling iterations: the entropy's reference is the counting measure."""
    k = np.exp(-cost / epsilon)
    u, v = np.ones(len(a)), np.ones(len(b))
    for _ in range(iterations):
        old = u
        u = (a / (k @ v)) ** tau[0]
        v = (b / (k.T @ u)) ** tau[1]
        if np.abs(u - old).max() <= 1e-15 * np.abs(u).max():
            break
    return u[:, None] * k * v


def by_hand(cost, a, b):
    """A cost divided by its mean over the product of the weights, as the couplings divide it."""
    return cost / (a @ cost @ b)


# Linear ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [0.05, 0.5])
def test_linear_agrees_with_pot(epsilon):
    cost, a, b = instance(0)
    ours = bv.couplings.linear(cost, epsilon=epsilon, weights=(a, b), **TIGHT)
    theirs = ot.sinkhorn(
        a, b, by_hand(cost, a, b), epsilon, method="sinkhorn_log", stopThr=1e-11, numItermax=100_000
    )  # fmt: skip
    assert ours.converged
    assert np.abs(ours.dense() - theirs).sum() < 1e-6
    assert ours.marginal_error < 1e-8
    np.testing.assert_allclose(ours.marginals()[0], a, atol=1e-9)
    np.testing.assert_allclose(ours.marginals()[1], b, atol=1e-9)


def test_linear_becomes_the_exact_plan_of_pot():
    cost, a, b = instance(1)
    exact = ot.emd(a, b, cost)
    ours = bv.couplings.linear(cost, epsilon=5e-4, weights=(a, b), tolerance=1e-9, max_iterations=100_000)
    assert np.abs(ours.dense() - exact).sum() < 2e-3
    assert -1e-9 < (ours.dense() * cost).sum() - (exact * cost).sum() < 1e-5


@pytest.mark.parametrize("tau", [(0.8, 0.9), (1.0, 0.6)])
def test_unbalanced_agrees_with_scaling_and_with_ott(tau):
    from ott.geometry import geometry
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn

    cost, a, b = instance(2)
    ours = bv.couplings.linear(cost, epsilon=0.2, tau=tau, weights=(a, b), **TIGHT)
    scaled = by_hand(cost, a, b)
    with jax.enable_x64(True):
        geom = geometry.Geometry(cost_matrix=jax.numpy.asarray(scaled), epsilon=0.2)
        problem = linear_problem.LinearProblem(geom, a=a, b=b, tau_a=tau[0], tau_b=tau[1])
        theirs = np.asarray(sinkhorn.Sinkhorn(threshold=1e-11, max_iterations=100_000)(problem).matrix)
    assert np.abs(ours.dense() - theirs).sum() < 1e-8
    assert np.abs(ours.dense() - scaling(scaled, a, b, 0.2, tau)).sum() < 1e-8


def test_unbalanced_agrees_with_pot():
    cost, a, b = instance(3)
    tau, epsilon = (0.8, 0.9), 0.3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reg_m = tuple(epsilon * t / (1 - t) for t in tau)
        theirs = ot.unbalanced.sinkhorn_unbalanced(
            a, b, by_hand(cost, a, b), epsilon, reg_m, method="sinkhorn", reg_type="entropy", numItermax=20_000,
            stopThr=1e-14,
        )  # fmt: skip
    ours = bv.couplings.linear(cost, epsilon=epsilon, tau=tau, weights=(a, b), **TIGHT)
    assert np.abs(ours.dense() - theirs).sum() < 1e-6


@pytest.mark.parametrize("tau", [(1.0, 1.0), (0.95, 0.95), (0.5, 0.99)])
def test_merging_weighted_rows_is_exact(tau):
    """The shift is the effective number of an atom's rows, and they share its mass by `weights ** tau`."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 3)), rng.normal(size=(20, 4))
    x[16:], y[5:] = x[:8], y[np.arange(15) % 5]
    a, b = rng.exponential(size=24), rng.exponential(size=20)
    a[[2, 17, 18]] = 0  # 2 and 18 are the two rows of an atom
    cost = bv.costs.bridge(x, y, [[0, 0], [3, 1], [5, 2], [17, 8]]).weighted(a, b)
    merged = bv.couplings.linear(cost, epsilon=0.1, tau=tau, **TIGHT)
    whole = bv.couplings.linear(cost, epsilon=0.1, tau=tau, merge=False, **TIGHT)
    assert (merged.plan.shape, whole.plan.shape) == ((16, 5), (24, 20))
    assert np.abs(merged.dense() - whole.dense()).sum() < 1e-10
    used = a > 0
    by_scaling = scaling(
        by_hand(cost.dense(), a / a.sum(), b / b.sum())[used], (a / a.sum())[used], b / b.sum(), 0.1, tau
    )
    assert np.abs(merged.dense()[used] - by_scaling).sum() < 1e-8
    for ours, theirs in zip(merged.marginals(), whole.marginals(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-10)
    np.testing.assert_allclose(merged.sparse()[0].toarray(), whole.dense(), atol=1e-9)
    np.testing.assert_allclose(merged.block([3, 17], [4, 9]), whole.block([3, 17], [4, 9]), atol=1e-10)
    np.testing.assert_allclose(merged.row(20), whole.row(20), atol=1e-9)
    assert not merged.row(17).any()


@given(seed=st.integers(0, 10**6), tau=st.sampled_from([(1.0, 1.0), (0.8, 0.9)]))
@settings(max_examples=10)
def test_properties(seed, tau):
    """Row order, the size of the weights, rows of weight zero and even weights."""
    rng = np.random.default_rng(seed)
    cost, a, b = instance(seed)
    options = {"epsilon": 0.2, "tau": tau, "tolerance": 1e-10, "max_iterations": 100_000}
    plan = bv.couplings.linear(cost, weights=(a, b), **options).dense()
    i, j = rng.permutation(9), rng.permutation(7)
    moved = bv.couplings.linear(cost[np.ix_(i, j)], weights=(a[i], b[j]), **options)
    np.testing.assert_allclose(moved.dense(), plan[np.ix_(i, j)], atol=1e-8)
    large = bv.couplings.linear(cost, weights=(1e200 * a, 37 * b), **options)
    np.testing.assert_allclose(large.dense(), plan, atol=1e-8)
    more = np.vstack([cost[:2], 100 * rng.random((1, 7)), cost[2:]])
    with_nothing = bv.couplings.linear(more, weights=(np.insert(a, 2, 0.0), b), **options).dense()
    assert not with_nothing[2].any()
    np.testing.assert_allclose(np.delete(with_nothing, 2, 0), plan, atol=1e-8)
    even = bv.couplings.linear(cost, weights=(np.full(9, 3.0), None), **options)
    np.testing.assert_array_equal(even.dense(), bv.couplings.linear(cost, **options).dense())


@pytest.mark.parametrize("tau", [(1.0, 1.0), (0.8, 0.9)])
def test_whole_weights_are_repeated_rows(tau):
    """Exactly if the problem is balanced; if not, repeated rows have more of the entropy's reference measure."""
    cost, _, _ = instance(4, 5, 4)
    a, b = np.array([1, 3, 2, 1, 4]), np.array([2, 1, 1, 5])
    rows, columns = np.repeat(np.arange(5), a), np.repeat(np.arange(4), b)
    repeated = bv.couplings.linear(cost[np.ix_(rows, columns)], epsilon=0.2, tau=tau, **TIGHT).dense()
    sums = np.zeros((5, 4))
    np.add.at(sums, (rows[:, None], columns), repeated)
    weighted = bv.couplings.linear(cost, epsilon=0.2, tau=tau, weights=(a, b), **TIGHT).dense()
    same = np.abs(weighted - sums).sum() < 1e-9
    assert same == (tau == (1.0, 1.0))
    shifted = by_hand(cost, a / 11, b / 9) - 0.2 * np.log(a)[:, None] - 0.2 * np.log(b)
    shifted = bv.couplings.linear(shifted, epsilon=0.2, tau=tau, weights=(a, b), scale_cost=1.0, **TIGHT).dense()
    np.testing.assert_allclose(shifted, sums, atol=1e-9)


# Fused Gromov-Wasserstein ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_fgw_agrees_with_pot(alpha):
    (cost, a, b), (c_xx, c_yy) = instance(5), spaces(5)
    scaled = [by_hand(cost, a, b), by_hand(c_xx, a, a), by_hand(c_yy, b, b)]
    theirs = ot.gromov.entropic_fused_gromov_wasserstein(
        *scaled, a, b, epsilon=0.5, alpha=alpha, symmetric=True, max_iter=3000, tol=1e-11, solver="PGD",
        numItermax=100_000, stopThr=1e-12,
    )  # fmt: skip
    ours = bv.couplings.fgw(cost, c_xx, c_yy, alpha=alpha, epsilon=0.5, weights=(a, b), **FUSED)
    assert ours.converged
    assert np.abs(ours.dense() - theirs).sum() < 1e-4
    np.testing.assert_allclose(ours.marginals()[0], a, atol=1e-8)


@pytest.mark.parametrize("tau", [(0.8, 0.9)])
def test_fgw_without_correction_agrees_with_ott(tau):
    from ott.geometry import geometry
    from ott.problems.quadratic import quadratic_problem
    from ott.solvers.linear import sinkhorn
    from ott.solvers.quadratic import gromov_wasserstein

    (cost, a, b), (c_xx, c_yy), alpha = instance(6), spaces(6), 0.4
    ours = bv.couplings.fgw(
        cost, c_xx, c_yy, alpha=alpha, epsilon=0.5, tau=tau, weights=(a, b), correction="none", **FUSED
    )
    with jax.enable_x64(True):
        scaled = (by_hand(c_xx, a, a), by_hand(c_yy, b, b), by_hand(cost, a, b))
        quad = quadratic_problem.QuadraticProblem(
            *(geometry.Geometry(cost_matrix=jax.numpy.asarray(matrix)) for matrix in scaled), a=a, b=b,
            fused_penalty=(1 - alpha) / (2 * alpha), tau_a=tau[0], tau_b=tau[1], gw_unbalanced_correction=False,
        )  # fmt: skip
        solver = gromov_wasserstein.GromovWasserstein(
            sinkhorn.Sinkhorn(threshold=1e-11, max_iterations=100_000), epsilon=0.5 / (2 * alpha), threshold=1e-12,
            max_iterations=200, warm_start=False,
        )  # fmt: skip
        theirs = np.asarray(solver(quad).matrix)
    assert ours.converged
    assert np.abs(ours.dense() - theirs).sum() < 1e-6 * max(1, theirs.sum())


@pytest.mark.parametrize(("tau", "correction"), [((1.0, 1.0), "none"), ((0.8, 0.9), "none"), ((0.8, 0.9), "quadratic")])
def test_fgw_on_merged_rows_is_exact(tau, correction):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(18, 3)), rng.normal(size=(12, 4))
    x[12:], y[4:] = x[:6], y[np.arange(8) % 4]
    a, b = rng.exponential(size=18), rng.exponential(size=12)
    a[[1, 13]] = 0
    cost = bv.costs.bridge(x, y, [[0, 0], [3, 1], [5, 2]]).weighted(a, b)
    options = {"alpha": 0.4, "epsilon": 0.3, "tau": tau, "correction": correction, **FUSED}
    merged = bv.couplings.fgw(cost, Within(x), Within(y), **options)
    whole = bv.couplings.fgw(cost, Within(x), Within(y), merge=False, **options)
    assert merged.plan.shape == (12, 4)
    assert merged.converged
    assert np.abs(merged.dense() - whole.dense()).sum() < 1e-9
    if tau != (1.0, 1.0):
        return
    used = a > 0  # rows without weight change nothing
    less = bv.couplings.fgw(cost.dense()[used], Within(x[used]), Within(y), weights=(a[used], b), **options)
    assert np.abs(whole.dense()[used] - less.dense()).sum() < 1e-7


def test_whole_weights_are_repeated_rows_for_fgw():
    """Balanced, and with the quadratic correction also unbalanced: the entropy's reference is mu x nu."""
    rng = np.random.default_rng(1)
    x, y, cost = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.random((5, 4))
    a, b = np.array([1, 3, 2, 1, 2]), np.array([2, 1, 1, 3])
    rows, columns = np.repeat(np.arange(5), a), np.repeat(np.arange(4), b)
    for tau in ((1.0, 1.0), (0.8, 0.9)):
        options = {"alpha": 0.4, "epsilon": 0.4, "tau": tau, **FUSED}
        repeated = bv.couplings.fgw(cost[np.ix_(rows, columns)], Within(x[rows]), Within(y[columns]), **options)
        sums = np.zeros((5, 4))
        np.add.at(sums, (rows[:, None], columns), repeated.dense())
        weighted = bv.couplings.fgw(cost, Within(x), Within(y), weights=(a, b), **options)
        np.testing.assert_allclose(weighted.dense(), sums, atol=1e-8)


def test_gromov_wasserstein_without_a_cost_takes_weights():
    (_, a, b), (c_xx, c_yy) = instance(7, 6, 5), spaces(7, 6, 5)
    with pytest.raises(bv.InputError, match="'cost' of fgw"):
        bv.couplings.fgw(None, c_xx, c_yy, alpha=0.5, weights=(a, b))
    x = np.random.default_rng(0).normal(size=(6, 2))
    plan = bv.couplings.fgw(None, Within(x), Within(x[:5]), alpha=1.0, epsilon=0.5, weights=(a, b))
    np.testing.assert_allclose(plan.marginals()[0], a, atol=1e-3)


# Local, true, and drawing ---------------------------------------------------------------------------------------------


def test_batches_are_drawn_by_the_weights():
    cost, a, b = instance(8, 12, 9)
    a[3], b[2] = 0, 0
    plan = bv.couplings.local(cost, epsilon=1.0, weights=(a, b), batch_size=64, max_iterations=300)
    i, j = plan.sample(0, 20_000)
    for rows, share in ((i, a / a.sum()), (j, b / b.sum())):
        counts = np.bincount(rows, minlength=len(share))
        assert (counts[share == 0] == 0).all()
        np.testing.assert_allclose(counts / len(rows), share, atol=0.015)
    assert plan.converged
    even = bv.couplings.local(cost, epsilon=1.0, weights=(np.ones(12), np.ones(9)), batch_size=64)
    np.testing.assert_array_equal(
        even.sample(3, 200), bv.couplings.local(cost, epsilon=1.0, batch_size=64).sample(3, 200)
    )


def test_pairs_have_the_weight_of_their_source_row():
    plan = bv.couplings.true([[0, 1], [2, 0], [2, 1], [1, 2]], shape=(4, 3), weights=([2, 1, 1, 9], [1, 5, 0]))
    np.testing.assert_allclose(plan.dense(), [[0, 0.5, 0], [0, 0, 0], [0.25, 0.25, 0], [0, 0, 0]])
    with pytest.raises(bv.InputError, match="positive for both rows of at least one pair"):
        bv.couplings.true([[0, 1]], shape=(2, 2), weights=([0, 1], None))


@pytest.mark.parametrize("exact", [True, False])
def test_draws_follow_the_plan_within_atoms(exact):
    """Also rows that only the metric takes for equal, which are told apart by draws."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 2)), rng.normal(size=(8, 2))
    x[6:], y[4:] = x[:3] * (1 if exact else 2), y[:4] * (1 if exact else 3)
    a, b = rng.exponential(size=9), rng.exponential(size=8)
    a[6], b[1], b[[2, 6]] = 0, 0, 0
    cost = bv.costs.bridge(x, y, [[0, 0], [4, 3]]).weighted(a, b)
    plan = bv.couplings.linear(cost, epsilon=0.5, tau=(0.7, 0.9))
    assert plan.plan.shape == (6, 4)
    share = plan.dense() / plan.mass
    drawn = [plan.sample(1, 40_000)]
    if not exact:
        drawn.append(tuple(np.asarray(side) for side in plan.sampler().draw(jax.random.key(0), 40_000)))
    for i, j in drawn:
        counts = np.zeros((9, 8))
        np.add.at(counts, (i, j), 1 / len(i))
        assert (counts[share == 0] == 0).all()
        np.testing.assert_allclose(counts, share, atol=0.01)


def test_the_masses_to_learn_are_relative_to_the_weights():
    """Eq. 4: eta(x) is the mass of x over its weight, on rows that are drawn by their weights."""
    cost, a, b = instance(9, 7, 6)
    a[2] = 0
    plan = bv.couplings.linear(cost, epsilon=0.3, tau=(0.7, 0.8), weights=(a, b))
    _, _, masses = plan.sampler().draw_with_masses(jax.random.key(0), 20_000)
    a = a / a.sum()
    counts = np.bincount(np.asarray(masses.i), minlength=7) / 20_000
    np.testing.assert_allclose(counts, a, atol=0.015)
    eta = plan.marginals()[0][np.asarray(masses.i)] / a[np.asarray(masses.i)]
    np.testing.assert_allclose(masses.eta, eta, rtol=1e-5)
    assert np.mean(masses.eta) == pytest.approx(plan.mass, rel=0.02)


def test_rows_with_mass_weighs_rows():
    labels = np.array(["a", "a", "b", "b"])
    weights = np.array([1.0, 2.0, 4.0, 1.0])
    plan = bv.couplings.true([[0, 0], [2, 1]], shape=(4, 4), weights=(weights, None))
    rows = bv.metrics.rows_with_mass(plan, labels, labels)
    assert rows.source == pytest.approx(5 / 8)
    np.testing.assert_allclose(rows.source_groups, [1 / 3, 4 / 5])
    assert rows.agreement == pytest.approx(1 / 8)
    assert bv.metrics.matching_accuracy(plan, labels, labels) == pytest.approx(1 / 5)
    whole = bv.couplings.linear(np.ones((4, 4)), epsilon=1.0, weights=(weights, None))
    exact = bv.metrics.rows_with_mass(whole, labels, labels)
    assert exact.source == exact.target == 1
    local = bv.couplings.local(np.ones((4, 4)), epsilon=1.0, weights=(weights, None), batch_size=64)
    estimate = bv.metrics.rows_with_mass(local, labels, labels)
    assert estimate.source == pytest.approx(1, abs=1e-6)
    assert estimate.agreement == pytest.approx(exact.agreement, abs=0.02)


# What is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (([1, -1, 1], None), "'source weights' of linear.. must be nowhere negative. Got -1 at row 1"),
        (([0, 0, 0], None), "positive for at least one row"),
        ((None, [1, np.nan]), "'target weights' of linear.. must be finite everywhere"),
        ((None, [1, np.inf]), "finite everywhere"),
        (([1, 1], None), "a vector of length 3"),
        (([[1], [1], [1]], None), "a vector of length 3"),
        ((["a", "b", "c"], None), "real vector"),
        ([1, 1, 1], "'weights' of linear.. must be a pair"),
        (3, "'weights' of linear.. must be a pair"),
    ],
)
def test_wrong_weights_are_refused(weights, message):
    with pytest.raises(bv.InputError, match=message):
        bv.couplings.linear(np.ones((3, 2)), weights=weights)


def test_a_solver_that_does_not_read_weights_says_so():
    class Other(bv.couplings.SolverOptions):
        name = "other"

        def steps(self, cost, within=None):
            raise AssertionError

    problem = bv.Problem(bv.Space(np.eye(3), weights=[1, 2, 3]), bv.Space(np.eye(3)))
    cost = as_cost(np.ones((3, 3)), "test")
    with pytest.raises(bv.InputError, match="The solver 'other' does not read weights"):
        bv.couplings.Global(solver=Other()).couple(problem, bv.Pairs([[0, 0]], shape=(3, 3)), cost)


def test_the_document_runs():
    page = Path(__file__).parents[2] / "docs" / "weights.md"
    tried = doctest.testfile(str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert (tried.failed, tried.attempted) == (0, 7)
