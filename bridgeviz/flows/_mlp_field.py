"""The baseline of Klein et al. (2023): one embedding each of time, source and noise, then a joint block (E)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from bridgeviz.flows._field import TIME_FEATURES, Stack, VelocityField, time_features


class MLPField(VelocityField):
    """Three embeddings, concatenated, then a joint block; SiLU after every layer but the last.

    The first layer of the joint block is written as three layers, one for each part of the concatenation: the same
    function, and the parts of time and source need not be recomputed at every stage of an ODE step.

    Args:
        p: dimensions of the source.
        q: dimensions of the target, and of the noise.
        d: hidden width.
        embedding: layers of each of the three embeddings.
        joint: layers of the joint block, not counting the linear output layer.
        dtype: of the arithmetic; None takes the type of the inputs. Parameters are float32.
        rngs: random keys for the initial parameters.
    """

    def __init__(
        self, p: int, q: int, *, d: int, embedding: int, joint: int, dtype: DTypeLike | None = None, rngs: nnx.Rngs
    ):
        self.time = Stack(TIME_FEATURES, d, layers=embedding, dtype=dtype, rngs=rngs)
        self.source = Stack(p, d, layers=embedding, dtype=dtype, rngs=rngs)
        self.noise = Stack(q, d, layers=embedding, dtype=dtype, rngs=rngs)
        wide = nnx.initializers.variance_scaling(1 / 3, "fan_in", "truncated_normal")  # the three have 3 d inputs
        self.join_time = nnx.Linear(d, d, use_bias=False, kernel_init=wide, dtype=dtype, rngs=rngs)
        self.join_source = nnx.Linear(d, d, use_bias=False, kernel_init=wide, dtype=dtype, rngs=rngs)
        self.join_noise = nnx.Linear(d, d, kernel_init=wide, dtype=dtype, rngs=rngs)
        self.joint = Stack(d, d, layers=joint - 1, dtype=dtype, rngs=rngs)
        self.out = nnx.Linear(d, q, dtype=dtype, rngs=rngs)

    def encode(self, x: jax.Array) -> jax.Array:
        return self.join_source(self.source(x))

    def condition(self, t: jax.Array, encoded: jax.Array) -> jax.Array:
        return self.join_time(self.time(time_features(t))) + encoded

    def velocity(self, z: jax.Array, condition: jax.Array) -> jax.Array:
        h = nnx.silu(self.join_noise(self.noise(z)) + condition)
        return self.out(self.joint(h)).astype(jnp.float32)
