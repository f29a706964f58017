"""Distances within a space against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from bridgeviz import costs

SCIPY = {"cosine": "cosine", "sqeuclidean": "sqeuclidean", "pearson": "correlation"}
SHAPES = [(1, 1, 2), (1, 5, 3), (7, 4, 2), (20, 31, 5), (3, 3, 200), (64, 10, 16)]


@pytest.mark.parametrize("name", SCIPY)
@pytest.mark.parametrize(("n", "m", "p"), SHAPES)
def test_agrees_with_scipy(name, n, m, p):
    rng = np.random.default_rng(n * m * p)
    x, y = 3 + rng.normal(size=(n, p)), rng.normal(size=(m, p))
    ours = getattr(costs, name)(x, y)
    assert ours.shape == (n, m)
    np.testing.assert_allclose(ours, cdist(x, y, SCIPY[name]), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(getattr(costs, name)(x), cdist(x, x, SCIPY[name]), rtol=1e-9, atol=1e-9)
    assert ours.min() >= 0


@pytest.mark.parametrize("name", SCIPY)
@pytest.mark.parametrize(("n", "p"), [(2, 2), (9, 4), (150, 12)])
def test_the_mean_is_that_of_the_matrix(name, n, p):
    x = 2 + np.random.default_rng(n).normal(size=(n, p))
    metric = costs.METRICS[name]
    np.testing.assert_allclose(metric.mean(x), cdist(x, x, SCIPY[name]).mean(), rtol=1e-10, atol=1e-14)


@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100))
def test_angles_are_invariant_to_scale_and_squares_are_not(seed, scale):
    x = np.random.default_rng(seed).normal(size=(5, 4))
    np.testing.assert_allclose(costs.cosine(scale * x, x), costs.cosine(x, x), atol=1e-10)
    np.testing.assert_allclose(costs.pearson(scale * x + 1, x), costs.pearson(x, x), atol=1e-10)
    np.testing.assert_allclose(costs.sqeuclidean(scale * x), scale**2 * costs.sqeuclidean(x), rtol=1e-7, atol=1e-9)


def test_float32_is_computed_in_float64():
    x = (1000 + np.random.default_rng(0).normal(size=(30, 3))).astype(np.float32)
    exact = cdist(x.astype(np.float64), x.astype(np.float64), "sqeuclidean")
    np.testing.assert_allclose(costs.sqeuclidean(x), exact, atol=1e-6)


def test_far_from_the_origin_distances_keep_their_digits():
    x = np.random.default_rng(0).normal(size=(30, 3))
    np.testing.assert_allclose(costs.sqeuclidean(1e7 + x), cdist(1e7 + x, 1e7 + x, "sqeuclidean"), rtol=1e-6, atol=1e-9)


def test_a_space_of_one_direction_has_mean_zero_and_a_finite_bridge():
    line = np.linspace(1, 5, 7)[:, None] * np.array([[0.1, 0.7, 1.3]])
    assert costs.METRICS["cosine"].mean(line) == 0
    y = np.random.default_rng(0).normal(size=(7, 3))
    cost = costs.bridge(line, y, [[0, 0], [3, 4]]).dense()
    assert np.isfinite(cost).all()
    assert cost.max() < 10
