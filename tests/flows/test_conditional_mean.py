"""The conditional mean of a flow, from a field whose mean is known and from a trained one."""

from __future__ import annotations

from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import bridgeviz as bv
from bridgeviz.flows import Flow, Scaling, VelocityField


class KnownMean(VelocityField):
    """`(2 x, x - 1) - z + error + 100 t`: at t = 0 the field of that mean, with an error c z or c z^2."""

    def __init__(self, error: float, even: bool):
        self.error, self.even = nnx.Param(jnp.array([error])), even

    def encode(self, x):
        return x[:, :1]

    def condition(self, t, encoded):
        return jnp.concatenate([2 * encoded, encoded - 1], axis=1) + 100 * t[:, None]

    def velocity(self, z, condition):
        return condition - z + self.error[...] * (z**2 if self.even else z)


def known(error: float, *, even: bool = False) -> Flow:
    graph, params = nnx.split(KnownMean(error, even), nnx.Param)
    source = Scaling(np.array([1.0]), np.array([0.5]))
    return Flow(bv.FlowConfig(), graph, params, source, Scaling(np.array([3.0, 0.0]), np.array([2.0, 10.0])))


@cache
def trained(problem, plan):
    config = bv.FlowConfig(velocity="tiny", steps=300, batch_size=64, learning_rate=5e-3, chunk_size=100)
    return list(bv.flows.fit(problem, plan, config))[-1].flow


def expected(x):
    scaled = (x - 1) / 0.5
    return np.concatenate([3 + 2 * (2 * scaled), 10 * (scaled - 1)], axis=1)


def test_the_mean_of_an_exact_field_needs_one_draw():
    x = np.linspace(-1, 2, 1500)[:, None]  # more than one block
    np.testing.assert_allclose(known(0.0).mean(x, draws=1), expected(x), atol=1e-4)
    assert known(0.0).mean(x[:1]).shape == (1, 2)


def test_opposite_draws_cancel_an_odd_error_and_more_draws_reduce_an_even_one():
    """The field's error is `c z` or `c z^2`: its mean over pairs z, -z is 0, or the mean of c z^2."""
    x = np.linspace(-1, 2, 50)[:, None]
    np.testing.assert_allclose(known(0.5).mean(x, draws=2), expected(x), atol=1e-4)
    one = (known(0.5).mean(x, draws=1, seed=1) - expected(x)) / [2.0, 10.0]
    assert np.abs(one).max() > 0.05
    np.testing.assert_allclose(one, np.tile(one[:1], (50, 1)), atol=1e-4)  # a point's mean does not depend on others
    even = {
        draws: [(known(0.5, even=True).mean(x[:1], draws=draws, seed=s) - expected(x[:1]))[0, 0] / 2 for s in range(40)]
        for draws in (2, 32)
    }
    assert np.std(even[32]) < 0.4 * np.std(even[2])  # sixteen times as many
    once, again, other = (known(0.5).mean(x[:5], draws=3, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(once, again)
    assert (once != other).all()


def test_the_mean_is_that_of_many_transported_draws(noisy_line):
    """Without an ODE, what a thousand solutions of it average to."""
    problem, plan = noisy_line
    flow = trained(problem, plan)
    x = np.array([[-0.8], [0.1], [0.7]])
    points = flow.draws(x, samples=1000, steps=10).points
    doubt = points.std(0) / np.sqrt(1000)
    np.testing.assert_allclose(flow.mean(x, draws=64), points.mean(0), atol=float(3 * doubt.max() + 0.12))


def test_a_trained_flow_predicts_better_by_its_mean_than_by_a_transported_point(noisy_line):
    """y = 3 x + 1 + 0.5 noise: the mean is the line, and a transported point has the noise on it."""
    flow = trained(*noisy_line)
    x = np.linspace(-0.9, 0.9, 50)[:, None]
    mean, drawn = flow.mean(x, draws=64), flow.transport(x, steps=10).states[-1]
    np.testing.assert_allclose(mean, 3 * x + 1, atol=0.3)
    assert np.std(mean - 3 * x - 1) < 0.5 * np.std(drawn - 3 * x - 1)


def test_wrong_arguments():
    with pytest.raises(bv.InputError, match=r"'x' of mean\(\) must be a matrix with 1 columns"):
        known(0.0).mean([[1.0, 2.0]])
    with pytest.raises(bv.InputError, match=r"'draws' of mean\(\) must be an integer >= 1"):
        known(0.0).mean([[1.0]], draws=0)
