"""A coupling: its samples, rows and sparse form; and the pairs alone (Eq. 5)."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import bridgeviz as bv


def make_plan(kind: str, spaces):
    if kind == "true":
        return bv.couplings.true([[0, 3], [2, 1], [7, 3], [4, 4]], shape=(9, 6))
    if kind == "matrix":
        return bv.couplings.linear(np.random.default_rng(0).random((9, 6)), epsilon=0.3, tolerance=1e-8)
    x, y, _ = spaces(0, 14, 12, 3, 4, 1)
    x[9:], y[4:] = x[:5], y[[0, 1, 2, 3, 0, 0, 0, 1]]
    cost = bv.costs.bridge(x, y, [[0, 0], [3, 1], [5, 2]])
    tau = (0.9, 0.95) if kind == "unbalanced" else (1.0, 1.0)
    return bv.couplings.linear(cost, epsilon=0.3, tau=tau, tolerance=1e-8)


KINDS = ("true", "matrix", "merged", "unbalanced")


def frequencies(i, j, shape):
    counts = np.zeros(shape)
    np.add.at(counts, (i, j), 1)
    return counts


def chi_square(counts, expected):
    """Pearson's statistic over its degrees of freedom, on cells with at least five expected draws."""
    big = expected >= 5
    return ((counts[big] - expected[big]) ** 2 / expected[big]).sum() / max(big.sum() - 1, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_follow_the_plan(kind, spaces):
    plan = make_plan(kind, spaces)
    dense = plan.dense() / plan.mass
    i, j = plan.sample(3, 40_000)
    assert i.shape == j.shape == (40_000,)
    counts = frequencies(i, j, plan.shape)
    assert counts[dense == 0].sum() == 0
    assert chi_square(counts, 40_000 * dense) < 1.8
    np.testing.assert_array_equal(plan.sample(3, 40_000)[0], i)
    assert (plan.sample(4, 40_000)[0] != i).any()


@pytest.mark.parametrize("kind", KINDS)
def test_draws_on_the_device_follow_the_plan(kind, spaces):
    """The sampler draws one row number per atom, so the comparison is between atoms."""
    plan = make_plan(kind, spaces)
    u, v = plan.source_atoms, plan.target_atoms
    i, j = (np.asarray(rows) for rows in plan.sampler().draw(jax.random.key(0), 40_000))
    assert set(i) <= set(u.rows)
    assert set(j) <= set(v.rows)
    counts = frequencies(u.index[i], v.index[j], (len(u), len(v)))
    between = np.asarray(plan.plan.todense() if sparse.issparse(plan.plan) else plan.plan)
    assert counts[between == 0].sum() == 0
    assert chi_square(counts, 40_000 * between / plan.mass) < 1.8
    again = plan.sampler().draw(jax.random.key(0), 40_000)
    np.testing.assert_array_equal(again[0], i)


def test_every_entry_of_a_small_plan_is_drawn_in_proportion_to_its_mass():
    """One row of unequal entries with zeros at the start, in the middle and at the end, where an error by one shows."""
    mass = np.array([[0.0, 0.5, 0.0, 0.2, 0.3, 0.0], [0.0] * 6, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]])
    atoms = bv.costs.as_cost(mass, "test")
    plan = bv.couplings.Coupling(mass, atoms.source_atoms, atoms.target_atoms, "test")
    for i, j in (plan.sample(0, 20_000), plan.sampler().draw(jax.random.key(1), 20_000)):
        np.testing.assert_allclose(frequencies(np.asarray(i), np.asarray(j), (3, 6)) / 20_000, mass / 2, atol=0.012)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_and_marginals_are_those_of_the_matrix(kind, spaces):
    plan = make_plan(kind, spaces)
    dense = plan.dense()
    assert dense.shape == plan.shape
    assert plan.mass == pytest.approx(dense.sum())
    for ours, axis in zip(plan.marginals(), (1, 0), strict=True):
        np.testing.assert_allclose(ours, dense.sum(axis), atol=1e-14)
    for i in range(plan.shape[0]):
        total = dense[i].sum()
        np.testing.assert_allclose(plan.row(i), dense[i] / total if total else 0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_sparse_keeps_the_plan(kind, spaces):
    plan = make_plan(kind, spaces)
    kept, share = plan.sparse()
    assert kept.shape == plan.shape
    assert kept.has_sorted_indices
    assert share == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(kept.toarray(), plan.dense(), atol=1e-7)


@pytest.mark.parametrize("merged", [False, True])
def test_sparse_within_a_limit_keeps_the_largest_of_each_row(merged):
    rng = np.random.default_rng(0)
    if merged:
        x, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 3))
        x[30:] = x[:10]
        plan = bv.couplings.linear(bv.costs.bridge(x, y, [[0, 0], [1, 1], [2, 2]]), epsilon=0.05)
    else:
        plan = bv.couplings.linear(rng.random((40, 40)), epsilon=0.05)
    dense = plan.dense()
    kept, share = plan.sparse(most=40 * 5)
    assert kept.nnz <= 40 * 5
    assert share == pytest.approx(kept.sum() / plan.mass)
    assert 0 < share < 1
    for i in range(40):
        row = kept[[i], :].toarray()[0]
        on = row > 0
        np.testing.assert_allclose(row[on], dense[i][on], rtol=1e-12)
        assert dense[i][on].min() >= dense[i][~on].max() - 1e-15


def test_true_is_equation_5():
    pairs = [[0, 1], [2, 0], [3, 1]]
    plan = bv.couplings.true(pairs, shape=(4, 3))
    expected = np.zeros((4, 3))
    for i, j in pairs:
        expected[i, j] = 1 / 3
    np.testing.assert_array_equal(plan.dense(), expected)
    assert plan.converged
    assert plan.mass == pytest.approx(1)
    assert plan.solver == "true"
    assert plan.marginals()[0][1] == 0
    assert (plan.row(1) == 0).all()


@given(seed=st.integers(0, 10**6), n=st.integers(1, 8), m=st.integers(1, 8), l=st.integers(1, 10))
def test_true_draws_only_pairs(seed, n, m, l, spaces):  # noqa: E741
    _, _, pairs = spaces(seed, n, m, 1, 1, l)
    i, j = bv.couplings.true(pairs, shape=(n, m)).sample(seed, 50)
    assert set(zip(i, j, strict=True)) <= set(map(tuple, pairs))


def test_a_plan_without_mass_cannot_be_sampled():
    atoms = bv.costs.as_cost(np.ones((2, 2)), "test")
    plan = bv.couplings.Coupling(np.zeros((2, 2)), atoms.source_atoms, atoms.target_atoms, "test")
    with pytest.raises(bv.InputError, match=r"'plan' of sample\(\) must be a coupling with mass"):
        plan.sample(0, 3)
