"""The velocity is regressed on target minus noise, `y - z` (Eq. 4). Target minus source is a known silent bug."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given
from hypothesis import strategies as st

import bridgeviz as bv
from bridgeviz.flows import Scaling, genot_loss, init_velocity, loss_in_parts, parts_of
from bridgeviz.flows._loss import interpolate


def batch(seed: int, b: int = 16, p: int = 3, q: int = 3):
    rng = np.random.default_rng(seed)
    x, y, z = rng.normal(size=(b, p)), rng.normal(size=(b, q)) + 2, rng.normal(size=(b, q))
    return tuple(jnp.asarray(a, jnp.float32) for a in (x, y, z, rng.random(b)))


@given(seed=st.integers(0, 10**6))
def test_the_direction_is_target_minus_noise(seed):
    _, y, z, t = batch(seed)
    point, direction = interpolate(y, z, t)
    np.testing.assert_array_equal(direction, y - z)
    np.testing.assert_allclose(point, t[:, None] * y + (1 - t[:, None]) * z, rtol=1e-5, atol=1e-6)
    start, _ = interpolate(y, z, jnp.zeros_like(t))
    end, _ = interpolate(y, z, jnp.ones_like(t))
    np.testing.assert_array_equal(start, z)
    np.testing.assert_array_equal(end, y)


def test_the_loss_is_zero_for_the_velocity_from_noise_to_target():
    """The oracle knows y from x, and hence z from the point. No velocity scores zero on two different targets."""
    x, y, z, t = batch(0)
    t = 0.9 * t
    assert jnp.abs(x - z).max() > 1

    def oracle(time, point, source):
        np.testing.assert_array_equal(source, x)
        noise = (point - time[:, None] * y) / (1 - time[:, None])
        return y - noise

    def silent_bug(time, point, source):
        return y - source

    assert genot_loss(oracle, x, y, z, t) < 1e-9
    assert genot_loss(silent_bug, x, y, z, t) > 0.5


@given(seed=st.integers(0, 10**6), q=st.sampled_from([1, 4]))
def test_the_loss_agrees_with_numpy_for_a_fixed_velocity(seed, q):
    x, y, z, t = batch(seed, q=q)
    w = jnp.asarray(np.random.default_rng(seed + 1).normal(size=(3 + q + 1, q)), jnp.float32)

    def velocity(time, point, source):
        return jnp.tanh(jnp.concatenate([time[:, None], point, source], axis=1) @ w)

    x64, y64, z64, t64, w64 = (np.asarray(a, np.float64) for a in (x, y, z, t, w))
    point = t64[:, None] * y64 + (1 - t64[:, None]) * z64
    predicted = np.tanh(np.concatenate([t64[:, None], point, x64], axis=1) @ w64)
    expected = ((predicted - (y64 - z64)) ** 2).mean()
    assert float(genot_loss(velocity, x, y, z, t)) == pytest.approx(expected, rel=1e-5)


def test_the_first_loss_of_training_agrees_with_numpy(square, square_plan):
    """The last layer starts at zero, so the first velocity is zero and the first loss is the mean of |y - z|^2."""
    config = bv.FlowConfig(velocity="tiny", steps=1, batch_size=64, seed=3)
    (progress,) = bv.flows.fit(square, square_plan, config)
    _, draws = jax.random.split(jax.random.key(3))
    draw, noise, _time = jax.random.split(jax.random.fold_in(draws, 0), 3)
    i, j = (np.asarray(rows) for rows in square_plan.sampler().draw(draw, 64))
    np.testing.assert_array_equal(i, j)  # the truth of this problem is the diagonal
    y = Scaling.of(square.target.x).standardise(square.target.x)[j]
    z = np.asarray(jax.random.normal(noise, (64, 3), jnp.float32), np.float64)
    assert progress.losses[0] == pytest.approx(((y - z) ** 2).mean(), rel=1e-5)


def test_one_step_of_adam_agrees_with_numpy(square, square_plan):
    """Adam's first step is minus the learning rate times the sign of the gradient of the loss against y - z."""
    config = bv.FlowConfig(velocity="tiny", steps=1, batch_size=64, seed=3, learning_rate=1e-3)
    (progress,) = bv.flows.fit(square, square_plan, config)
    weights, draws = jax.random.split(jax.random.key(3))
    graph, params = init_velocity("tiny", 3, 3, weights)
    draw, noise, time = jax.random.split(jax.random.fold_in(draws, 0), 3)
    i, j = square_plan.sampler().draw(draw, 64)
    x = jnp.asarray(Scaling.of(square.source.x).standardise(square.source.x), jnp.float32)[i]
    y = jnp.asarray(Scaling.of(square.target.x).standardise(square.target.x), jnp.float32)[j]
    z, t = jax.random.normal(noise, (64, 3)), jax.random.uniform(time, (64,))

    def loss(params):
        return jnp.mean((nnx.merge(graph, params)(t, t[:, None] * y + (1 - t)[:, None] * z, x) - (y - z)) ** 2)

    bias = jax.grad(loss)(params)["out"]["bias"].get_value()
    moved = progress.flow.params["out"]["bias"].get_value() - params["out"]["bias"].get_value()
    np.testing.assert_allclose(moved, -1e-3 * np.sign(bias), rtol=1e-3)


def test_halves_of_a_batch_have_the_loss_and_the_gradient_of_the_whole():
    rng = np.random.default_rng(0)
    batch = [jnp.asarray(rng.normal(size=(8, k)), jnp.float32) for k in (2, 3, 3)]
    batch.append(jnp.asarray(rng.uniform(size=8), jnp.float32))
    weights = jnp.asarray(rng.normal(size=(2, 3)), jnp.float32)

    def loss(weights, parts):
        return loss_in_parts(lambda t, point, x: x @ weights + t[:, None] * point, parts, *batch)

    whole, halves = (jax.value_and_grad(loss)(weights, parts) for parts in (1, 2))
    assert float(whole[0]) > 0.5
    assert np.allclose(whole[0], halves[0], rtol=1e-6)
    assert np.allclose(whole[1], halves[1], rtol=1e-5)


def test_only_a_small_field_on_a_cpu_is_computed_in_halves(monkeypatch):
    small, large = np.zeros(1000), np.zeros(2_000_000)
    assert [parts_of(params, 256, None) for params in (small, large)] == [2, 1]
    assert parts_of(small, 255, None) == 1
    assert parts_of(small, 256, bv.flows.mesh(1)) == 1
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert parts_of(small, 256, None) == 1
