"""The marginals of a batch in which some matches are forbidden."""

from __future__ import annotations

import jax
import jax.numpy as jnp

_TINY = 1e-12
"""The mass of a row without a permitted match in its batch: not zero, whose logarithm is not finite."""


def batch_marginals(cost: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(b,) and (b,) the same mass for every row that has a permitted match in the batch, and next to none for others.

    Args:
        cost: (b, b), infinite where a match is forbidden.
    """
    sides = []
    for axis in (1, 0):
        mass = jnp.where(jnp.isinf(cost).all(axis), _TINY, 1.0)
        sides.append(mass / mass.sum())
    return sides[0], sides[1]


def reachable(cost: jax.Array) -> jax.Array:
    """The cost with zeros in the rows and columns without a permitted match, so that no potential is infinite."""
    alone = jnp.isinf(cost)
    return jnp.where(alone.all(1, keepdims=True) | alone.all(0, keepdims=True), 0.0, cost)
