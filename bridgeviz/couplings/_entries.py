"""Entries of a plan on merged atoms: counted, summed by group, and drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from bridgeviz._extent import SMALL
from bridgeviz.costs import Atoms
from bridgeviz.couplings._factored import Factored

Matrix = np.ndarray | sparse.csr_array | Factored
"""What the mass between atoms may be kept as."""


BLOCK_BYTES = 2**25
"""Bytes of a plan whose rows are converted to float64 together."""


def in_double(plan: np.ndarray) -> np.ndarray:
    """A plan of at most `SMALL` entries in float64, for whatever reads it; a larger one in its own type."""
    return plan.astype(np.float64, copy=False) if plan.size <= SMALL else plan


def sums(plan: Matrix, axis: int | None = None) -> Any:
    """The sums of the rows (axis 1), of the columns (axis 0), or of everything, in float64."""
    if isinstance(plan, Factored):
        return plan.sum(axis)
    total = plan.sum(axis=axis, dtype=np.float64)
    return float(total) if axis is None else np.asarray(total).reshape(-1)


def row_parts(plan: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """A dense plan in float64, some rows at a time, with their numbers."""
    step = max(1, BLOCK_BYTES // (8 * max(1, plan.shape[1])))
    for first in range(0, len(plan), step):
        rows = slice(first, min(first + step, len(plan)))
        yield rows, plan[rows].astype(np.float64, copy=False)


def times(plan: Matrix, matrix: np.ndarray) -> np.ndarray:
    """The product of a plan and a (v, k) matrix, in float64."""
    if isinstance(plan, np.ndarray) and plan.dtype != np.float64:
        return np.concatenate([part @ matrix for _, part in row_parts(plan)])
    return np.asarray(plan @ matrix)


def group_shares(atoms: Atoms, groups: np.ndarray, size: int) -> np.ndarray:
    """(u, size) the share of each atom's mass in each of `size` groups of rows; `groups` (n,) numbers them."""
    sums = np.zeros((len(atoms), size))
    if atoms.weights is None:
        np.add.at(sums, (atoms.index, groups), 1.0)
        return sums / atoms.multiplicity[:, None]
    np.add.at(sums, (atoms.index, groups), atoms.shares)
    return sums


def count_pairs(i: np.ndarray, j: np.ndarray, sizes: tuple[int, int]) -> np.ndarray:
    """(a, b) how often each pair of groups occurs; i and j hold groups, from 0."""
    counts = np.zeros(sizes, np.int64)
    np.add.at(counts, (i, j), 1)
    return counts


def random_members(atoms: Atoms, u: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random row of each of the atoms u, which have weight."""
    order, starts = atoms.members()
    if atoms.weights is None:
        return order[starts[u] + (rng.random(len(u)) * atoms.multiplicity[u]).astype(np.int64)]
    order = order[atoms.shares[order] > 0]
    ends = np.cumsum(atoms.shares[order])  # those of one atom add up to 1
    counts = np.bincount(atoms.index[order], minlength=len(atoms))
    last = np.cumsum(counts) - 1
    whole = np.cumsum(counts > 0, dtype=np.int64)[u] - 1  # atoms with weight before this one
    at = np.searchsorted(ends, whole + rng.random(len(u)), side="right")
    return order[np.clip(at, last[u] - counts[u] + 1, last[u])]


def draw_entries(plan: Matrix, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(u, v) numbers of rows and columns, by their mass."""
    if isinstance(plan, Factored):
        return plan.draw(rng, size)
    if isinstance(plan, np.ndarray):
        return _draw_dense(plan, rng, size)
    flat = sparse.csr_array(plan)
    cdf = np.cumsum(flat.data, dtype=np.float64)
    at = np.minimum(np.searchsorted(cdf, rng.random(size) * cdf[-1], side="right"), len(cdf) - 1)
    return np.searchsorted(flat.indptr, at, side="right") - 1, flat.indices[at]


def _draw_dense(plan: np.ndarray, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The same for a dense plan, some rows at a time: a draw falls among the rows, and then among their entries."""
    ends = np.cumsum([part.sum() for _, part in row_parts(plan)])
    place = rng.random(size) * ends[-1]
    block = np.minimum(np.searchsorted(ends, place, side="right"), np.searchsorted(ends, ends[-1]))
    rows, columns = np.empty(size, np.int64), np.empty(size, np.int64)
    for number, (part_rows, part) in enumerate(row_parts(plan)):
        here = np.flatnonzero(block == number)
        if len(here):
            cdf = np.cumsum(part)
            start = ends[number] - part.sum()
            first, last = np.searchsorted(cdf, 0.0, side="right"), np.searchsorted(cdf, cdf[-1])  # that have mass
            at = np.clip(np.searchsorted(cdf, place[here] - start, side="right"), first, last)
            rows[here], columns[here] = part_rows.start + at // plan.shape[1], at % plan.shape[1]
    return rows, columns


def count_entries(plan: Matrix) -> int:
    """How many entries have mass; all of a factored plan."""
    if isinstance(plan, Factored):
        return plan.shape[0] * plan.shape[1]
    return int(np.count_nonzero(plan)) if isinstance(plan, np.ndarray) else int(plan.nnz)


def as_dense(plan: Matrix) -> np.ndarray:
    """As a dense matrix in float64."""
    return (plan if isinstance(plan, np.ndarray) else plan.toarray()).astype(np.float64, copy=False)


def as_sparse(plan: Matrix) -> sparse.csr_array:
    """As a sparse matrix with all of its entries, in float64."""
    return sparse.csr_array(plan.toarray() if isinstance(plan, Factored) else plan, dtype=np.float64)
