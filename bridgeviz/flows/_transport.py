"""Following a velocity field from noise to target: `dz/dt = v_t(z | x)` from t = 0 to 1 (Eq. 12)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from bridgeviz._checks import InputError
from bridgeviz.flows._noise import noise
from bridgeviz.flows._ode import OdeOptions

BLOCK, BLOCK_ON_ACCELERATOR = 1024, 8192
"""Points transported at a time. On a CPU, what they need at every step stays in its cache."""

_AHEAD = 2
"""Blocks that are being computed at a time: one is copied from the device while the next one is computed."""


@partial(jax.jit, static_argnames=("graph", "solver"))
def follow(
    graph: nnx.GraphDef, params: nnx.State, x: Array, z: Array, ts: Array, *, solver: OdeOptions
) -> tuple[Array, Array]:
    """The (T, n, q) states at times ts from noise z, and whether the solver reached t = 1 with finite numbers."""
    states, solved = solver.solve(nnx.merge(graph, params), x, z, ts)
    return states, solved & jnp.isfinite(states).all()


def follow_in_blocks(
    graph: nnx.GraphDef,
    params: nnx.State,
    source: Callable[[np.ndarray], np.ndarray],
    *,
    size: int,
    columns: int,
    seed: int,
    ts: np.ndarray,
    solver: OdeOptions,
) -> Iterator[tuple[np.ndarray, Float[np.ndarray, "T k q"]]]:
    """The numbers of successive points and their states, block by block.

    All blocks have one shape and share one compiled program.

    Args:
        graph, params: the velocity field.
        source: row numbers -> those source points, standardised, float32.
        size: number of points.
        columns: q, of the target.
        seed: of the noise.
        ts: (T,) increasing times in [0, 1].
        solver: of the ODE.

    Raises:
        InputError: the solver did not reach t = 1 with finite numbers.
    """
    largest = BLOCK if jax.default_backend() == "cpu" else BLOCK_ON_ACCELERATOR
    block = min(largest, 1 << (size - 1).bit_length())  # few distinct shapes, hence few compilations
    times = jnp.asarray(ts, jnp.float32)
    running: deque[tuple[np.ndarray, Array, Array]] = deque()
    for start in range(0, size, block):
        rows = np.minimum(np.arange(start, start + block), size - 1)  # the last block repeats the last row
        z = noise(seed, start, block, columns)[rows - start]
        states, solved = follow(graph, params, source(rows), z, times, solver=solver)
        running.append((rows[: size - start], states, solved))
        if len(running) == _AHEAD:
            yield _finished(*running.popleft(), solver)
    while running:
        yield _finished(*running.popleft(), solver)


def _finished(rows: np.ndarray, states: Array, solved: Array, solver: OdeOptions) -> tuple[np.ndarray, np.ndarray]:
    """The result of a block, once it is computed, without the rows that fill it up."""
    if not bool(solved):
        raise InputError(f"transport() could not follow the flow to t = 1 with {solver}. {solver.advice}")
    return rows, np.asarray(states)[:, : len(rows)]
