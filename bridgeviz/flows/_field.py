"""What every velocity field v_t(z | x) shares: its three stages, and the features of time."""

from __future__ import annotations

from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import DTypeLike
from jaxtyping import Array, Float, PyTree

TIME_FEATURES = 64


class VelocityField(nnx.Module):
    """v_t(z | x) in three stages, so that transport repeats only what changes from step to step.

    `encode(x)` does not depend on the time, `condition(t, encoded)` does not depend on the state, and only
    `velocity(z, condition)` is evaluated at every stage of an ODE step.
    """

    def encode(self, x: Float[Array, "b p"]) -> PyTree[Array]:
        """The part that depends on the source points alone."""
        raise NotImplementedError

    def condition(self, t: Float[Array, " b"], encoded: PyTree[Array]) -> PyTree[Array]:
        """The part that depends on time and source; a t of shape (1,) is the time of all points."""
        raise NotImplementedError

    def velocity(self, z: Float[Array, "b q"], condition: PyTree[Array]) -> Float[Array, "b q"]:
        """The velocity at points z of the target space."""
        raise NotImplementedError

    def __call__(self, t: Float[Array, " b"], z: Float[Array, "b q"], x: Float[Array, "b p"]) -> Float[Array, "b q"]:
        """v_t(z | x), float32."""
        return self.velocity(z, self.condition(t, self.encode(x)))


def time_features(t: Float[Array, " b"]) -> Float[Array, "b f"]:
    """Cosines and sines of t in [0, 1] at frequencies from 1 to 1,000 radians."""
    angles = t[:, None] * jnp.geomspace(1.0, 1000.0, TIME_FEATURES // 2)
    return jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], axis=-1)


class Stack(nnx.Module):
    """Linear layers, each followed by SiLU: `inputs` -> d -> ... -> d."""

    def __init__(self, inputs: int, d: int, *, layers: int, dtype: DTypeLike | None, rngs: nnx.Rngs):
        sizes = [inputs] + [d] * layers
        self.layers = nnx.List([nnx.Linear(a, b, dtype=dtype, rngs=rngs) for a, b in pairwise(sizes)])

    def __call__(self, h: jax.Array) -> jax.Array:
        for layer in self.layers:
            h = nnx.silu(layer(h))
        return h
