"""Sinkhorn's kernel on the device: how it is computed from a cost, and iterations on it."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.special import logsumexp

WIDEST = 30.0
"""Logarithm of a scaling beyond which it is absorbed into the kernel."""


class SplitCost(NamedTuple):
    """The cost `weight * matrix + left @ right.T`, of which only blocks of rows are ever computed.

    Attributes:
        matrix: (u, v), infinite where no mass may go.
        weight: of the matrix; > 0 without a product.
        left, right: (u, k) and (v, k), float64; None without a product.
    """

    matrix: jax.Array
    weight: jax.Array | float = 1.0
    left: jax.Array | None = None
    right: jax.Array | None = None


class Kernel(NamedTuple):
    """`exp((f + g - C) / epsilon)` with what the iterations read.

    Attributes:
        values: (u, v), perhaps in a smaller type than that of the scalings.
        a, b: logarithms of the marginals, float64.
        f, g: the absorbed potentials over epsilon, float64.
        tau: of both sides.
    """

    values: jax.Array
    a: jax.Array
    b: jax.Array
    f: jax.Array
    g: jax.Array
    tau: tuple[float, float]


def start(
    matrix: jax.Array, terms: tuple[Any, Any, Any], a: jax.Array, g: jax.Array, epsilon: float, tau: float, *,
    block: int, store: Any,
):  # fmt: skip
    """The kernel for these potentials of the columns, and those of the rows by an exact half-iteration.

    Args:
        matrix: of the cost.
        terms: of the cost, besides its matrix.
        a: logarithms of the rows' marginal.
        g: potentials of the columns over epsilon.
        epsilon, tau: of the problem; tau of the rows.
        block: rows.
        store: the type that the kernel is stored in; None puts it in the place of the matrix.
    """
    dtype = matrix.dtype

    def through(k: jax.Array, carried: tuple[jax.Array, jax.Array]):
        rows = carried[0] if store is None else matrix
        z = g - _block_over(SplitCost(rows, *terms), k, block, epsilon)
        highest = z.max(1)
        highest = jnp.where(jnp.isfinite(highest), highest, 0)
        values = jnp.exp((z - highest[:, None]).astype(dtype))  # near the maximum, where float32 is exact
        f = _fitting(part(a, k, block), highest + jnp.log(values.sum(1, dtype=g.dtype)), tau)
        values *= jnp.exp(f + highest).astype(dtype)[:, None]
        return put(carried[0], values.astype(carried[0].dtype), k, block), put(carried[1], f, k, block)

    empty = (matrix if store is None else jnp.zeros(matrix.shape, store)), jnp.zeros_like(a)
    return lax.fori_loop(0, len(a) // block, through, empty)


def columns_alone(
    matrix: jax.Array, terms: tuple[Any, Any, Any], b: jax.Array, epsilon: float, tau: float, *, block: int,
    axis: str | None = None,
) -> jax.Array:  # fmt: skip
    """Potentials of the columns that fit rows without potentials, from which no column can vanish by underflow.

    Args:
        matrix, terms: of the cost.
        b: logarithms of the columns' marginal.
        epsilon, tau: of the problem; tau of the columns.
        block: rows.
        axis: of the devices that the rows are divided over; None for one device.
    """
    cost = SplitCost(matrix, *terms)

    def through(k: jax.Array, log_sums: jax.Array) -> jax.Array:
        return jnp.logaddexp(log_sums, logsumexp(-_block_over(cost, k, block, epsilon), axis=0))

    log_sums = lax.fori_loop(0, len(matrix) // block, through, jnp.full_like(b, -jnp.inf))
    if axis is not None:
        log_sums = logsumexp(lax.all_gather(log_sums, axis), axis=0)
    return _fitting(b, log_sums, tau)


def _block_over(cost: SplitCost, k: jax.Array, block: int, epsilon: float) -> jax.Array:
    """Rows of the cost over epsilon, float64: rounded before potentials are added, they would lose digits."""
    matrix = part(cost.matrix, k, block).astype(float)
    if cost.left is None or cost.right is None:
        return matrix * (cost.weight / epsilon)
    rows = jnp.where(jnp.isfinite(matrix), cost.weight * matrix, jnp.inf)  # the weight may be zero
    return (rows + part(cost.left, k, block) @ cost.right.T) / epsilon


def _fitting(log_mass: jax.Array, log_sums: jax.Array, tau: float) -> jax.Array:
    """The potentials over epsilon that fit these marginals; 0 where all matches are forbidden."""
    return jnp.where(jnp.isfinite(log_sums), tau * (log_mass - log_sums), 0)


def part(values: jax.Array, k: jax.Array, block: int) -> jax.Array:
    """Block k of the rows."""
    return lax.dynamic_slice_in_dim(values, k * block, block)


def put(values: jax.Array, rows: jax.Array, k: jax.Array, block: int) -> jax.Array:
    """The values with these rows as their block k."""
    return lax.dynamic_update_slice_in_dim(values, rows, k * block, 0)


def widest(rows: jax.Array, columns: jax.Array) -> jax.Array:
    """The largest logarithm of a scaling, up or down."""
    return jnp.maximum(jnp.abs(jnp.log(rows)).max(), jnp.abs(jnp.log(columns)).max())


@partial(jax.jit, donate_argnums=0)
def scaled(kernel: jax.Array, rows: jax.Array, columns: jax.Array) -> jax.Array:
    """The plan of these scalings, in the memory of the kernel."""
    return kernel * rows[:, None] * columns


@jax.jit
def mass_of(kernel: jax.Array, rows: jax.Array, columns: jax.Array) -> jax.Array:
    """The mass of the plan of these scalings."""
    return ((kernel @ columns) * rows).sum(dtype=float)


def sweeps(
    kernel: Kernel, rows: jax.Array, columns: jax.Array, omega: float, goal: float, count: int, *, block: int,
    axis: str | None = None,
):  # fmt: skip
    """Up to `count` iterations, until the error reaches the goal or a scaling is too wide for its type.

    Args:
        kernel: of the problem.
        rows, columns: scalings.
        omega: over-relaxation.
        goal: the error at which to stop.
        count: iterations.
        block: rows.
        axis: of the devices that the rows are divided over; None for one device.
    """
    dtype, wide = rows.dtype, kernel.b.dtype  # in which the sums of blocks are added
    power, (tau_x, tau_y) = jnp.asarray(omega, dtype), kernel.tau
    tiny = jnp.finfo(dtype).tiny

    def updated(old: jax.Array, sums: jax.Array, log_mass: jax.Array, absorbed: jax.Array, tau: float):
        log_sums = jnp.log(jnp.maximum(sums, tiny).astype(log_mass.dtype))
        new = jnp.exp(tau * (log_mass - log_sums) + (tau - 1) * absorbed).astype(dtype)
        return jnp.where(sums > tiny, new, old)

    def relaxed(old: jax.Array, new: jax.Array) -> jax.Array:
        return jnp.where(power == 1, new, old * (new / old) ** power)

    def one(state):
        rows, columns, _, done, _ = state

        def through(k, carried):
            next_rows, sums, moved, mass = carried
            values, old = part(kernel.values, k, block).astype(dtype), part(rows, k, block)
            row_sums = values @ columns
            new = updated(old, row_sums, part(kernel.a, k, block), part(kernel.f, k, block), tau_x)
            moved += (jnp.abs(old - new) * row_sums).sum(dtype=wide)
            mass += (new * row_sums).sum(dtype=wide)
            new = relaxed(old, new)
            return put(next_rows, new, k, block), sums + new @ values, moved, mass

        empty = (rows, jnp.zeros_like(kernel.b), jnp.zeros((), wide), jnp.zeros((), wide))
        rows, sums, moved, mass = lax.fori_loop(0, len(rows) // block, through, empty)
        if axis is not None:
            sums, moved, mass = lax.psum((sums, moved, mass), axis)
        new = updated(columns, sums, kernel.b, kernel.g, tau_y)
        moved += jnp.where(power == 1, 0.0, (jnp.abs(columns - new) * sums).sum())  # else they are exact after this
        columns = relaxed(columns, new)
        width = widest(rows, columns)
        return rows, columns, moved / mass, done + 1, width if axis is None else lax.pmax(width, axis)

    def goes_on(state):
        _, _, error, done, width = state
        return (done < count) & ~(error <= goal) & (width < WIDEST)

    start = rows, columns, jnp.asarray(jnp.inf, wide), 0, jnp.zeros((), dtype)
    return lax.while_loop(goes_on, one, start)[:4]
