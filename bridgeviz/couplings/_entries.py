"""Entries of a plan on merged atoms: summed by group, drawn, and written out for all rows."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from bridgeviz.costs import Atoms


def group_shares(atoms: Atoms, groups: np.ndarray, size: int) -> np.ndarray:
    """(u, size) the share of each atom's rows that belong to each of `size` groups; `groups` (n,) numbers them."""
    counts = np.zeros((len(atoms), size))
    np.add.at(counts, (atoms.index, groups), 1.0)
    return counts / atoms.multiplicity[:, None]


def count_pairs(i: np.ndarray, j: np.ndarray, sizes: tuple[int, int]) -> np.ndarray:
    """(a, b) how often each pair of groups occurs; i and j hold groups, from 0."""
    counts = np.zeros(sizes, np.int64)
    np.add.at(counts, (i, j), 1)
    return counts


def random_members(atoms: Atoms, u: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random row of each of the atoms u."""
    order, starts = atoms.members()
    return order[starts[u] + (rng.random(len(u)) * atoms.multiplicity[u]).astype(np.int64)]


def as_dense(plan: np.ndarray | sparse.csr_array) -> np.ndarray:
    """A dense or sparse matrix as a dense one."""
    return plan if isinstance(plan, np.ndarray) else plan.toarray()


def largest_entries(plan: sparse.csr_array, source_atoms: Atoms, target_atoms: Atoms, *, most: int) -> sparse.csr_array:
    """The (n, m) plan of all rows, with about `most` entries at most: the same number in each row, the largest ones.

    Entries below 1e-8 of their row's mass are dropped.
    """
    indptr, indices, data = np.asarray(plan.indptr), np.asarray(plan.indices), np.asarray(plan.data)
    order, starts = target_atoms.members()
    counts, members = target_atoms.multiplicity, np.split(order, starts[1:])
    n, m = len(source_atoms.index), len(target_atoms.index)
    room = max(1, most // n)
    pieces = []
    for u in range(len(indptr) - 1):
        columns = indices[indptr[u] : indptr[u + 1]]
        mass = data[indptr[u] : indptr[u + 1]] / source_atoms.multiplicity[u]
        keep = mass > 1e-8 * mass.sum()
        columns, mass = columns[keep], mass[keep]
        largest = np.argsort(-mass / counts[columns], kind="stable")
        largest = largest[: max(1, int(np.searchsorted(np.cumsum(counts[columns[largest]]), room, side="right")))]
        columns, mass = columns[largest], mass[largest]
        index = np.concatenate([members[c] for c in columns]) if len(columns) else np.zeros(0, np.int64)
        pieces.append((index, np.repeat(mass / counts[columns], counts[columns])))
    rows = [pieces[u] for u in source_atoms.index]
    ends = np.concatenate([[0], np.cumsum([len(index) for index, _ in rows])])
    out = sparse.csr_array(
        (np.concatenate([mass for _, mass in rows]), np.concatenate([index for index, _ in rows]), ends),
        shape=(n, m),
    )
    out.sort_indices()
    return out
