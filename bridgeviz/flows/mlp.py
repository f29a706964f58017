"""The baseline of Klein et al. (2023): an embedding block each for time, source and noise, then a joint block (E)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from bridgeviz.flows.field import TIME_FEATURES, Stack, VelocityField, time_features


class MLP(VelocityField):
    """Three embeddings, concatenated, then a joint block; SiLU after every layer but the last.

    The joint block's first layer is written as three, one for each part of the concatenation: the same function, and
    what time and source add to it need not be computed at every stage of an ODE step.

    Args:
        p: dimensions of the source.
        q: dimensions of the target, and of the noise.
        d: hidden width.
        embedding: layers of each of the three embedding blocks.
        joint: layers of the joint block, without the linear one that gives the velocity.
        dtype: of the arithmetic; None takes that of the inputs. Parameters are float32.
    """

    def __init__(self, p: int, q: int, *, d: int, embedding: int, joint: int, dtype: Any = None, rngs: nnx.Rngs):
        self.time = Stack(TIME_FEATURES, d, layers=embedding, dtype=dtype, rngs=rngs)
        self.source = Stack(p, d, layers=embedding, dtype=dtype, rngs=rngs)
        self.noise = Stack(q, d, layers=embedding, dtype=dtype, rngs=rngs)
        wide = nnx.initializers.variance_scaling(1 / 3, "fan_in", "truncated_normal")  # of 3 d inputs together
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
