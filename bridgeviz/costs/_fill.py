"""The entries of a cost from its two factors, written where they are wanted, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bridgeviz._forbidden import Forbidden
from bridgeviz.costs._combine import BLOCK_BYTES, LARGE, min_plus
from bridgeviz.costs._legs import Legs

LEGS = 2**14
"""Rows of legs that are computed at a time."""


def fill(
    out: np.ndarray, combine: Callable[[Any, Any], Any], a: Any, b: Any, forbidden: Forbidden | None = None, *,
    whole: int = 0,
) -> None:  # fmt: skip
    """Put the cost of two factors into a matrix, in the matrix's type.

    Besides the matrix, this holds a block of rows, and the smaller factor if that is not stored.

    Args:
        out: (u, v).
        combine: of the cost.
        a, b: its factors, (u, g) and (v, h).
        forbidden: (u, v) where it is infinite.
        whole: entries of the matrix that this is a part of, if it is one.
    """
    u, v = out.shape
    if combine is min_plus:  # which divides a large product itself
        _fill_paths(out, a, b, 0 if max(out.size, whole) * a.shape[1] >= LARGE else None)
    for rows in blocks(u, max(v, a.shape[1])):
        if combine is not min_plus:
            out[rows] = combine(a[rows], b)
        if forbidden is not None:
            out[rows][forbidden.block(np.arange(u)[rows], np.arange(v))] = np.inf


def _fill_paths(out: np.ndarray, a: Any, b: Any, large: int | None) -> None:
    if isinstance(b, Legs) and not (isinstance(a, Legs) and len(a) > len(b)):
        _fill_paths(out.T, b, a, large)
        return
    b = np.asarray(b)
    if not isinstance(a, Legs):
        min_plus(a, b, out=out, large=large)
        return
    for first in range(0, len(a), LEGS):
        rows = slice(first, first + LEGS)
        min_plus(a[rows], b, out=out[rows], large=large)


def blocks(rows: int, columns: int, size: int | None = None) -> Iterator[slice]:
    """The rows of a float64 matrix in blocks of `size` bytes; None takes `BLOCK_BYTES`."""
    step = max(1, (BLOCK_BYTES if size is None else size) // (8 * max(1, columns)))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
