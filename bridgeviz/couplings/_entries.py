"""Entries of a plan on merged atoms: summed by group, drawn, and written out for all rows."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from bridgeviz.costs import Atoms


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


def as_dense(plan: np.ndarray | sparse.csr_array) -> np.ndarray:
    """A dense or sparse matrix as a dense one."""
    return plan if isinstance(plan, np.ndarray) else plan.toarray()


def largest_entries(plan: sparse.csr_array, source_atoms: Atoms, target_atoms: Atoms, *, most: int) -> sparse.csr_array:
    """The (n, m) plan of all rows, with about `most` entries at most: the same number in each row, the largest ones.

    Entries below 1e-8 of their row's mass are dropped.
    """
    indptr, indices, data = np.asarray(plan.indptr), np.asarray(plan.indices), np.asarray(plan.data, np.float64)
    order, starts = target_atoms.members()
    counts = target_atoms.multiplicity
    members = [rows[target_atoms.shares[rows] > 0] for rows in np.split(order, starts[1:])]
    row_shares, column_shares = source_atoms.shares, target_atoms.shares
    n, m = len(source_atoms.index), len(target_atoms.index)
    room = max(1, most // n)
    pieces = []
    for u in range(len(indptr) - 1):
        columns, mass = indices[indptr[u] : indptr[u + 1]], data[indptr[u] : indptr[u + 1]]
        keep = mass > 1e-8 * mass.sum()
        columns, mass = columns[keep], mass[keep]
        largest = np.argsort(-mass / counts[columns], kind="stable")
        largest = largest[: max(1, int(np.searchsorted(np.cumsum(counts[columns[largest]]), room, side="right")))]
        columns, mass = columns[largest], mass[largest]
        rows = [members[c] for c in columns]
        index = np.concatenate(rows) if rows else np.zeros(0, np.int64)
        pieces.append((index, np.repeat(mass, [len(part) for part in rows]) * column_shares[index]))
    nothing = np.zeros(0, np.int64), np.zeros(0)
    rows = [
        (pieces[u][0], pieces[u][1] * share) if share > 0 else nothing
        for u, share in zip(source_atoms.index, row_shares, strict=True)
    ]
    ends = np.concatenate([[0], np.cumsum([len(index) for index, _ in rows])])
    out = sparse.csr_array(
        (np.concatenate([mass for _, mass in rows]), np.concatenate([index for index, _ in rows]), ends),
        shape=(n, m),
    )
    out.sort_indices()
    return out
