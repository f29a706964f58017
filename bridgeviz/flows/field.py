"""What every velocity field v_t(z | x) shares: its three stages, and the features of time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

TIME_FEATURES = 64


class VelocityField(nnx.Module):
    """v_t(z | x) in three stages, so that transport repeats only what changes from step to step.

    `encode(x)` does not know the time, `condition(t, encoded)` does not know the point, and only `velocity(z, ..)`
    has to be computed at every stage of an ODE step.
    """

    def encode(self, x: Float[Array, "b p"]) -> Any:
        """What the source points say at all times."""
        raise NotImplementedError

    def condition(self, t: Float[Array, " b"], encoded: Any) -> Any:
        """What time and source say together; t may be one number for all points, of shape (1,)."""
        raise NotImplementedError

    def velocity(self, z: Float[Array, "b q"], condition: Any) -> Float[Array, "b q"]:
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
    """`layers` times a linear layer and SiLU, `inputs` -> d -> ... -> d."""

    def __init__(self, inputs: int, d: int, *, layers: int, dtype: Any, rngs: nnx.Rngs):
        sizes = [inputs] + [d] * layers
        self.layers = nnx.List([nnx.Linear(a, b, dtype=dtype, rngs=rngs) for a, b in pairwise(sizes)])

    def __call__(self, h: jax.Array) -> jax.Array:
        for layer in self.layers:
            h = nnx.silu(layer(h))
        return h
