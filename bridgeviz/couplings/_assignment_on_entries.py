"""The cheapest one-to-one plan on few entries of a cost of paths, and more of them until no other plan is cheaper.

This module imports numba, so it is itself imported only where a problem repays that.
"""

from __future__ import annotations

from typing import Any, NamedTuple, no_type_check

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import maximum_bipartite_matching, min_weight_full_bipartite_matching

from bridgeviz._compiled import compiled
from bridgeviz._memory import memory_limit
from bridgeviz._near_entries import Legs, near_entries
from bridgeviz.costs import Cost
from bridgeviz.couplings._linear_sparse import ENTRY_BYTES, Potentials, chosen
from bridgeviz.couplings._sampled_potentials import Side, potentials, sampled
from bridgeviz.couplings._solver_options import Steps

ROUNDING = 1e-6
"""The part of the mean cost of a match by which an entry may make the plan cheaper without being added."""

LEVELS = 2.0**34
"""Costs are whole numbers up to this one while a plan is computed."""

EPSILON = 5e-3
"""Epsilon of the entropic transport whose largest entries the first plan may use, in units of the mean cost."""

MORE = 8
"""Entries of a row that are added at a time."""

_BLOCK = 512  # rows


class Assigned(NamedTuple):
    """A one-to-one plan.

    Attributes:
        rows, columns: of the matches.
        number: of plans that were computed.
        gap: by how much the cost of another plan may be less, at most, as a part of the cost.
    """

    rows: np.ndarray
    columns: np.ndarray
    number: int
    gap: float


def assign_on_entries(cost: Cost, entries: int, most: int) -> Steps[Assigned]:
    """The plan; yields the number of each plan and its gap.

    Args:
        cost: of paths.
        entries: per row and column, to begin with.
        most: plans.
    """
    a, b = (
        np.asarray(factor)[atoms.index] if atoms.merged else np.asarray(factor)
        for factor, atoms in ((cost.source_factor, cost.source_atoms), (cost.target_factor, cost.target_atoms))
    )
    turned = len(a) > len(b)
    a, b = (b, a) if turned else (a, b)
    n, m = len(a), len(b)
    rows = np.arange(n)
    keys = _first_entries(a, b, entries)
    costs, number = _path_costs(a, b, keys // m, keys % m), 0
    while True:
        number += 1
        # SciPy takes 0 for no entry, and with numbers whose sums are rounded, it may go round in circles for ever.
        unit = (costs.max() or 1.0) / LEVELS
        graph = sparse.csr_array((np.round(costs / unit) + LEVELS, (keys // m, keys % m)), shape=(n, m))
        columns = min_weight_full_bipartite_matching(graph)[1]
        matched = _path_costs(a, b, rows, columns)
        total = max(float(matched.sum()), float(np.finfo(float).tiny))
        g = unit * _column_potentials(graph.indptr, graph.indices, graph.data, columns, m)
        f = matched - g[columns]
        gains = f - _cheapest(a, b, g)
        better = np.flatnonzero(gains > ROUNDING * total / n)
        gap = float(gains[better].sum() / total)
        yield number, gap
        new = np.setdiff1d(_below(a, b, better, f, g), keys) if len(better) and number < most else keys[:0]
        if not len(new):
            return Assigned(*((columns, rows) if turned else (rows, columns)), number, gap)
        keys, costs = np.concatenate([keys, new]), np.concatenate([costs, _path_costs(a, b, new // m, new % m)])


def _first_entries(a: np.ndarray, b: np.ndarray, entries: int) -> np.ndarray:
    """The numbers `i m + j` of the entries that carry most in an entropic transport, and of what a plan needs besides.

    Where they permit no plan, the rows and columns that the largest one leaves out are matched in their order.
    """
    m, tau = len(b), (1.0, 1.0)
    source, target = (Side(legs, np.full(len(legs), 1 / len(legs)), np.ones(len(legs))) for legs in (a, b))
    sample = sampled(source, target)
    unit = EPSILON * (sample.mean(source.mass, target.mass)[0] or 1.0)
    kernel = chosen(source, target, unit, Potentials(*potentials(sample, source, target, unit, tau)))
    kept = _largest(kernel, entries).tocoo() + _largest(sparse.csr_array(kernel.T), entries).T.tocoo()
    kept = sparse.csr_array(kept)
    partner = maximum_bipartite_matching(kept, perm_type="column")
    alone = np.flatnonzero(partner < 0)
    free = np.setdiff1d(np.arange(m), partner)[: len(alone)]
    i, j = kept.tocoo().coords
    return np.unique(np.concatenate([i.astype(np.int64) * m + j, alone.astype(np.int64) * m + free]))


def _largest(matrix: Any, most: int, *, sign: float = -1.0) -> sparse.csr_array:
    """The matrix with the `most` largest entries of each row, or the smallest ones for sign 1."""
    order = np.lexsort((sign * matrix.data, np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))))
    rank = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], np.diff(matrix.indptr))
    kept = np.sort(order[rank < most])
    rows = np.searchsorted(matrix.indptr, kept, side="right") - 1
    return sparse.csr_array((np.ones(len(kept), np.int8), (rows, matrix.indices[kept])), shape=matrix.shape)


def _cheapest(a: np.ndarray, b: np.ndarray, g: np.ndarray) -> np.ndarray:
    """(n,) `min_j C[i, j] - g[j]` over all columns: the cheapest way from each anchor to a column comes first."""
    onwards = np.full(a.shape[1], np.inf)
    for first in range(0, len(b), _BLOCK):
        part = slice(first, first + _BLOCK)
        onwards = np.minimum(onwards, (b[part] - g[part, None]).min(0))
    return np.concatenate([(a[first : first + _BLOCK] + onwards).min(1) for first in range(0, len(a), _BLOCK)])


def _below(a: np.ndarray, b: np.ndarray, rows: np.ndarray, f: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The numbers of the entries of these rows that make the plan cheaper, the most promising of each row."""
    legs, others = Legs(a[rows], 1.0, np.zeros(len(rows))), Legs(b, 1.0, g)
    least, limits = _cheapest(a[rows], b, g), f[rows]
    while (found := near_entries(legs, others, limits, most=memory_limit() // ENTRY_BYTES)) is None:
        limits = (limits + least) / 2
    i, j = _largest(found, MORE, sign=1.0).tocoo().coords
    return rows[i].astype(np.int64) * len(b) + j


def _path_costs(a: np.ndarray, b: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The cost of some entries."""
    return _least_sums(a, b, rows, columns, np.empty(len(rows)))


@compiled
@no_type_check
def _least_sums(a, b, rows, columns, out):
    for k in range(len(rows)):
        i, j = rows[k], columns[k]
        least = np.inf
        for p in range(a.shape[1]):
            least = min(least, a[i, p] + b[j, p])
        out[k] = least
    return out


@compiled
@no_type_check
def _column_potentials(indptr, indices, data, columns, m):
    """(m,) potentials g for which no entry is cheaper than `C[i, columns[i]] - g[columns[i]] + g[j]`.

    They are lengths of shortest paths over alternating entries of the plan and others (Bellman-Ford).
    """
    g = np.zeros(m)
    own = np.empty(len(columns))
    for i in range(len(columns)):
        for k in range(indptr[i], indptr[i + 1]):
            if indices[k] == columns[i]:
                own[i] = data[k]
    for _ in range(len(columns)):
        changed = False
        for i in range(len(columns)):
            start = g[columns[i]] - own[i]
            for k in range(indptr[i], indptr[i + 1]):
                if start + data[k] < g[indices[k]]:
                    g[indices[k]] = start + data[k]
                    changed = True
        if not changed:
            break
    return g
