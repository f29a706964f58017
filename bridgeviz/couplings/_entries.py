"""Entries of a plan on merged atoms: counted, summed by group, and drawn."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from bridgeviz.costs import Atoms
from bridgeviz.couplings._factored import Factored

Matrix = np.ndarray | sparse.csr_array | Factored
"""What the mass between atoms may be kept as."""


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
    flat = sparse.csr_array(plan)
    cdf = np.cumsum(flat.data)
    at = np.minimum(np.searchsorted(cdf, rng.random(size) * cdf[-1], side="right"), len(cdf) - 1)
    return np.searchsorted(flat.indptr, at, side="right") - 1, flat.indices[at]


def count_entries(plan: Matrix) -> int:
    """How many entries have mass; all of a factored plan."""
    if isinstance(plan, Factored):
        return plan.shape[0] * plan.shape[1]
    return int(np.count_nonzero(plan)) if isinstance(plan, np.ndarray) else int(plan.nnz)


def as_dense(plan: Matrix) -> np.ndarray:
    """As a dense matrix."""
    return plan if isinstance(plan, np.ndarray) else plan.toarray()


def as_sparse(plan: Matrix) -> sparse.csr_array:
    """As a sparse matrix with all of its entries."""
    return sparse.csr_array(plan.toarray() if isinstance(plan, Factored) else plan)
