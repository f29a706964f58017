"""The cheapest one-to-one plan: on the whole matrix, and on few entries of a cost of paths with the same result."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linear_sum_assignment

import bridgeviz as bv
from bridgeviz import InputError
from bridgeviz._sparse_matching import Matching
from bridgeviz.couplings import Assignment, assignment
from bridgeviz.couplings import _assignment_on_entries as engine
from bridgeviz.couplings import _sampled_potentials as guesses


def bridge(n: int = 60, m: int = 60, seed: int = 0, **options):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(m, 4))
    pairs = np.stack([rng.permutation(min(n, m))[:12]] * 2, axis=1)
    return bv.costs.bridge(x, y, pairs, metric="sqeuclidean", **options)


def price(plan, cost) -> float:
    """The mean cost of a match."""
    return float((plan.dense() * cost.dense()).sum())


@pytest.mark.parametrize("sizes", [(60, 60), (50, 70), (70, 50), (2, 5), (150, 150)], ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_both_methods_find_the_least_cost(sizes, seed, monkeypatch):
    monkeypatch.setattr(guesses, "SAMPLE", 40)
    cost = bridge(*sizes, seed=seed)
    matrix = cost.dense()
    rows, columns = linear_sum_assignment(matrix)
    for method in ("full", "sparse"):
        plan = assignment(cost, method=method)
        assert plan.converged
        assert price(plan, cost) == pytest.approx(matrix[rows, columns].mean(), rel=1e-6)
        assert (plan.method, plan.solver, plan.why) == (method, "assignment", "as asked for")
        matches = plan.plan.tocoo()
        assert len(set(matches.coords[0])) == len(set(matches.coords[1])) == min(sizes)
        np.testing.assert_allclose(matches.data, 1 / min(sizes))
        mu, nu = plan.marginals()
        error = np.abs(mu - 1 / sizes[0]).sum() + np.abs(nu - 1 / sizes[1]).sum()
        assert plan.marginal_error == pytest.approx(error, abs=1e-12)


def test_entries_are_added_until_no_other_plan_is_cheaper():
    cost, told = bridge(150, 150), []
    plan = Assignment(method="sparse", entries=1).solve(cost, on_step=lambda *step: told.append(step))
    assert len(told) == plan.iterations > 1
    assert told[-1] == (plan.iterations, 0.0)
    short = assignment(cost, method="sparse", entries=1, max_iterations=1)
    assert not short.converged
    assert short.advice.startswith("After 1 plans, up to ")
    best, gap = price(assignment(cost, method="full"), cost), told[0][1]
    assert best < price(short, cost) <= best / (1 - gap)


def test_where_the_entries_permit_no_plan(monkeypatch):
    cost, largest = bridge(40, 40), engine.largest_of_rows

    def crowded(matrix, most):
        kept = largest(matrix, most)
        kept.indices[:] %= 3  # all rows want the same columns
        return kept if most != engine.MORE else largest(matrix, most)

    monkeypatch.setattr(engine, "largest_of_rows", crowded)
    plan = assignment(cost, method="sparse")
    assert plan.converged
    assert price(plan, cost) == pytest.approx(price(assignment(cost, method="full"), cost), rel=1e-6)


@pytest.mark.parametrize("sizes", [(30, 30), (20, 35)], ids=str)
@pytest.mark.parametrize("levels", [3, 1000])
def test_the_cheapest_plan_on_stored_entries(sizes, levels):
    """Also with many equal entries, and with entries that are added later."""
    rng = np.random.default_rng(levels)
    for _ in range(20):
        c = rng.integers(0, levels, sizes).astype(float)
        stored = rng.random(sizes) < 0.3
        stored[np.arange(sizes[0]), rng.permutation(sizes[1])[: sizes[0]]] = True
        matching = Matching(sizes[0], np.ones(sizes[1], int), rng.normal(size=sizes[1]))
        for allowed in (stored, stored | (rng.random(sizes) < 0.1), np.ones(sizes, bool)):
            rows, columns = allowed.nonzero()
            assert not len(matching.extend(sparse.csr_array((c[rows, columns], (rows, columns)), shape=sizes)))
            assert len(set(matching.columns)) == sizes[0]
            assert allowed[np.arange(sizes[0]), matching.columns].all()
            best = linear_sum_assignment(np.where(allowed, c, 1e6))
            assert matching.paid.sum() == pytest.approx(c[best].sum())
            np.testing.assert_array_equal(matching.paid, c[np.arange(sizes[0]), matching.columns])
            reduced = np.where(allowed, c - matching.g, np.inf)
            assert (reduced >= (matching.paid - matching.g[matching.columns])[:, None] - 1e-9).all()
            assert sizes[0] == sizes[1] or (matching.g[matching.room > 0] == 0).all()


def test_columns_with_several_places():
    rng = np.random.default_rng(0)
    c, room = rng.random((20, 6)), np.array([1, 2, 3, 4, 5, 5])
    matching = Matching(20, room, np.zeros(6))
    assert not len(matching.extend(sparse.csr_array(c)))
    np.testing.assert_array_equal(np.bincount(matching.columns), room)
    np.testing.assert_array_equal(np.sort(matching.places), np.arange(20))
    np.testing.assert_array_equal(np.repeat(np.arange(6), room)[matching.places], matching.columns)
    best = linear_sum_assignment(np.repeat(c, room, axis=1))
    assert matching.paid.sum() == pytest.approx(np.repeat(c, room, axis=1)[best].sum())


def test_rows_that_find_no_column_are_named():
    matching = Matching(3, np.ones(3, int), np.zeros(3))
    entries = sparse.csr_array((np.array([1.0, 2.0, 3.0]), ([0, 1, 2], [0, 0, 2])), shape=(3, 3))
    assert len(alone := matching.extend(entries)) == 1
    assert alone[0] in (0, 1)
    np.testing.assert_array_equal(matching.room, [0, 1, 0])


@pytest.mark.parametrize("side", ["source", "target", "both"])
def test_equal_rows_are_one_column_with_many_places(side):
    """One side has few distinct rows, as with labels."""
    rng = np.random.default_rng(0)
    few, many = rng.normal(size=(5, 4))[rng.integers(0, 5, 60)], rng.normal(size=(60, 3))
    x, y = {"source": (few, many), "target": (many, few), "both": (few, few[::-1])}[side]
    cost = bv.costs.bridge(x, y, np.stack([np.arange(12)] * 2, axis=1), metric="sqeuclidean")
    plan = assignment(cost, method="sparse")
    matches = plan.plan.tocoo()
    assert len(set(matches.coords[0])) == len(set(matches.coords[1])) == 60
    assert price(plan, cost) == pytest.approx(price(assignment(cost, method="full"), cost), rel=1e-6, abs=1e-9)


def test_large_legs_are_single_and_added_in_double_precision(monkeypatch):
    monkeypatch.setattr("bridgeviz.costs._legs.LARGE", 100)
    cost = bridge(150, 150)
    assert cost.source_factor.dtype == np.float32
    plan = assignment(cost, method="sparse")
    i, j = plan.plan.tocoo().coords
    exact = (cost.source_factor[i].astype(float) + cost.target_factor[j]).min(1)
    np.testing.assert_array_equal(engine._path_costs(cost.source_factor, cost.target_factor, i, j), exact)
    assert plan.converged
    assert price(plan, cost) == pytest.approx(price(assignment(cost, method="full"), cost), rel=1e-6)


def test_the_largest_entries_of_each_row(monkeypatch):
    rng = np.random.default_rng(0)
    c = np.where(rng.random((30, 25)) < rng.random((30, 1)), rng.normal(size=(30, 25)), 0.0)
    matrix = sparse.csr_array(c)
    rank = np.argsort(np.argsort(np.where(c == 0, np.inf, -c), axis=1), axis=1)
    for size in (2**26, 1000):
        monkeypatch.setattr("bridgeviz.couplings._largest.BLOCK_BYTES", size)
        np.testing.assert_array_equal(engine.largest_of_rows(matrix, 4).toarray(), np.where(rank < 4, c, 0.0))


def test_equal_rows_have_partners_of_their_own():
    rng = np.random.default_rng(0)
    x, y = np.repeat(rng.normal(size=(10, 3)), 3, axis=0), rng.normal(size=(30, 4))
    cost = bv.costs.bridge(x, y, [[0, 0], [4, 5], [9, 9]], metric="sqeuclidean")
    plans = [assignment(cost, method=method) for method in ("full", "sparse")]
    assert price(plans[0], cost) == pytest.approx(price(plans[1], cost), rel=1e-6)
    assert not plans[0].merged


def test_large_problems_with_paths_are_solved_on_few_entries(monkeypatch):
    cost = bridge(30, 30)
    assert assignment(cost).why == "30 x 30 rows are fewer than 2,097,152 entries"
    monkeypatch.setattr("bridgeviz.couplings._assignment.LARGE", 900)
    assert (assignment(cost).method, assignment(cost).why) == ("sparse", "30 x 30 rows are at least 900 entries")
    assert assignment(cost.dense()).why == "matrix has no paths over anchors"


def test_what_it_can_not_do_is_refused(monkeypatch):
    cost = bridge(30, 30)
    with pytest.raises(InputError, match="The solver 'assignment' does not read weights"):
        assignment(cost.weighted(source=np.arange(30)))
    with pytest.raises(InputError, match="does not read forbidden matches"):
        assignment(cost.forbid([[0, 1]]))
    with pytest.raises(InputError, match=r"'method' of assignment\(\) must be 'full' for matrix"):
        assignment(cost.dense(), method="sparse")
    with pytest.raises(InputError, match=r"'cost' of assignment\(\) must be"):
        Assignment().solve(None)
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", "1e-6")
    with pytest.raises(bv.costs.TooLarge, match="assignment with 3 dense 30 x 30 matrices"):
        assignment(cost)
