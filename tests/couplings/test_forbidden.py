"""Forbidden matches through every solver: no mass goes there, and the rest is the plan of a prohibitive cost."""

from __future__ import annotations

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bridgeviz as bv
from bridgeviz.costs import Forbidden, Lookup, Within, as_cost

TIGHT = {"tolerance": 1e-10, "max_iterations": 100_000}


def instance(seed: int, n: int = 9, m: int = 7, share: float = 0.3):
    """A cost and a mask that leaves a balanced plan: a diagonal band is permitted."""
    rng = np.random.default_rng(seed)
    mask = rng.random((n, m)) < share
    mask[np.abs(np.arange(n)[:, None] / n - np.arange(m) / m) < 0.2] = False
    return rng.random((n, m)), mask


def test_linear_agrees_with_pot_at_a_prohibitive_cost():
    cost, mask = instance(0)
    plan = bv.couplings.linear(as_cost(cost, "test").forbid(mask), epsilon=0.1, **TIGHT)
    scaled = np.where(mask, 1e3, cost / cost[~mask].mean())
    theirs = ot.sinkhorn(
        np.full(9, 1 / 9), np.full(7, 1 / 7), scaled, 0.1, method="sinkhorn_log", stopThr=1e-11, numItermax=100_000
    )  # fmt: skip
    assert plan.converged
    assert (plan.dense()[mask] == 0).all()
    assert np.abs(plan.dense() - theirs).sum() < 1e-6
    exact = ot.emd(np.full(9, 1 / 9), np.full(7, 1 / 7), scaled)
    sharp = bv.couplings.linear(as_cost(cost, "test").forbid(mask), epsilon=1e-3, **TIGHT)
    assert (sharp.dense() * np.where(mask, 0, scaled)).sum() < 1.02 * (exact * scaled).sum()


def test_unbalanced_agrees_with_pot_at_a_prohibitive_cost():
    cost, mask = instance(1, share=0.6)
    tau, epsilon = 0.8, 0.3
    scaled = np.where(mask, 300.0, cost / cost[~mask].mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = ot.unbalanced.sinkhorn_unbalanced(
            np.full(9, 1 / 9), np.full(7, 1 / 7), scaled, epsilon, epsilon * tau / (1 - tau), method="sinkhorn",
            reg_type="entropy", numItermax=20_000, stopThr=1e-14,
        )  # fmt: skip
    plan = bv.couplings.linear(as_cost(cost, "test").forbid(mask), epsilon=epsilon, tau=(tau, tau), **TIGHT)
    assert np.abs(plan.dense() - theirs).sum() < 1e-6


@pytest.mark.parametrize("squared", [False, True])
def test_fgw_agrees_with_pot_at_a_prohibitive_cost(squared):
    cost, mask = instance(2)
    rng = np.random.default_rng(0)
    c_xx, c_yy = bv.costs.sqeuclidean(rng.normal(size=(9, 3))), bv.costs.sqeuclidean(rng.normal(size=(7, 3)))
    scaled = (cost / cost[~mask].mean()) ** (2 if squared else 1)
    theirs = ot.gromov.entropic_fused_gromov_wasserstein(
        np.where(mask, 1e3, scaled), c_xx / c_xx.mean(), c_yy / c_yy.mean(), epsilon=0.5, alpha=0.5, symmetric=True,
        max_iter=3000, tol=1e-11, solver="PGD", numItermax=100_000, stopThr=1e-12,
    )  # fmt: skip
    plan = bv.couplings.fgw(
        as_cost(cost, "test").forbid(mask), c_xx, c_yy, epsilon=0.5, squared=squared, tolerance=1e-9, max_inner=100_000
    )
    assert plan.converged
    assert (plan.dense()[mask] == 0).all()
    assert np.abs(plan.dense() - theirs).sum() < 1e-4


@pytest.mark.parametrize(("tau", "correction"), [((0.9, 0.8), "quadratic"), ((0.9, 0.8), "none")])
@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_unbalanced_fgw_puts_nothing_there(tau, correction, alpha):
    cost, mask = instance(3)
    mask[4] = True  # a row that is left out
    x, y = np.random.default_rng(1).normal(size=(9, 2)), np.random.default_rng(2).normal(size=(7, 2))
    plan = bv.couplings.fgw(
        as_cost(cost, "test").forbid(mask), Within(x), Within(y), alpha=alpha, epsilon=0.3, tau=tau,
        correction=correction,
    )  # fmt: skip
    assert plan.converged
    assert plan.mass > 0.1
    assert (plan.dense()[mask] == 0).all()


@given(seed=st.integers(0, 10**6), share=st.floats(0, 0.9), tau=st.sampled_from([(1.0, 1.0), (0.8, 0.9)]))
@settings(max_examples=15)
def test_no_mass_is_drawn_where_it_is_forbidden(seed, share, tau):
    cost, mask = instance(seed, share=share)
    plan = bv.couplings.linear(as_cost(cost, "test").forbid(mask), epsilon=0.1, tau=tau)
    dense = plan.dense()
    assert np.isfinite(dense).all()
    assert (dense[mask] == 0).all()
    assert (plan.sparse()[0].toarray()[mask] == 0).all()
    i, j = plan.sample(seed, 500)
    assert not mask[i, j].any()
    i, j = plan.sampler().draw(jax.random.key(seed), 500)
    assert not mask[np.asarray(i), np.asarray(j)].any()
    if plan.converged and tau == (1.0, 1.0):
        np.testing.assert_allclose(dense.sum(1), 1 / 9, atol=3e-3)


@pytest.mark.parametrize("big", [np.inf, 1e4, 1e32])
def test_infinity_and_a_number_in_its_place_are_forbidden(big):
    """The outsider's case: otherwise the large number swamps the mean that the cost is divided by."""
    rng = np.random.default_rng(0)
    cost, mask = rng.random((6, 6)), np.zeros((6, 6), bool)
    mask[0, :3] = mask[5, 2:] = True
    plan = bv.couplings.linear(np.where(mask, big, cost))
    assert (plan.dense()[mask] == 0).all()
    np.testing.assert_allclose(plan.dense(), bv.couplings.linear(as_cost(cost, "test").forbid(mask)).dense(), atol=1e-9)
    assert as_cost(np.where(mask, big, cost), "test").mean() == pytest.approx(cost[~mask].mean())


@pytest.mark.parametrize("large", [5.0, 999.0, 1e3])
def test_a_large_number_that_may_be_a_cost_is_one(large):
    cost = np.random.default_rng(0).random((6, 6)) + 1
    cost[0, :3] = large
    assert as_cost(cost, "test").forbidden is None
    cost[0] = 1e4  # without it, row 0 would have no match
    assert as_cost(cost, "test").forbidden is None
    two_values = np.where(np.eye(6, dtype=bool), 0.0, 1e5)
    assert as_cost(two_values, "test").forbidden is None


def test_minus_infinity_and_nan_are_refused():
    for value in (-np.inf, np.nan):
        with pytest.raises(bv.InputError, match="finite everywhere"):
            bv.couplings.linear([[value, 1.0], [1.0, np.inf]])


def test_classes_split_merged_rows_only_where_they_must():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 3)), rng.normal(size=(20, 4))
    x[16:], y[5:] = x[:8], y[np.arange(15) % 5]
    source, target = np.array(list("abc"))[np.arange(24) % 3], np.array(list("abcd"))[np.arange(20) % 4]
    cost = bv.costs.bridge(x, y, [[0, 0], [3, 4]])
    forbidden = cost.forbid(classes=[("a", "b"), ("c", "a")], labels=(source, target))
    mask = ((source[:, None] == "a") & (target == "b")) | ((source[:, None] == "c") & (target == "a"))
    np.testing.assert_array_equal(np.isinf(forbidden.dense()), mask)
    np.testing.assert_array_equal(forbidden.dense()[~mask], cost.dense()[~mask])
    np.testing.assert_array_equal(forbidden.block([3, 20], [1, 4, 1]), forbidden.dense()[np.ix_([3, 20], [1, 4, 1])])
    np.testing.assert_array_equal(forbidden.unmerged().dense(), forbidden.dense())
    assert forbidden.forbidden.kinds == (3, 3)  # c and d of the target are alike
    assert forbidden.atom_shape == (24, 15)
    assert forbidden.mean() == pytest.approx(cost.dense()[~mask].mean())
    for tau in ((1.0, 1.0), (0.8, 0.9)):
        merged = bv.couplings.linear(forbidden, epsilon=0.2, tau=tau, **TIGHT)
        whole = bv.couplings.linear(np.where(mask, np.inf, cost.dense()), epsilon=0.2, tau=tau, **TIGHT)
        assert merged.merged
        assert merged.converged
        assert np.abs(merged.dense() - whole.dense()).sum() < 1e-9


def test_what_is_forbidden_adds_up():
    cost, mask = instance(4)
    rows = np.argwhere(mask)
    once = as_cost(cost, "test").forbid(rows[:4]).forbid(mask).dense()
    np.testing.assert_array_equal(np.isinf(once), mask)
    from scipy import sparse

    thin = as_cost(cost, "test").forbid(sparse.coo_array(mask)).dense()
    np.testing.assert_array_equal(thin, once)
    both = Forbidden.matches(rows[:4], shape=(9, 7)) | Forbidden.matches(rows[4:], shape=(9, 7))
    np.testing.assert_array_equal(as_cost(cost, "test").forbid(both).dense(), once)
    np.testing.assert_array_equal(both.reversed().block(range(7), range(9)), mask.T)
    assert both.mass(np.full(9, 1 / 9), np.full(7, 1 / 7)) == pytest.approx(mask.mean())


def test_forbidden_classes_of_many_rows_take_no_memory():
    """A mask would take 10 TB."""
    n = 3_000_000
    labels = np.arange(n) % 3
    forbidden = Forbidden.classes([(0, 1), (2, 0)], labels, labels)
    assert forbidden.kinds == (3, 3)
    np.testing.assert_array_equal(
        forbidden.block([0, 1, 2], [n - 3, n - 2]), [[False, True], [False, False], [True, False]]
    )


@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.0, 0.2, 0.9, 1.0]))
@settings(max_examples=15)
def test_the_device_looks_up_the_same(seed, share):
    rng = np.random.default_rng(seed)
    mask = rng.random((12, 9)) < share
    forbidden = Forbidden.matches(mask, shape=(12, 9))
    i, j = rng.integers(0, 12, 16), rng.integers(0, 9, 16)
    found = Lookup.of(forbidden).among(jnp.asarray(i), jnp.asarray(j))
    np.testing.assert_array_equal(found, mask[np.ix_(i, j)])
    np.testing.assert_array_equal(forbidden.block(i, j), mask[np.ix_(i, j)])
    np.testing.assert_array_equal(forbidden.among(np.stack([i, j], axis=1)), mask[i, j])


@pytest.mark.parametrize(("spaces", "tau"), [(False, (1.0, 1.0)), (False, (0.9, 0.9)), (True, (1.0, 1.0))])
def test_batches_put_nothing_there(spaces, tau):
    """Also where some rows have no permitted match in their batch."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 8
    mask = labels[:, None] != labels
    x = rng.normal(size=(40, 2))
    within = (Within(x), Within(x)) if spaces else ()
    cost = as_cost(rng.random((40, 40)), "test").forbid(mask)
    plan = bv.couplings.local(cost, *within, epsilon=0.2, tau=tau, batch_size=16, max_iterations=30, max_steps=5)
    i, j = plan.sample(0, 1600)
    assert not mask[i, j].any()
    assert len(np.unique(i)) > 35
    assert np.isfinite(plan.marginal_error)
    if tau == (1.0, 1.0):
        assert not plan.converged
        assert "Matches are forbidden: larger batches" in plan.advice


# What has no solution, and what is refused ----------------------------------------------------------------------------


def test_a_row_without_a_match_is_an_error_or_left_out():
    cost, mask = instance(5)
    mask[[2, 6]] = True
    forbidden = as_cost(cost, "test").forbid(mask)
    message = r"leaves 2 source rows without a permitted match, the first of them row 2\. Permit one"
    with pytest.raises(bv.InputError, match=message):
        bv.couplings.linear(forbidden)
    with pytest.raises(bv.InputError, match=message):
        bv.couplings.fgw(forbidden, Within(np.eye(9)), Within(np.eye(7)))
    with pytest.raises(bv.InputError, match=message):
        bv.couplings.local(forbidden)
    weightless = bv.couplings.linear(forbidden, epsilon=0.2, weights=([1, 1, 0, 1, 1, 1, 0, 1, 1], None))
    relaxed = bv.couplings.linear(forbidden, epsilon=0.2, tau=(0.9, 1.0))
    for plan in (weightless, relaxed):
        assert plan.converged
        assert not plan.dense()[[2, 6]].any()
    with pytest.raises(bv.InputError, match="1 target row without a permitted match, the first of them row 0"):
        bv.couplings.linear([[np.inf, 1.0], [np.inf, 2.0]])
    with pytest.raises(bv.InputError, match="2 source rows without a permitted match"):
        bv.couplings.linear(as_cost(np.ones((2, 2)), "test").forbid(np.ones((2, 2), bool)), tau=(0.5, 0.5))


def test_a_partner_of_weight_zero_is_none():
    cost = as_cost(np.ones((2, 2)), "test").forbid([[0, 1]])
    with pytest.raises(bv.InputError, match="1 source row without a permitted match, the first of them row 0"):
        bv.couplings.linear(cost, weights=(None, [0, 1]))


def test_rows_that_compete_leave_no_plan_and_the_plan_says_so():
    """Each row has a match, but three of six rows have one target of five between them (Hall)."""
    cost = np.random.default_rng(0).random((6, 5))
    mask = np.zeros((6, 5), bool)
    mask[1:4, 1:] = True
    forbidden = as_cost(cost, "test").forbid(mask)
    text = "3 source rows, the first of them row 1, hold 0.5 of the mass, and all rows that they may be matched with"
    x, y = np.eye(6), np.eye(5)
    for plan in (
        bv.couplings.linear(forbidden, epsilon=0.1),
        bv.couplings.fgw(forbidden, Within(x), Within(y), epsilon=0.1),
    ):
        assert not plan.converged
        assert f"{text} take only 0.2" in plan.advice
        assert plan.iterations <= 100
        assert plan.marginal_error > 0.3
        assert (plan.dense()[mask] == 0).all()
    assert bv.couplings.linear(forbidden, epsilon=0.1, tau=(0.9, 1.0)).converged
    fits = bv.couplings.linear(forbidden, epsilon=0.1, weights=([6, 1, 1, 1, 6, 6], None))
    assert fits.converged


def test_a_problem_too_large_for_the_proof_says_that_there_may_be_no_plan(monkeypatch):
    monkeypatch.setattr("bridgeviz.couplings._permitted._LARGEST", 1)
    mask = np.zeros((6, 5), bool)
    mask[1:4, 1:] = True
    cost = as_cost(np.random.default_rng(0).random((6, 5)), "test").forbid(mask)
    for plan in (
        bv.couplings.linear(cost, epsilon=0.1, max_iterations=300),
        bv.couplings.fgw(cost, Within(np.eye(6)), Within(np.eye(5)), epsilon=0.1, max_iterations=2, max_inner=300),
    ):
        assert not plan.converged
        assert "It may also be that the forbidden matches leave no plan" in plan.advice


def test_forbidden_pairs_are_an_error(spaces):
    x, y, _ = spaces(0, 12, 10, 3, 4, 1)
    cost = bv.costs.bridge(x, y, [[0, 0], [5, 3]])
    with pytest.raises(bv.InputError, match=r"free of the pairs, which match. Got the pair \(5, 3\) instead"):
        cost.forbid([[5, 3], [1, 1]])
    assert cost.forbid([[5, 2]]).dense()[5, 2] == np.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs one of 'forbidden' and 'classes'. Got neither"),
        ({"forbidden": [[0, 0]], "classes": [("a", "b")]}, "Got both"),
        ({"forbidden": np.zeros((2, 3), bool)}, r"a mask of shape \(3, 3\). Got shape \(2, 3\)"),
        ({"forbidden": [[0, 3]]}, r"row numbers from 0 to 2 for the target.*boolean mask of shape \(3, 3\)"),
        ({"forbidden": np.zeros((3, 3))}, r"an \(l, 2\) array.*boolean mask of shape \(3, 3\)"),
        ({"classes": [("a", "b")]}, "'labels' of forbid"),
        ({"classes": [("a", "z")], "labels": (list("aab"), list("abb"))}, r"target's classes \('a', 'b'\). Got 'z'"),
        ({"classes": ["abc"], "labels": (list("aab"), list("abb"))}, "class of the source, class of the target"),
        ({"classes": 3, "labels": (list("aab"), list("abb"))}, "pairs of classes. Got 3"),
        ({"classes": [("a", "b")], "labels": (list("aa"), list("abb"))}, "one label per row, 3 in total"),
        ({"forbidden": Forbidden.matches([[0, 0]], shape=(2, 2))}, r"of shape \(3, 3\)"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(bv.InputError, match=message):
        as_cost(np.ones((3, 3)), "test").forbid(**arguments)
