"""The velocity fields of Table 1."""

from __future__ import annotations

from dataclasses import asdict

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import bridgeviz as bv
from bridgeviz.flows import MLP, AdaLN
from bridgeviz.flows._adaln_field import AdaLNBlock
from bridgeviz.flows._field import time_features
from bridgeviz.flows._networks import structure

TABLE_1 = {
    "adaln-small": (5, 128, 0.7e6), "adaln-medium": (7, 256, 3e6), "adaln-large": (8, 1024, 49e6),
    "mlp-small": (4, 256, 0.7e6), "mlp-medium": (6, 512, 3e6), "mlp-large": (8, 1680, 49e6),
}  # fmt: skip
IMAGENET = 768, 384


def jiggled(model: nnx.Module, seed: int = 0) -> nnx.Module:
    """The model with all parameters, including zeros, moved away from their initial values."""
    graph, params = nnx.split(model, nnx.Param)
    leaves, tree = jax.tree.flatten(params)
    rng = np.random.default_rng(seed)
    leaves = [leaf + 0.3 * jnp.asarray(rng.normal(size=leaf.shape), leaf.dtype) for leaf in leaves]
    return nnx.merge(graph, jax.tree.unflatten(tree, leaves))


@pytest.mark.parametrize("name", TABLE_1)
def test_layers_widths_and_parameters_are_those_of_table_1(name):
    layers, width, parameters = TABLE_1[name]
    count = bv.flows.parameter_count(name, *IMAGENET)
    print(f"{name}: {count / 1e6:.2f} M, Table 1: {parameters / 1e6:g} M")
    assert abs(count / parameters - 1) < 0.1
    options = asdict(bv.flows.VELOCITIES[name])
    assert options["d"] == width
    assert options.get("blocks", 0) + options.get("embedding", 0) + options.get("joint", 0) == layers
    assert sum(leaf.size for leaf in jax.tree.leaves(structure(name, *IMAGENET)[1])) == count


def batch(b: int = 6, p: int = 5, q: int = 3):
    rng = np.random.default_rng(1)
    arrays = rng.random(b), rng.normal(size=(b, q)), rng.normal(size=(b, p))
    return tuple(jnp.asarray(a, jnp.float32) for a in arrays)


FIELDS = {
    "adaln": lambda: AdaLN(d=16, blocks=2).make(5, 3, rngs=nnx.Rngs(0)),
    "mlp": lambda: MLP(d=16, embedding=2, joint=3).make(5, 3, rngs=nnx.Rngs(0)),
}


def test_blocks_start_as_the_identity():
    block = AdaLNBlock(8, rngs=nnx.Rngs(0))
    h = jnp.arange(16.0).reshape(2, 8)
    np.testing.assert_array_equal(block(h, block.modulation(jnp.ones((2, 8)))), h)


def test_an_adaln_block_agrees_with_numpy():
    block = jiggled(AdaLNBlock(8, rngs=nnx.Rngs(0)))
    rng = np.random.default_rng(2)
    h, condition = rng.normal(size=(4, 8)), rng.normal(size=(4, 8))

    def linear(layer, value):
        return value @ np.asarray(layer.kernel.get_value(), float) + np.asarray(layer.bias.get_value(), float)

    shift, scale, gate = np.split(linear(block.modulation, condition), 3, axis=1)
    normed = (h - h.mean(1, keepdims=True)) / np.sqrt(h.var(1, keepdims=True) + 1e-6)
    inner = linear(block.first, normed * (1 + scale) + shift)
    expected = h + gate * linear(block.second, inner / (1 + np.exp(-inner)))
    result = block(jnp.asarray(h, jnp.float32), block.modulation(jnp.asarray(condition, jnp.float32)))
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


def test_the_mlp_concatenates_its_embeddings():
    """The first layer of the joint block, in three parts, is one layer on the concatenation (Klein et al. 2023)."""
    model = jiggled(MLP(d=16, embedding=2, joint=3).make(5, 3, rngs=nnx.Rngs(0)))
    t, z, x = batch()
    parts = [np.asarray(model.time(time_features(t))), np.asarray(model.source(x)), np.asarray(model.noise(z))]
    joins = [model.join_time, model.join_source, model.join_noise]
    kernel = np.concatenate([np.asarray(join.kernel.get_value()) for join in joins])
    h = np.concatenate(parts, axis=1) @ kernel + np.asarray(model.join_noise.bias.get_value())
    h = model.joint(jnp.asarray(h / (1 + np.exp(-h))))
    np.testing.assert_allclose(model(t, z, x), model.out(h), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", FIELDS)
def test_time_noise_and_source_all_matter(name):
    model = jiggled(FIELDS[name]())
    t, z, x = batch()
    v = np.asarray(model(t, z, x))
    assert v.shape == (6, 3)
    assert v.dtype == np.float32
    for other in (model(t / 2, z, x), model(t, z + 1, x), model(t, z, x + 1)):
        assert (np.abs(np.asarray(other) - v).max(1) > 1e-3).all()
    alone = model(t[2:3], z[2:3], x[2:3])
    np.testing.assert_allclose(alone[0], v[2], rtol=1e-5, atol=1e-5)  # rows are independent


@pytest.mark.parametrize("name", FIELDS)
def test_one_time_for_all_points(name):
    model = jiggled(FIELDS[name]())
    t, z, x = batch()
    shared = model.velocity(z, model.condition(t[:1], model.encode(x)))
    np.testing.assert_allclose(shared, model(jnp.full(6, t[0]), z, x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("options", [AdaLN(d=64, blocks=3), MLP(d=64, embedding=2, joint=2)], ids=lambda o: o.name)
def test_bfloat16_agrees_with_float32_to_its_precision(options):
    full = options.make(5, 3, rngs=nnx.Rngs(0))
    half = options.make(5, 3, dtype=jnp.bfloat16, rngs=nnx.Rngs(0))
    graph, _ = nnx.split(half, nnx.Param)
    _, params = nnx.split(jiggled(full), nnx.Param)
    t, z, x = batch(200)
    a, b = jiggled(full)(t, z, x), nnx.merge(graph, params)(t, z, x)
    assert b.dtype == jnp.float32
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(nnx.split(half, nnx.Param)[1]))
    error = float(jnp.sqrt(jnp.mean((a - b) ** 2)) / jnp.std(a))
    assert 1e-5 < error < 0.05
