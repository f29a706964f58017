"""`(I - S)^-1 E` for large graphs, a block of columns at a time.

This module imports numba, so it is itself imported only where the graph is large enough to repay it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Float
from scipy import sparse

from bridgeviz._compiled import compiled, cores

TOLERANCE = 1e-5
"""By which each spectral component of the solution may differ from itself, in float32."""

COLUMNS = 64
"""Columns of a block: long enough for vector instructions, and short enough for the cache."""


def resolvent_blocks(
    s: sparse.csr_array, e: Any, *, bound: float, tolerance: float = TOLERANCE, dtype: type = np.float32
) -> Iterator[tuple[slice, Float[np.ndarray, "u c"]]]:
    r"""Solve `(I - S) F = E` for a symmetric S with its spectrum in [-bound, bound], bound < 1, block by block.

    Chebyshev's semi-iteration `F <- omega (S F + E - F_before) + F_before`. The number of steps follows from the bound
    and the tolerance alone, so that nothing but one pass over the columns is left of a step: no inner products, no
    residuals. After k steps, each spectral component of the solution is off by at most `1 / T_k(1 / bound)` of itself.

    Rows are ordered so that neighbours lie close to each other (Cuthill and McKee 1969), because a step reads them all:
    most are then in the cache.

    Args:
        s: (u, u).
        e: (u, g) sparse, >= 0.
        bound: on the absolute value of the eigenvalues of S.
        tolerance: of the components, relative.
        dtype: of the arithmetic and of the solution, float32 or float64.

    Yields:
        Which columns, and their solution, >= 0. The array is overwritten by the next block.
    """
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    u, g = e.shape
    order = reverse_cuthill_mckee(s, symmetric_mode=True)
    place = np.empty_like(order)
    place[order] = np.arange(u)
    graph, starts = sparse.csr_array(s[order][:, order], dtype=dtype), sparse.csc_array(sparse.csr_array(e)[order])
    graph.sort_indices()
    count, bands = steps(bound, tolerance), np.linspace(0, u, 4 * cores() + 1).astype(np.int64)
    with ThreadPoolExecutor(cores()) as pool:
        for first in range(0, g, COLUMNS):
            columns = slice(first, min(first + COLUMNS, g))
            some = sparse.coo_array(starts[:, columns])
            (rows, at), value = some.coords, some.data.astype(dtype)
            before, now = (np.zeros((u, columns.stop - first), dtype) for _ in range(2))
            now[rows, at] = value
            omega = 2.0
            for _ in range(count - 1):
                omega = 1 / (1 - omega * bound**2 / 4)
                arguments = graph.indptr, graph.indices, graph.data, now, before, dtype(omega)
                list(pool.map(lambda start, end, all_=arguments: _step(*all_, start, end), bands[:-1], bands[1:]))
                before[rows, at] += dtype(omega) * value
                before, now = now, before
            np.take(now, place, axis=0, out=before, mode="clip")  # which, unlike "raise", needs no copy
            yield columns, np.maximum(before, 0, out=before)


def steps(bound: float, tolerance: float) -> int:
    """The number k of steps for which `T_k(1 / bound) >= 1 / tolerance`."""
    return max(1, math.ceil(math.acosh(1 / tolerance) / math.acosh(1 / bound)))


@compiled
@no_type_check
def _step(indptr, indices, data, now, before, omega, start, end):  # pragma: no cover
    """`before <- omega (S now - before) + before` for some rows."""
    columns = now.shape[1]
    sums = np.empty(columns, now.dtype)
    for row in range(start, end):
        sums[:] = 0
        for k in range(indptr[row], indptr[row + 1]):
            weight, neighbour = data[k], now[indices[k]]
            for c in range(columns):
                sums[c] += weight * neighbour[c]
        mine = before[row]
        for c in range(columns):
            mine[c] += omega * (sums[c] - mine[c])
