"""A fast exact (min, +) product: small tiles, and anchors that cannot matter are skipped.

This module imports numba, so it is itself imported only for products that are large enough to repay it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import no_type_check

import numpy as np
from jaxtyping import Float

from bridgeviz._compiled import compiled, cores

ROWS, COLUMNS = 8, 32
"""The size of a tile. Smaller tiles skip more anchors, larger ones spend less on finding them."""

BAND = 256
"""Rows that a thread computes at a time: an interrupt waits for at most one band per thread."""

_CHUNK = 32  # anchors between two updates of a tile's worst sum
_FEATURES = 128  # legs that decide which rows lie near each other


def tiled_min_plus(a: Float[np.ndarray, "u g"], b: Float[np.ndarray, "v g"], out: Float[np.ndarray, "u v"]) -> None:
    """`out[i, j] = min_p a[i, p] + b[j, p]`, with the same rounding as the plain loop over p.

    Rows with similar legs share a tile. For a tile of rows I and columns J, `min_I a[:, p] + min_J b[:, p]` bounds its
    sums over anchor p from below, in floating point as well, because rounded addition is monotone. Anchors whose bound
    reaches the worst sum in the tile are skipped; those with short first legs come first, so that sums fall early.
    The result does not depend on the order, so how well rows are grouped affects the speed only.

    Besides `out` this holds one copy of `b` and, per thread, one band of rows.

    Args:
        a: legs of the rows, without NaN and -inf; g >= 1.
        b: legs of the columns, likewise, of the same dtype.
        out: filled, and rounded to its dtype.
    """
    rows, columns = _near_rows_together(a, ROWS), _near_rows_together(b, COLUMNS)
    tiles_b = _tiles(b, columns, COLUMNS)
    shortest_b = tiles_b.min(2)
    place = np.empty(len(b), int)
    place[columns] = np.arange(len(b))

    def fill(start: int) -> None:
        band = rows[start : start + BAND]
        tiles_a = _tiles(a, band, ROWS)
        shortest_a = tiles_a.min(2)
        order = np.argsort(shortest_a, axis=1)
        sums = np.empty((len(tiles_a), ROWS, len(tiles_b), COLUMNS), a.dtype)
        _fill_band(tiles_a, shortest_a, order, tiles_b, shortest_b, sums)
        flat = sums.reshape(len(tiles_a) * ROWS, -1)
        for k, row in enumerate(band):
            out[row] = flat[k, place]

    pool = ThreadPoolExecutor(cores())
    try:
        for _ in pool.map(fill, range(0, len(a), BAND)):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def _tiles(legs: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    """(t, g, size) the legs of these rows, tile by tile; the last row fills up the last tile."""
    count = -(-len(rows) // size)
    padded = np.pad(rows, (0, count * size - len(rows)), mode="edge")
    return np.ascontiguousarray(legs[padded].reshape(count, size, -1).transpose(0, 2, 1))


def _near_rows_together(legs: np.ndarray, size: int) -> np.ndarray:
    """An order of the rows in which each run of `size` has similar legs: halved again and again along the direction
    that one step of the power method finds, from the leg that varies most."""
    chosen = np.linspace(0, legs.shape[1] - 1, min(_FEATURES, legs.shape[1])).astype(int)
    features = legs[:, chosen]
    features = np.where(np.isfinite(features), features, 0)
    scale = np.abs(features).max()
    features = features / (scale if scale > 0 else 1)
    runs, waiting = [], [np.arange(len(legs))]
    while waiting:
        rows = waiting.pop()
        if len(rows) <= size:
            runs.append(rows)
            continue
        centred = features[rows] - features[rows].mean(0)
        widest = centred[:, np.square(centred).sum(0).argmax()]
        half = -(-len(rows) // (2 * size)) * size
        along = np.argpartition(centred @ (widest @ centred), half - 1)
        waiting += [rows[along[half:]], rows[along[:half]]]
    return np.concatenate(runs)


@compiled
@no_type_check
def _less(s, t):
    return s if s < t else t


@compiled
@no_type_check
def _visit(a, b, order, kept, n, best):
    """Eight anchors for one tile: enough arithmetic for each number that is loaded."""
    k0, k1, k2, k3 = kept[n], kept[n + 1], kept[n + 2], kept[n + 3]
    k4, k5, k6, k7 = kept[n + 4], kept[n + 5], kept[n + 6], kept[n + 7]
    b0, b1, b2, b3 = b[order[k0]], b[order[k1]], b[order[k2]], b[order[k3]]
    b4, b5, b6, b7 = b[order[k4]], b[order[k5]], b[order[k6]], b[order[k7]]
    a0, a1, a2, a3 = a[order[k0]], a[order[k1]], a[order[k2]], a[order[k3]]
    a4, a5, a6, a7 = a[order[k4]], a[order[k5]], a[order[k6]], a[order[k7]]
    for r in range(best.shape[0]):
        row = best[r]
        x0, x1, x2, x3, x4, x5, x6, x7 = a0[r], a1[r], a2[r], a3[r], a4[r], a5[r], a6[r], a7[r]
        for j in range(best.shape[1]):
            low = _less(_less(x0 + b0[j], x1 + b1[j]), _less(x2 + b2[j], x3 + b3[j]))
            high = _less(_less(x4 + b4[j], x5 + b5[j]), _less(x6 + b6[j], x7 + b7[j]))
            row[j] = _less(_less(low, high), row[j])


@compiled
@no_type_check
def _fill_band(tiles_a, shortest_a, order, tiles_b, shortest_b, sums):
    """All tiles of a band. Anchors that may still matter wait in `kept` until there are eight of them."""
    anchors = order.shape[1]
    kept = np.empty(anchors + 8, np.int64)
    best = np.empty((sums.shape[1], sums.shape[3]), sums.dtype)
    for t in range(tiles_b.shape[0]):
        for s in range(tiles_a.shape[0]):
            a, least_a, b, least_b, visit = tiles_a[s], shortest_a[s], tiles_b[t], shortest_b[t], order[s]
            best.fill(np.inf)
            worst = best[0, 0]
            n = 0
            for start in range(0, anchors, _CHUNK):
                for k in range(start, min(start + _CHUNK, anchors)):
                    p = visit[k]
                    kept[n] = k
                    n += least_a[p] + least_b[p] < worst
                if n >= 8:
                    while n >= 8:
                        n -= 8
                        _visit(a, b, visit, kept, n, best)
                    worst = best.max()
            if n > 0:
                kept[n:8] = kept[0]  # an anchor may be visited twice
                _visit(a, b, visit, kept, 0, best)
            for r in range(best.shape[0]):
                for j in range(best.shape[1]):
                    sums[s, r, t, j] = best[r, j]
