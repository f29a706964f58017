"""The conditional mean of a flow, from a field whose mean is known and from a trained one."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import bridgeviz as bv
from bridgeviz.flows import Flow, Scaling, VelocityField, conditional_mean


class KnownMean(VelocityField):
    """`(2 x, x - 1) - z + error z + 100 t`: at t = 0 the field of that mean, with an error by noise."""

    def __init__(self, error: float):
        self.error = nnx.Param(jnp.array([error]))

    def encode(self, x):
        return x[:, :1]

    def condition(self, t, encoded):
        return jnp.concatenate([2 * encoded, encoded - 1], axis=1) + 100 * t[:, None]

    def velocity(self, z, condition):
        return condition - z + self.error[...] * z


def known(error: float) -> Flow:
    graph, params = nnx.split(KnownMean(error), nnx.Param)
    source = Scaling(np.array([1.0]), np.array([0.5]))
    return Flow(bv.FlowConfig(), graph, params, source, Scaling(np.array([3.0, 0.0]), np.array([2.0, 10.0])))


def expected(x):
    scaled = (x - 1) / 0.5
    return np.concatenate([3 + 2 * (2 * scaled), 10 * (scaled - 1)], axis=1)


def test_the_mean_of_an_exact_field_needs_one_draw():
    x = np.linspace(-1, 2, 1500)[:, None]  # more than one block
    np.testing.assert_allclose(conditional_mean(known(0.0), x, draws=1), expected(x), atol=1e-4)
    assert conditional_mean(known(0.0), x[:1]).shape == (1, 2)


def test_draws_average_out_an_error_that_depends_on_the_noise():
    x = np.linspace(-1, 2, 1500)[:, None]
    spread = {}
    for draws in (1, 25):
        error = (conditional_mean(known(0.5), x, draws=draws, seed=1) - expected(x)) / [2.0, 10.0]
        spread[draws] = error.std(0)
        assert len(np.unique(error[:, 0].round(6))) > 1400  # every point has noise of its own
        assert abs(np.corrcoef(error.T)[0, 1]) < 0.1
    np.testing.assert_allclose(spread[1], 0.5, rtol=0.06)
    np.testing.assert_allclose(spread[25], 0.1, rtol=0.06)
    shared = conditional_mean(known(0.5), x, draws=25, seed=1, shared=True)
    error = (shared - expected(x)) / [2.0, 10.0]
    assert 0 < np.abs(error).max() < 0.4
    np.testing.assert_allclose(error, np.tile(error[:1], (len(x), 1)), atol=1e-4)  # a point's mean is its own
    once, again, other = (conditional_mean(known(0.5), x[:5], seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(once, again)
    assert (once != other).all()


def test_a_trained_flow_predicts_better_by_its_mean_than_by_a_transported_point(noisy_line):
    """y = 3 x + 1 + 0.5 noise: the mean is the line, and a transported point has the noise on it."""
    problem, plan = noisy_line
    config = bv.FlowConfig(velocity="tiny", steps=300, batch_size=64, learning_rate=5e-3, chunk_size=100)
    flow = list(bv.flows.fit(problem, plan, config))[-1].flow
    x = np.linspace(-0.9, 0.9, 50)[:, None]
    mean, drawn = conditional_mean(flow, x, draws=64), flow.transport(x, steps=10).states[-1]
    np.testing.assert_allclose(mean, 3 * x + 1, atol=0.3)
    assert np.std(mean - 3 * x - 1) < 0.5 * np.std(drawn - 3 * x - 1)


def test_wrong_arguments(noisy_line):
    with pytest.raises(bv.InputError, match=r"'flow' of conditional_mean\(\) must be a Flow"):
        conditional_mean(noisy_line[0], [[1.0]])
    with pytest.raises(bv.InputError, match=r"'x' of conditional_mean\(\) must be a matrix with 1 columns"):
        conditional_mean(known(0.0), [[1.0, 2.0]])
    with pytest.raises(bv.InputError, match=r"'draws' of conditional_mean\(\) must be an integer >= 1"):
        conditional_mean(known(0.0), [[1.0]], draws=0)
