"""The alias table: the probabilities that it draws from, computed exactly."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import bridgeviz as bv
from bridgeviz.costs import Atoms
from bridgeviz.couplings._sampler import PlanSampler, alias_table


def drawn_from(keep, alias):
    """The probability of each entry under the two tables."""
    return (keep + np.bincount(alias, weights=1 - keep, minlength=len(keep))) / len(keep)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 300), zeros=st.floats(0, 0.9), skew=st.floats(0, 12))
def test_the_tables_hold_the_probabilities_exactly(seed, n, zeros, skew):
    rng = np.random.default_rng(seed)
    share = np.exp(skew * rng.normal(size=n)) * (rng.random(n) >= zeros)
    share[rng.integers(n)] += 1e-3
    keep, alias = alias_table(share)
    assert keep.min() >= 0
    assert keep.max() <= 1
    np.testing.assert_allclose(drawn_from(keep, alias), share / share.sum(), atol=1e-13)
    assert (drawn_from(keep, alias)[share == 0] < 1e-15).all()


@pytest.mark.parametrize("share", [[1.0], [1.0, 1.0, 1.0], [0.0, 5.0], [1e-9, 1.0, 1e-9], [3.0, 0.0, 0.0, 1.0]])
def test_corner_cases(share):
    share = np.array(share)
    np.testing.assert_allclose(drawn_from(*alias_table(share)), share / share.sum(), atol=1e-15)


def test_a_million_entries_take_less_than_a_second():
    import time

    share = np.random.default_rng(0).random(10**6) ** 8
    start = time.perf_counter()
    keep, alias = alias_table(share)
    assert time.perf_counter() - start < 5  # a loop in Python takes ten times as long; 0.2 s on a quiet machine
    np.testing.assert_allclose(drawn_from(keep, alias), share / share.sum(), atol=1e-16)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_draws_follow_the_plan_of_any_kind(make):
    rng = np.random.default_rng(0)
    dense = rng.random((5, 7)) * (rng.random((5, 7)) < 0.6)
    dense[2] = 0
    rows, columns = np.array([3, 1, 4, 0, 9]), np.arange(7)[::-1] * 2
    source, target = (Atoms(first, np.zeros(0, int), np.ones(len(first), int)) for first in (rows, columns))
    sampler = PlanSampler.of(make(dense), source, target, (np.ones(10), np.ones(13)))
    i, j = (np.asarray(side) for side in sampler.draw(jax.random.key(0), 200_000))
    counts = np.zeros((10, 13))
    np.add.at(counts, (i, j), 1)
    np.testing.assert_allclose(counts[np.ix_(rows, columns)] / 200_000, dense / dense.sum(), atol=4e-3)
    assert not counts[4].any()


def test_every_row_of_an_atom_is_drawn_unless_they_are_equal():
    """By cosine, x and 2x are one atom of the plan; they are two points to the flow."""
    x = np.array([[1.0, 0], [0, 1], [2, 0], [4, 0], [0, 1]])
    y = np.random.default_rng(0).random((4, 3))
    plan = bv.couplings.linear(bv.costs.bridge(x, y, [[0, 0], [1, 1]]), epsilon=0.1)
    assert len(plan.source_atoms) == 2
    i, j = (np.asarray(side) for side in plan.sampler().draw(jax.random.key(0), 100_000))
    counts = np.zeros(plan.shape)
    np.add.at(counts, (i, j), 1 / 100_000)
    np.testing.assert_allclose(counts, plan.dense(), atol=4e-3)
    same = bv.couplings.linear(bv.costs.bridge(x, y, [[0, 0], [1, 1]], metric="sqeuclidean"), epsilon=0.1)
    assert set(np.asarray(same.sampler().draw(jax.random.key(0), 1000)[0])) == {0, 1, 2, 3}  # row 4 equals row 1


def test_the_step_is_not_compiled_again_for_a_plan_of_about_the_same_size():
    shapes = set()
    for seed in range(3):
        plan = bv.couplings.linear(np.random.default_rng(seed).random((30, 20)), epsilon=0.1)
        shapes.add(tuple(table.shape for table in jax.tree.leaves(plan.sampler())))
    assert len(shapes) == 1
