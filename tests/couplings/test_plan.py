"""What every plan offers, exact or estimated: mass between groups, the way of one row, its verdict."""

from __future__ import annotations

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.couplings import DRAWS, as_plan, as_whole


@pytest.fixture(scope="module")
def problem():
    """Twelve source rows and nine target rows with groups, some of them equal."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=(9, 2))
    x[8:], y[5:] = x[:4], y[:4]
    cost = bv.costs.bridge(x, y, [[0, 0], [3, 1], [5, 2]])
    return x, y, cost, rng.integers(0, 3, 12), rng.integers(0, 2, 9)


def plans(cost):
    return {
        "merged": bv.couplings.linear(cost, epsilon=0.2),
        "unbalanced": bv.couplings.linear(cost, epsilon=0.2, tau=(0.9, 0.8)),
        "true": bv.couplings.true([[0, 3], [2, 1], [7, 3]], shape=(12, 9)),
        "local": bv.couplings.local(cost, epsilon=0.2, batch_size=16),
    }


@pytest.mark.parametrize("kind", ["merged", "unbalanced", "true"])
def test_the_mass_between_groups_against_loops(kind, problem):
    _, _, cost, source, target = problem
    plan = plans(cost)[kind]
    dense, expected = plan.dense(), np.zeros((3, 2))
    for i in range(12):
        for j in range(9):
            expected[source[i], target[j]] += dense[i, j]
    np.testing.assert_allclose(plan.between(source, target, (3, 2)), expected, atol=1e-14)
    draws = plan.between(source, target, (3, 2), samples=40_000, seed=1)
    assert draws.sum() == 40_000
    np.testing.assert_allclose(draws / 40_000, expected / expected.sum(), atol=0.012)
    assert not plan.estimated
    assert as_whole(plan, "test") is plan


def test_the_mass_between_groups_of_a_local_plan_is_counted_from_its_draws(problem):
    _, _, cost, source, target = problem
    plan = plans(cost)["local"]
    i, j = plan.sample(3, 500)
    counts = np.zeros((3, 2), int)
    for a, b in zip(source[i], target[j], strict=True):
        counts[a, b] += 1
    np.testing.assert_array_equal(plan.between(source, target, (3, 2), seed=3, samples=500), counts)
    assert plan.between(source, target, (3, 2), seed=3).sum() == DRAWS
    assert plan.agreement(source, target, 3, seed=3, samples=500) == np.mean(source[i] == target[j])
    assert plan.estimated
    assert plan.whole is None
    with pytest.raises(bv.InputError, match="a local one has no plan"):
        as_whole(plan, "test")


def of_point(plan, row, distances, neighbours, groups):
    """Where one point goes; asking for it beside another point changes nothing."""
    others = [5, row], np.stack([distances + 1, distances]), np.array([[0] * len(neighbours), neighbours])
    _, beside = plan.shares_of_rows(*others, groups, 2, seed=2)
    (alone,) = plan.shares_of_rows([row], distances[None], np.array([neighbours]), groups, 2, seed=2)
    assert (alone.row, alone.draws) == (beside.row, beside.draws)
    np.testing.assert_array_equal(alone.shares, beside.shares)
    return alone


def test_a_new_point_goes_where_the_nearest_row_with_mass_goes(problem):
    x, _, cost, _, target = problem
    plan = plans(cost)["true"]
    distances = np.linalg.norm(x - x[1], axis=1)
    nearest = min((0, 2, 7), key=lambda i: distances[i])
    for row in (None, 1):  # a new point, and a row without mass
        shares = of_point(plan, row, distances, [4], target)
        assert (shares.row, shares.draws) == (nearest, 0)
        np.testing.assert_array_equal(shares.shares, np.eye(2)[target[1 if nearest == 2 else 3]])
    assert of_point(plan, 7, distances, [4], target).row == 7
    assert of_point(plan, None, distances, [4], target).shares.sum() == 1


def test_the_way_of_a_row_of_a_local_plan_is_counted_from_draws_at_its_neighbours(problem):
    x, _, cost, _, target = problem
    plan = plans(cost)["local"]
    i, j = plan.sample(2, DRAWS)
    for row, starts in ((None, [4, 6]), (1, [1, 4, 6])):
        shares = of_point(plan, row, np.linalg.norm(x - x[1], axis=1), [4, 6], target)
        ends = target[j[np.isin(i, starts)]]
        assert shares.row == starts[0]
        assert shares.draws == len(ends)
        np.testing.assert_allclose(shares.shares, np.bincount(ends, minlength=2) / len(ends))


def test_verdicts(problem):
    x, y, cost, _, _ = problem
    made = plans(cost)
    assert made["true"].verdict == (True, "The plan consists of the pairs themselves: nothing had to be solved.")
    merged = made["merged"]
    assert merged.verdict.converged
    assert merged.verdict.text == (
        f"Converged after {merged.iterations} iterations, with epsilon 0.2. "
        "Equal rows were merged: 12 x 9 became 8 x 5, which is exact."
    )
    fused = bv.couplings.fgw(cost, bv.costs.Within(x), bv.costs.Within(y), alpha=0.25, epsilon=0.5, merge=False)
    assert fused.verdict.text == f"Converged after {fused.iterations} steps at alpha 0.25, with epsilon 0.5."
    short = bv.couplings.linear(cost, epsilon=1e-3, max_iterations=1, tolerance=1e-12)
    assert not short.verdict.converged
    assert short.verdict.text.startswith(short.advice)
    assert "more Sinkhorn iterations. Equal rows were merged" in short.verdict.text
    local = made["local"]
    assert local.verdict.text == (
        f"Eight test batches of 16 rows per side converged, after {local.iterations} iterations on average. "
        "There is no plan of all rows."
    )
    bad = bv.couplings.local(cost, epsilon=1e-3, batch_size=16, max_iterations=10)
    assert bad.verdict == (False, f"{bad.advice} There is no plan of all rows.")


def test_what_is_not_a_plan_is_refused():
    with pytest.raises(bv.InputError, match=r"'plan' of fit\(\) must be a coupling, made by bv.couplings"):
        as_plan(np.ones((2, 2)), "fit")
    with pytest.raises(bv.InputError, match=r"'plan' of class_plan\(\) must be a coupling"):
        as_whole(None, "class_plan")
