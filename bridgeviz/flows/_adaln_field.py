"""Adaptive layer-norm blocks, modulated by time and source together (E.1, after DiT)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike

from bridgeviz.flows._field import TIME_FEATURES, VelocityField, time_features


class Embedding(nnx.Module):
    """in -> d -> d with SiLU in between: the embedding of time, noise or source."""

    def __init__(self, inputs: int, d: int, *, dtype: DTypeLike | None, rngs: nnx.Rngs):
        self.first = nnx.Linear(inputs, d, dtype=dtype, rngs=rngs)
        self.second = nnx.Linear(d, d, dtype=dtype, rngs=rngs)

    def __call__(self, h: jax.Array) -> jax.Array:
        return self.second(nnx.silu(self.first(h)))


class AdaLNBlock(nnx.Module):
    """`h + gate * MLP(LN(h) * (1 + scale) + shift)`, with (shift, scale, gate) from one linear layer on the condition.

    The modulation starts at zero, so each block starts as the identity (E.1).
    """

    def __init__(self, d: int, *, dtype: DTypeLike | None = None, rngs: nnx.Rngs):
        zeros = nnx.initializers.zeros
        self.norm = nnx.LayerNorm(d, use_bias=False, use_scale=False, dtype=dtype, rngs=rngs)
        self.modulation = nnx.Linear(d, 3 * d, kernel_init=zeros, bias_init=zeros, dtype=dtype, rngs=rngs)
        self.first = nnx.Linear(d, d, dtype=dtype, rngs=rngs)
        self.second = nnx.Linear(d, d, dtype=dtype, rngs=rngs)

    def __call__(self, h: jax.Array, modulation: jax.Array) -> jax.Array:
        shift, scale, gate = jnp.split(modulation, 3, axis=-1)
        inner = self.norm(h) * (1 + scale) + shift
        return h + gate * self.second(nnx.silu(self.first(inner)))


class AdaLNField(VelocityField):
    """Adaptive layer-norm blocks on the noise, modulated by the sum of the embeddings of time and source.

    Args:
        p: dimensions of the source.
        q: dimensions of the target, and of the noise.
        d: hidden width.
        blocks: number of residual blocks.
        dtype: of the arithmetic; None takes the type of the inputs. Parameters are float32.
        rngs: random keys for the initial parameters.
    """

    def __init__(self, p: int, q: int, *, d: int, blocks: int, dtype: DTypeLike | None = None, rngs: nnx.Rngs):
        self.time = Embedding(TIME_FEATURES, d, dtype=dtype, rngs=rngs)
        self.source = Embedding(p, d, dtype=dtype, rngs=rngs)
        self.noise = Embedding(q, d, dtype=dtype, rngs=rngs)
        self.blocks = nnx.List([AdaLNBlock(d, dtype=dtype, rngs=rngs) for _ in range(blocks)])
        self.norm = nnx.LayerNorm(d, dtype=dtype, rngs=rngs)
        self.out = nnx.Linear(d, q, kernel_init=nnx.initializers.zeros, dtype=dtype, rngs=rngs)

    def encode(self, x: jax.Array) -> jax.Array:
        return self.source(x)

    def condition(self, t: jax.Array, encoded: jax.Array) -> list[jax.Array]:
        embedded = nnx.silu(self.time(time_features(t)) + encoded)
        return [block.modulation(embedded) for block in self.blocks]

    def velocity(self, z: jax.Array, condition: list[jax.Array]) -> jax.Array:
        h = self.noise(z)
        for block, modulation in zip(self.blocks, condition, strict=True):
            h = block(h, modulation)
        return self.out(self.norm(h)).astype(jnp.float32)
