"""The energy test: a valid p-value for equal distributions, a small one for different ones, and the formula."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import energy_distance

import bridgeviz as bv
from bridgeviz.metrics import two_sample


@pytest.mark.parametrize("seed", range(3))
def test_the_coefficient_agrees_with_scipy_in_one_dimension(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=40), rng.normal(size=55) * 2 + seed
    across = np.abs(x[:, None] - y).mean()
    expected = energy_distance(x, y) ** 2 / (2 * across)
    assert two_sample(x[:, None], y[:, None]).coefficient == pytest.approx(expected, rel=1e-9)


def test_p_is_uniform_for_equal_distributions():
    rng = np.random.default_rng(0)
    p_values = [two_sample(*rng.normal(size=(2, 30, 2)), permutations=99, seed=k).p for k in range(200)]
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.07)
    assert np.mean(np.array(p_values) <= 0.1) == pytest.approx(0.1, abs=0.06)


@pytest.mark.parametrize("change", [lambda x: x + 0.5, lambda x: 1.6 * x, lambda x: np.sign(x) + 0.1 * x])
def test_differences_in_location_scale_and_shape_are_detected(change):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(200, 3)), change(rng.normal(size=(150, 3)))
    result = two_sample(x, y)
    assert result.p == 1 / 200
    assert 0 < result.coefficient < 1


def test_equal_samples_and_wrong_input():
    x = np.random.default_rng(0).normal(size=(20, 2))
    assert two_sample(x, x) == (pytest.approx(0, abs=1e-12), 1.0)
    assert two_sample(np.zeros((3, 1)), np.zeros((4, 1))) == (0.0, 1.0)
    with pytest.raises(bv.InputError, match=r"'y' of two_sample\(\)"):
        two_sample(x, x[:, :1])
