"""Which rows of a matrix are equal: found by a hash, and then verified, some rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

NUMBERS = 2**20
"""Numbers of a block of rows: a float64 copy of it is all that a large matrix costs."""

Seen = Callable[[np.ndarray], np.ndarray]
"""From rows to the rows that are compared instead of them, one by one."""


def row_blocks(n: int, columns: int) -> Iterator[slice]:
    """The rows of an (n, columns) matrix in blocks of `NUMBERS`."""
    step = max(1, NUMBERS // max(1, columns))
    for first in range(0, n, step):
        yield slice(first, min(first + step, n))


def equal_rows(x: np.ndarray, seen: Seen | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups of equal rows: the first row of each group, the group of each row, and the sizes of the groups.

    Rows with one hash are compared with the first of them. Where one differs, all rows with its hash are sorted by
    their values, so that the hash decides nothing but the time that this takes.

    Args:
        x: (n, p).
        seen: what the rows are compared as; None compares them as they are.
    """
    compared = _plain if seen is None else (lambda rows: _plain(seen(rows)))
    if x.dtype.kind not in "fiub" or x.dtype.itemsize > 8 or not x[:1].size:
        return np.unique(x, axis=0, return_index=True, return_inverse=True, return_counts=True)[1:]
    hashes = np.concatenate([row_hashes(compared(x[rows])) for rows in row_blocks(*x.shape)])
    first, group = np.unique(hashes, return_index=True, return_inverse=True)[1:]
    wrong = differing(x, first[group], compared)
    if len(wrong):
        members = np.flatnonzero(np.isin(group, group[wrong]))
        group[members] = len(first) + np.unique(compared(x[members]), axis=0, return_inverse=True)[1].reshape(-1)
    return np.unique(group, return_index=True, return_inverse=True, return_counts=True)[1:]


def differing(x: np.ndarray, others: np.ndarray, seen: Seen | None = None) -> np.ndarray:
    """The rows that differ from the row (n,) beside them.

    Args:
        x: (n, p).
        others: (n,) a row number for each row.
        seen: what the rows are compared as.
    """
    compared = _plain if seen is None else seen
    rest = np.flatnonzero(others != np.arange(len(others)))
    return np.concatenate([
        rest[:0],
        *(
            rest[part][(compared(x[rest[part]]) != compared(x[others[rest[part]]])).any(1)]
            for part in row_blocks(len(rest), x.shape[1])
        ),
    ])  # fmt: skip


def row_hashes(rows: np.ndarray) -> np.ndarray:
    """(n,) a hash of the bytes of each row: random odd multiples of its 32-bit words, summed modulo 2^64."""
    words = np.ascontiguousarray(rows).view(np.uint32 if rows.dtype.itemsize % 4 == 0 else np.uint8)
    multipliers = np.random.default_rng(0).integers(2**63, size=words.shape[1], dtype=np.uint64) * 2 + 1
    return words.astype(np.uint64) @ multipliers


def _plain(rows: np.ndarray) -> np.ndarray:
    """The rows without -0.0, which equals 0.0 but for its bytes."""
    return rows + rows.dtype.type(0) if rows.dtype.kind == "f" else rows
