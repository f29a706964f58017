"""Velocity fields v_t(z | x) (Appendix E, Table 1)."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

TIME_FEATURES = 64


def time_features(t: Float[Array, " b"]) -> Float[Array, "b f"]:
    """Cosines and sines of t in [0, 1] at frequencies from 1 to 1,000 radians."""
    angles = t[:, None] * jnp.geomspace(1.0, 1000.0, TIME_FEATURES // 2)
    return jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], axis=-1)


class Embedding(nnx.Module):
    """in -> d -> d with SiLU between: the embedding of time, of noise or of the source."""

    def __init__(self, inputs: int, d: int, *, rngs: nnx.Rngs):
        self.first = nnx.Linear(inputs, d, rngs=rngs)
        self.second = nnx.Linear(d, d, rngs=rngs)

    def __call__(self, h: jax.Array) -> jax.Array:
        return self.second(nnx.silu(self.first(h)))


class AdaLNBlock(nnx.Module):
    """`h + gate * MLP(LN(h) * (1 + scale) + shift)`, with (shift, scale, gate) from one linear layer on the condition.

    The modulation starts at zero, so each block starts as the identity (E.1).
    """

    def __init__(self, d: int, *, rngs: nnx.Rngs):
        zeros = nnx.initializers.zeros
        self.norm = nnx.LayerNorm(d, use_bias=False, use_scale=False, rngs=rngs)
        self.modulation = nnx.Linear(d, 3 * d, kernel_init=zeros, bias_init=zeros, rngs=rngs)
        self.first = nnx.Linear(d, d, rngs=rngs)
        self.second = nnx.Linear(d, d, rngs=rngs)

    def __call__(self, h: jax.Array, condition: jax.Array) -> jax.Array:
        shift, scale, gate = jnp.split(self.modulation(condition), 3, axis=-1)
        inner = self.norm(h) * (1 + scale) + shift
        return h + gate * self.second(nnx.silu(self.first(inner)))


class AdaLN(nnx.Module):
    """Adaptive layer-norm blocks, modulated by time and source together (E.1, after DiT).

    Args:
        p: dimensions of the source.
        q: dimensions of the target, and of the noise.
        d: hidden width.
        blocks: how many.
    """

    def __init__(self, p: int, q: int, *, d: int, blocks: int, rngs: nnx.Rngs):
        self.time = Embedding(TIME_FEATURES, d, rngs=rngs)
        self.source = Embedding(p, d, rngs=rngs)
        self.noise = Embedding(q, d, rngs=rngs)
        self.blocks = nnx.List([AdaLNBlock(d, rngs=rngs) for _ in range(blocks)])
        self.norm = nnx.LayerNorm(d, rngs=rngs)
        self.out = nnx.Linear(d, q, kernel_init=nnx.initializers.zeros, rngs=rngs)

    def __call__(self, t: Float[Array, " b"], z: Float[Array, "b q"], x: Float[Array, "b p"]) -> Float[Array, "b q"]:
        """The velocity at times t and points z of the target space, for source points x."""
        condition = nnx.silu(self.time(time_features(t)) + self.source(x))
        h = self.noise(z)
        for block in self.blocks:
            h = block(h, condition)
        return self.out(self.norm(h))


VELOCITIES: dict[str, Callable[..., nnx.Module]] = {
    "adaln-small": lambda p, q, rngs: AdaLN(p, q, d=128, blocks=5, rngs=rngs),
    "adaln-medium": lambda p, q, rngs: AdaLN(p, q, d=256, blocks=7, rngs=rngs),
    "adaln-large": lambda p, q, rngs: AdaLN(p, q, d=1024, blocks=8, rngs=rngs),
}
"""Table 1's adaLN rows, by name: (p, q, rngs) -> a module called as v(t, z, x).

Table 1 says 0.7, 3 and 49 million parameters. `parameter_count` gives 0.67, 2.9 and 46.8 million between ImageNet's 768
and 384 dimensions, and 0.47, 2.5 and 45.2 million between MNIST's 16 and 4.
"""


def parameter_count(name: str, p: int, q: int) -> int:
    """How many numbers the velocity field of that name learns between p and q dimensions."""
    model = nnx.eval_shape(lambda: VELOCITIES[name](p, q, nnx.Rngs(0)))
    return sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
