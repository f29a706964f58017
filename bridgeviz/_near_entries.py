"""The entries of a (min, +) product that lie below a limit for each row: all of them, found without the product.

This module imports numba, so it is itself imported only where a problem repays that.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float
from scipy import sparse

from bridgeviz._compiled import compiled, cores

BAND = 512
"""Rows that a thread searches at a time."""

_ANCHORS = 64  # whose legs are copied and sorted at a time


class Lists(NamedTuple):
    """The columns near each anchor, the nearest first.

    Attributes:
        starts: (g + 1,) where the columns of each anchor start.
        columns: (k,) their numbers.
        legs: (k,) their legs.
    """

    starts: np.ndarray
    columns: np.ndarray
    legs: np.ndarray


class Legs(NamedTuple):
    """Legs over a unit, less an offset per row: `values / unit - offsets[:, None]`, computed some rows at a time.

    Attributes:
        values: (n, g).
        unit: > 0.
        offsets: (n,).
    """

    values: np.ndarray
    unit: float
    offsets: np.ndarray

    def part(self, rows: slice, columns: slice = slice(None)) -> np.ndarray:
        """The legs of some rows and anchors, in float32."""
        return (self.values[rows, columns] / self.unit - self.offsets[rows, None]).astype(np.float32)


def near_entries(a: Legs, b: Legs, limits: Float[np.ndarray, " u"], *, most: int) -> sparse.csr_array | None:
    """All entries of `C[i, j] = min_p a[i, p] + b[j, p]` that are at most `limits[i]`.

    An entry is below its limit if its sum over any anchor is. For each row, the search therefore goes through all
    anchors, and through the columns of each anchor in order of their legs, until the sum exceeds the limit. The least
    sum that it meets is the entry itself.

    Args:
        a, b: the legs of u rows and of v columns.
        limits: of the rows.
        most: entries.

    Returns:
        (u, v) float32, whose columns are in no order; None if there are more than `most` entries.
    """
    u, v = len(a.values), len(b.values)
    lists = _lists(a, b, limits)
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def search(first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = slice(first, first + BAND)
        return _search(a.part(rows), limits[rows].astype(np.float32), *lists, v)

    pool, total = ThreadPoolExecutor(cores()), 0
    try:
        for part in pool.map(search, range(0, u, BAND)):
            parts.append(part)
            total += len(part[1])
            if total > most:
                return None
    finally:
        pool.shutdown(cancel_futures=True)
    ends = np.concatenate([[0], np.cumsum(np.concatenate([part[0] for part in parts]), dtype=np.int64)])
    columns, values, first = np.empty(total, np.int32), np.empty(total, np.float32), 0
    while parts:  # each part is freed once it is copied
        _, some, sums = parts.pop(0)
        columns[first : first + len(some)], values[first : first + len(some)] = some, sums
        first += len(some)
    return sparse.csr_array((values, columns, ends.astype(np.int32) if total < 2**31 else ends), shape=(u, v))


def _lists(a: Legs, b: Legs, limits: np.ndarray) -> Lists:
    """The columns near each anchor, as far as the limit of some row reaches."""
    g = a.values.shape[1]
    reach = np.full(g, -np.inf, np.float32)
    for first in range(0, len(a.values), BAND):
        rows = slice(first, first + BAND)
        reach = np.maximum(reach, (limits[rows, None].astype(np.float32) - a.part(rows)).max(0))

    def sort(first: int) -> list[tuple[np.ndarray, np.ndarray]]:
        legs = np.ascontiguousarray(b.part(slice(None), slice(first, first + _ANCHORS)).T)
        near = [np.flatnonzero(one <= far) for one, far in zip(legs, reach[first : first + _ANCHORS], strict=True)]
        orders = [at[np.argsort(one[at])].astype(np.int32) for one, at in zip(legs, near, strict=True)]
        return [(order, one[order]) for one, order in zip(legs, orders, strict=True)]

    with ThreadPoolExecutor(cores()) as pool:
        sides = [pair for block in pool.map(sort, range(0, g, _ANCHORS)) for pair in block]
    starts = np.concatenate([[0], np.cumsum([len(columns) for columns, _ in sides])]).astype(np.int64)
    return Lists(starts, np.concatenate([c for c, _ in sides]), np.concatenate([legs for _, legs in sides]))


@compiled
@no_type_check
def _search(a, limits, starts, columns, legs, v):
    """The numbers of entries of some rows, their columns and their values."""
    counts = np.zeros(len(a), np.int64)
    best = np.full(v, np.inf, np.float32)
    at, values, n = np.empty(1024, np.int32), np.empty(1024, np.float32), 0
    for i in range(len(a)):
        if n + v > len(at):
            size = 2 * len(at) + v
            more_at, more_values = np.empty(size, np.int32), np.empty(size, np.float32)
            more_at[:n], more_values[:n] = at[:n], values[:n]
            at, values = more_at, more_values
        first = n
        for p in range(a.shape[1]):
            leg = a[i, p]
            for k in range(starts[p], starts[p + 1]):
                total = leg + legs[k]
                if total > limits[i]:
                    break
                j = columns[k]
                if total < best[j]:
                    if best[j] == np.inf:
                        at[n] = j
                        n += 1
                    best[j] = total
        for k in range(first, n):
            values[k] = best[at[k]]
            best[at[k]] = np.inf
        counts[i] = n - first
    return counts, at[:n].copy(), values[:n].copy()
