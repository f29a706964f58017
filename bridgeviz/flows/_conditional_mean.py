"""The conditional mean `E[y | x]` from the velocity at t = 0, without following the flow."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

BLOCK = 1024
"""Points computed at a time."""


def antithetic(key: Array, draws: int, q: int) -> Float[Array, "d q"]:
    """Noise in opposite pairs `z, -z`: the part of an error that is odd in z, such as z itself, cancels exactly."""
    z = jax.random.normal(key, ((draws + 1) // 2, q), jnp.float32)
    return jnp.stack([z, -z], axis=1).reshape(-1, q)[:draws]


@partial(jax.jit, static_argnames="graph")
def expected_end(
    graph: nnx.GraphDef, params: nnx.State, x: Float[Array, "b p"], noise: Float[Array, "d q"]
) -> Float[Array, "b q"]:
    """`z + v_0(z | x)` averaged over the draws z.

    At t = 0 a point is pure noise, so the velocity that minimises the loss (Eq. 4) is `E[y | x] - z`.
    """
    field = nnx.merge(graph, params)
    condition = field.condition(jnp.zeros(1), field.encode(x))

    def add(total: Array, z: Array) -> tuple[Array, None]:
        z = jnp.broadcast_to(z, (len(x), len(z)))
        return total + z + field.velocity(z, condition), None

    total, _ = jax.lax.scan(add, jnp.zeros((len(x), noise.shape[1]), jnp.float32), noise)
    return total / len(noise)
