"""A plan written out for all rows, with as many of its largest entries as there is room for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from scipy import sparse

from bridgeviz.costs import Atoms
from bridgeviz.couplings._entries import Matrix, as_dense
from bridgeviz.couplings._factored import Factored

LEAST = 1e-8
"""Share of its row's mass below which an entry is dropped."""

BLOCK_BYTES = 2**26
"""Of the dense rows that are looked at together."""

MOST_PRODUCTS = 10**12
"""Products above which a factored plan is not multiplied out, not even block by block."""

PATHS = 8
"""Anchors of a row, the strongest, along which its largest entries are then sought."""


def largest_entries(plan: Matrix, source_atoms: Atoms, target_atoms: Atoms, *, most: int) -> sparse.csr_array:
    """The (n, m) plan of all rows, with about `most` entries at most: the same number in each row, the largest ones.

    Entries below 1e-8 of their row's mass are dropped. The plan is read some rows at a time. One that is too large to
    be multiplied out is followed along the strongest anchors of each row to the strongest columns of these: what they
    carry is then a part of an entry.
    """
    n, m = len(source_atoms.index), len(target_atoms.index)
    room = max(1, most // n)
    order, starts = target_atoms.members()
    shares = target_atoms.shares
    members = [rows[shares[rows] > 0] for rows in np.split(order, starts[1:])]
    pieces: list[tuple[np.ndarray, np.ndarray]] = []
    for block in _rows(plan, target_atoms.multiplicity, room):
        for first, end in itertools.pairwise(block.indptr):
            part = slice(first, end)
            columns, mass = _filling(block.indices[part], block.data[part], target_atoms.multiplicity, room)
            rows = [members[column] for column in columns]
            index = np.concatenate(rows) if rows else np.zeros(0, np.int64)
            pieces.append((index, np.repeat(mass, [len(part) for part in rows]) * shares[index]))
    nothing = np.zeros(0, np.int64), np.zeros(0)
    rows = [
        (pieces[u][0], pieces[u][1] * share) if share > 0 else nothing
        for u, share in zip(source_atoms.index, source_atoms.shares, strict=True)
    ]
    ends = np.concatenate([[0], np.cumsum([len(index) for index, _ in rows])])
    out = sparse.csr_array(
        (np.concatenate([mass for _, mass in rows]), np.concatenate([index for index, _ in rows]), ends),
        shape=(n, m),
    )
    out.sort_indices()
    return out


def strongest_entries(plan: Matrix, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows, the columns and the mass of the `size` entries with the most mass, or of all, the largest first."""
    found, first = [np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)], 0
    for block in _rows(plan, np.ones(plan.shape[1]), size):  # type: ignore[index]
        flat = sparse.coo_array(block)
        rows, columns = flat.coords
        found = [np.concatenate(pair) for pair in zip(found, (first + rows, columns, flat.data), strict=True)]
        top = np.argsort(found[2], kind="stable")[::-1][:size]
        found, first = [part[top] for part in found], first + len(block.indptr) - 1
    return found[0], found[1], found[2]


def _filling(columns: np.ndarray, mass: np.ndarray, counts: np.ndarray, room: int) -> tuple[np.ndarray, np.ndarray]:
    """The columns with the most mass per row, as many as have about `room` rows."""
    keep = mass > LEAST * mass.sum()
    columns, mass = columns[keep], mass[keep]
    largest = np.argsort(-mass / counts[columns], kind="stable")
    largest = largest[: max(1, int(np.searchsorted(np.cumsum(counts[columns[largest]]), room, side="right")))]
    return columns[largest], mass[largest]


def _rows(plan: Matrix, counts: np.ndarray, room: int) -> Iterator[sparse.csr_array]:
    """The rows of a plan, some at a time, with at least their `room` entries with the most mass per row."""
    if not isinstance(plan, np.ndarray | Factored):
        yield plan
        return
    u, v = plan.shape
    if isinstance(plan, Factored) and u * v * plan.left.shape[1] > MOST_PRODUCTS:
        yield from _along_anchors(plan, room)
        return
    step = max(1, BLOCK_BYTES // (8 * v))
    for first in range(0, u, step):
        part = plan[first : first + step]
        block = as_dense(part)
        if v > room:
            each = block / counts
            least = np.partition(each, -room, axis=1)[:, -room, None]
            block = np.where(each >= least, block, 0)
        yield sparse.csr_array(block)


def _along_anchors(plan: Factored, room: int) -> Iterator[sparse.csr_array]:
    """The rows of a plan along the strongest anchors of a row, to the columns that these send most of their mass to."""
    right = largest_of_rows(sparse.csr_array(plan.right.T), room).astype(np.float64)
    step = max(1, BLOCK_BYTES // (16 * PATHS * room))
    weights = np.asarray(plan.right.sum(axis=0, dtype=np.float64)).reshape(-1)
    for first in range(0, plan.shape[0], step):
        left = sparse.csr_array(plan.left[first : first + step])
        through = sparse.csr_array(left * weights)
        kept = largest_of_rows(through, PATHS)
        kept.data /= weights[kept.indices]
        yield sparse.csr_array(kept @ right)


def largest_of_rows(matrix: sparse.csr_array, most: int) -> sparse.csr_array:
    """The matrix with the `most` largest entries of each row."""
    lengths = np.diff(matrix.indptr)
    kept = np.ones(matrix.nnz, bool)
    rows = np.flatnonzero(lengths > most)
    rows = rows[np.argsort(lengths[rows])]
    while len(rows):  # blocks of rows of about the same length, the longest first
        width = int(lengths[rows[-1]])
        block = rows[-max(1, BLOCK_BYTES // (16 * width)) :]
        rows = rows[: len(rows) - len(block)]
        places = np.arange(width)
        at = np.minimum(matrix.indptr[block, None].astype(np.int64) + places, matrix.nnz - 1)
        mass = np.where(places < lengths[block, None], matrix.data[at], -np.inf)
        small = np.argpartition(mass, width - most, axis=1)[:, : width - most]
        stored = small < lengths[block, None]
        kept[np.take_along_axis(at, small, axis=1)[stored]] = False
    ends = np.concatenate([[0], np.cumsum(np.minimum(lengths, most))])
    return sparse.csr_array((matrix.data[kept], matrix.indices[kept], ends), shape=matrix.shape)
