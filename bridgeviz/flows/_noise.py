"""The noise z ~ N(0, I_q) from which points are transported, drawn block by block (Eq. 12)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.random import threefry_2x32
from jaxtyping import Array, Float, UInt32


def noise(seed: int, first: int, rows: int, columns: int) -> Float[Array, "rows columns"]:
    """Rows of `jax.random.normal(jax.random.key(seed), (n, columns))`, for any n, without drawing the other rows.

    JAX makes each number from the seed and from its place in the array alone (`jax_threefry_partitionable`), so that
    noise does not depend on the size of the blocks.

    Args:
        seed: any integer >= 0.
        first: the number of the first row.
        rows: number of rows.
        columns: number of columns of the whole array.
    """
    places = np.arange(first * columns, (first + rows) * columns, dtype=np.uint64)
    counts = np.concatenate([places >> 32, places & 0xFFFFFFFF]).astype(np.uint32)
    key = jax.random.key_data(jax.random.key(seed, impl="threefry2x32"))
    return _normal(key, counts).reshape(rows, columns)


@jax.jit
def _normal(key: UInt32[Array, " two"], counts: UInt32[Array, " twice"]) -> Float[Array, " k"]:
    """Standard normal numbers as `jax.random.normal` makes them: the upper halves of the places come first."""
    upper, lower = jnp.split(threefry_2x32(key, counts), 2)
    exponent = jnp.float32(1).view(jnp.uint32)
    unit = ((upper ^ lower) >> 9 | exponent).view(jnp.float32) - 1
    least = np.nextafter(np.float32(-1), np.float32(0))
    uniform = jnp.maximum(least, unit * (1 - least) + least)
    return np.sqrt(2, dtype=np.float32) * jax.scipy.special.erfinv(uniform)
