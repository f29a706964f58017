"""The matrix of a cost on the device, made once, where the solver reads it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from bridgeviz._extent import Extent, Totals, extent, row_blocks, totals
from bridgeviz._row_shards import RowShards

Cost = np.ndarray | Callable[[np.ndarray, slice], None]
"""A matrix, or what writes some of its rows into the array that it is called with."""

STREAMED = 2**24
"""Entries that are written at a time where the memory has to belong to JAX."""


def on_device(
    cost: Cost, a: np.ndarray, b: np.ndarray, block: int, dtype: type, *, owned: bool
) -> tuple[jax.Array, Extent]:
    """A cost with rows of infinity at its end, up to whole blocks, and its extent.

    Args:
        cost: between u rows and v columns.
        a, b: the masses of both.
        block: rows.
        dtype: of the matrix.
        owned: whether its memory has to belong to JAX, which alone can be reused. Otherwise a CPU uses NumPy's.
    """
    u, v = len(a), len(b)
    shape = u + -u % block, v
    if not owned:
        padded = _aligned(shape, dtype)
        padded[u:] = np.inf
        _write(cost, padded[:u], slice(0, u))
        return jax.device_put(padded, may_alias=True), extent(row_blocks(padded[:u]), a, b)
    matrix = jnp.full(shape, jnp.inf, dtype)
    step = block * max(1, STREAMED // (block * v))

    def written() -> Iterator[tuple[slice, np.ndarray]]:
        nonlocal matrix
        for first in range(0, u, step):
            part = np.empty((min(step, u - first), v), dtype)
            _write(cost, part, slice(first, first + len(part)))
            matrix = _put_rows(matrix, part, first)
            yield from ((slice(first + rows.start, first + rows.stop), some) for rows, some in row_blocks(part))

    found = extent(written(), a, b)
    return matrix, found


def over_devices(
    cost: Cost, a: np.ndarray, b: np.ndarray, block: int, dtype: type, shards: RowShards
) -> tuple[jax.Array, Extent]:
    """The same with the rows divided over devices. Each host writes those of its own devices alone."""
    u, v = len(a), len(b)
    found: list[Totals] = []

    def written(index: tuple[slice, ...]) -> np.ndarray:
        first, last, _ = index[0].indices(u + -u % (block * shards.count))
        part, last = np.full((last - first, v), np.inf, dtype), min(last, u)
        if first < last:
            _write(cost, part[: last - first], slice(first, last))
            found.append(totals(row_blocks(part[: last - first]), a[first:last], b))
        return part

    matrix = shards.array((u + -u % (block * shards.count), v), written)
    return matrix, Totals().with_others(shards.from_all_hosts(Totals().with_others(found))).extent


@partial(jax.jit, donate_argnums=0)
def _put_rows(matrix: jax.Array, rows: jax.Array, first: int) -> jax.Array:
    """The matrix with these rows from number `first` on, in its own memory."""
    return lax.dynamic_update_slice_in_dim(matrix, rows, first, 0)


def _write(cost: Cost, out: np.ndarray, rows: slice) -> None:
    if callable(cost):
        cost(out, rows)
    else:
        np.copyto(out, cost[rows], casting="same_kind")


def _aligned(shape: tuple[int, int], dtype: type) -> np.ndarray:
    """An empty matrix whose memory JAX can use as it is on a CPU, where it asks for multiples of 64 bytes."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + 64, np.uint8)
    first = -memory.ctypes.data % 64
    return memory[first : first + size].view(dtype).reshape(shape)
