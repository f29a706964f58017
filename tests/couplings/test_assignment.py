"""The cheapest one-to-one plan: on the whole matrix, and on few entries of a cost of paths with the same result."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

import bridgeviz as bv
from bridgeviz import InputError
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
    cost = bridge(40, 40)
    largest = engine._largest

    def crowded(matrix, most, **options):
        kept = largest(matrix, most, **options)
        kept.indices[:] %= 3  # all rows want the same columns
        kept.sum_duplicates()
        return kept if not options else largest(matrix, most, **options)

    monkeypatch.setattr(engine, "_largest", crowded)
    plan = assignment(cost, method="sparse")
    assert plan.converged
    assert price(plan, cost) == pytest.approx(price(assignment(cost, method="full"), cost), rel=1e-6)


def test_equal_rows_have_partners_of_their_own():
    rng = np.random.default_rng(0)
    x, y = np.repeat(rng.normal(size=(10, 3)), 3, axis=0), rng.normal(size=(30, 4))
    cost = bv.costs.bridge(x, y, [[0, 0], [4, 5], [9, 9]], metric="sqeuclidean")
    plans = [assignment(cost, method=method) for method in ("full", "sparse")]
    assert price(plans[0], cost) == pytest.approx(price(plans[1], cost), rel=1e-6)
    assert not plans[0].merged


def test_large_problems_with_paths_are_solved_on_few_entries(monkeypatch):
    cost = bridge(30, 30)
    assert assignment(cost).why == "30 x 30 rows are fewer than 8,388,608 entries"
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
