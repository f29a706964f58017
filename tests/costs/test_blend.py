"""Convex combinations of costs, and the blend of two registered ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridgeviz as bv
from bridgeviz import costs
from bridgeviz._checks import InputError


@given(seed=st.integers(0, 999), weights=st.lists(st.floats(0, 5), min_size=3, max_size=3).filter(lambda w: sum(w) > 0))
def test_it_is_the_sum_of_the_divided_matrices(spaces, seed, weights):
    x, y, pairs = spaces(seed, 14, 11, 3, 4, 5)
    parts = [
        costs.bridge(x, y, pairs),
        costs.diffusion_bridge(x, y, pairs, k=4),
        np.random.default_rng(seed).random((14, 11)),
    ]
    wanted = sum(
        w / sum(weights) * matrix / matrix.mean()
        for w, matrix in zip(weights, (parts[0].dense(), parts[1].dense(), parts[2]), strict=True)
        if w
    )
    ours = costs.convex_combination(parts, weights)
    np.testing.assert_allclose(ours.mean() * ours.dense() / ours.mean(), _divided(wanted, ours), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.block([3, 5], [2, 0]), ours.dense()[np.ix_([3, 5], [2, 0])])


def _divided(wanted, ours):
    """A single cost that is left over is returned as it is, without being divided."""
    return wanted if ours.name == "convex_combination" else wanted * ours.mean()


def test_rows_that_only_one_of_the_costs_can_tell_apart_stay_apart():
    x = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [1.0, 0.0]])  # by cosine, the first two rows are one
    y = np.array([[1.0, 0.5], [0.0, 1.0], [0.0, 1.0]])
    parts = [costs.bridge(x, y, [[2, 1]]), costs.bridge(x, y, [[2, 1]], metric="sqeuclidean")]
    both = costs.convex_combination(parts)
    assert (parts[0].atom_shape, parts[1].atom_shape, both.atom_shape) == ((2, 2), (3, 2), (3, 2))
    np.testing.assert_allclose(both.dense(), sum(part.dense() / part.mean() for part in parts) / 2)


def test_forbidden_matches_stay_forbidden_and_the_mean_is_taken_over_the_others(spaces):
    x, y, pairs = spaces(0, 10, 9, 3, 4, 3)
    one = costs.bridge(x, y, pairs).forbid([[9, 8], [9, 7]])
    both = costs.convex_combination([one, costs.knn(x, y, pairs, k=4)], [1, 2])
    assert np.isinf(both.dense()[9, [7, 8]]).all()
    assert np.isinf(both.dense()).sum() == 2
    assert bv.couplings.linear(both).dense()[9, 8] == 0


def test_local_batches_and_global_plans_read_it(spaces):
    x, y, pairs = spaces(1, 40, 40, 3, 3, 6)
    both = costs.convex_combination([costs.bridge(x, y, pairs), costs.diffusion_bridge(x, y, pairs, k=5, strongest=2)])
    batch = bv.couplings.local(both, batch_size=16)
    assert batch.sample(0, 20)[0].shape == (20,)
    assert bv.couplings.linear(both, epsilon=0.05).converged


def test_the_mean_of_a_large_cost_is_estimated_from_a_sample(spaces, monkeypatch):
    x, y, pairs = spaces(2, 300, 200, 3, 4, 5)
    parts = [costs.bridge(x, y, pairs), costs.bridge(x, y, pairs, metric="sqeuclidean")]
    exact = costs.convex_combination(parts).dense()
    monkeypatch.setattr("bridgeviz.costs._convex._SAMPLED", 150)
    estimated = costs.convex_combination(parts).dense()
    assert 0 < np.abs(estimated - exact).max() < 0.1 * exact.max()


def test_the_blend_is_the_combination_of_two_registered_costs(spaces):
    x, y, pairs = spaces(3, 25, 20, 4, 4, 6)
    ours = costs.blend(x, y, pairs, first="bridge", second="knn", share=0.25)
    parts = [costs.bridge(x, y, pairs), costs.knn(x, y, pairs)]
    np.testing.assert_allclose(ours.dense(), costs.convex_combination(parts, [3, 1]).dense())
    assert ours.name == "blend"
    for share, name in ((0.0, "bridge"), (1.0, "knn")):
        alone = costs.blend(x, y, pairs, first="bridge", second="knn", share=share)
        np.testing.assert_array_equal(alone.dense(), getattr(costs, name)(x, y, pairs).dense())
    same = costs.blend(x, y, pairs, first="knn", second="knn", share=0.5)
    np.testing.assert_array_equal(same.dense(), costs.knn(x, y, pairs).dense())


def test_the_blend_follows_the_metric_and_refuses_itself(spaces):
    x, y, pairs = spaces(4, 12, 12, 3, 3, 3)
    ours = costs.blend(x, y, pairs, first="bridge", second="knn", metric="sqeuclidean").dense()
    parts = [costs.bridge(x, y, pairs, metric="sqeuclidean"), costs.knn(x, y, pairs, metric="sqeuclidean")]
    np.testing.assert_allclose(ours, costs.convex_combination(parts, [0.7, 0.3]).dense())
    with pytest.raises(InputError, match="'first' of blend"):
        costs.Blend(first="blend")


@pytest.mark.parametrize(
    ("parts", "weights", "message"),
    [
        ([], None, "'costs' of convex_combination.. must be a list of costs"),
        ([np.ones((2, 2)), np.ones((2, 3))], None, "between the same rows"),
        ([np.ones((2, 2)), np.eye(2)], [1, -1], "numbers >= 0"),
        ([np.ones((2, 2)), np.eye(2)], [0, 0], "numbers >= 0"),
        ([np.ones((2, 2)), np.eye(2)], [1], "'weights' of convex_combination"),
        ([np.ones((2, 2)), -np.eye(2)], None, "divides each cost by its mean"),
    ],
)
def test_wrong_arguments_are_named(parts, weights, message):
    with pytest.raises(InputError, match=message):
        costs.convex_combination(parts, weights)
