"""The cheapest one-to-one plan on few entries of a cost of paths, and more of them until no other plan is cheaper.

This module imports numba, so it is itself imported only where a problem repays that.
"""

from __future__ import annotations

from typing import NamedTuple, no_type_check

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from bridgeviz._compiled import compiled
from bridgeviz._memory import memory_limit
from bridgeviz._near_entries import Legs, near_entries
from bridgeviz._sparse_matching import Matching
from bridgeviz.costs import Cost
from bridgeviz.couplings._largest import largest_of_rows
from bridgeviz.couplings._linear_sparse import ENTRY_BYTES, Potentials, chosen
from bridgeviz.couplings._sampled_potentials import Side, paths, potentials, sampled
from bridgeviz.couplings._solver_options import Steps

ROUNDING = 1e-6
"""The part of the mean cost of a match by which an entry may make the plan cheaper without being added."""

EPSILON = 5e-3
"""Epsilon of the entropic transport whose largest entries the first plan may use, in units of the mean cost."""

MORE = 8
"""Entries of a row that are added at a time."""

_BLOCK = 1024  # rows


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

    Equal rows of one side are one column with as many places.

    Args:
        cost: of paths.
        entries: per row and column, to begin with.
        most: plans.
    """
    sides = [(np.asarray(cost.source_factor), cost.source_atoms), (np.asarray(cost.target_factor), cost.target_atoms)]
    turned = cost.shape[0] > cost.shape[1] or (cost.shape[0] == cost.shape[1] and len(sides[0][1]) < len(sides[1][1]))
    (a, atoms), (b, target) = reversed(sides) if turned else sides
    a = a[atoms.index] if atoms.merged else a
    n, v = len(a), len(b)
    kept, g = _first_entries(a, b, target.multiplicity, entries)
    matching, number = Matching(n, target.multiplicity, g), 0
    while True:
        number += 1
        while len(alone := matching.extend(kept)):
            kept = _with(kept, a, b, *_any_plan(a, b, alone, np.repeat(np.arange(v), matching.room)))
        total = max(float(matching.paid.sum()), float(np.finfo(float).tiny))
        f = matching.paid - matching.g[matching.columns]
        gains = f - _cheapest(a, b, matching.g)
        better = np.flatnonzero(gains > ROUNDING * total / n)
        gap = float(gains[better].sum() / total)
        yield number, gap
        size = kept.nnz
        if len(better) and number < most:
            kept = _with(kept, a, b, *_below(a, b, better, f, matching.g))
        if kept.nnz == size:
            order, _ = target.members()
            rows, columns = np.arange(n), order[matching.places]
            return Assigned(*((columns, rows) if turned else (rows, columns)), number, gap)


def _any_plan(a: np.ndarray, b: np.ndarray, alone: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matches of the rows that found none with columns that have places left: the cheapest ones of each block."""
    columns = []
    for first in range(0, len(alone), _BLOCK):
        part, places = alone[first : first + _BLOCK], left[first : first + _BLOCK]
        columns.append(places[linear_sum_assignment(paths(a[part], b[places]))[1]])
    return alone, np.concatenate(columns)


def _with(
    kept: sparse.csr_array, a: np.ndarray, b: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> sparse.csr_array:
    """The entries and some more."""
    flat, v = kept.tocoo(), len(b)
    old = flat.coords[0].astype(np.int64) * v + flat.coords[1]
    new = np.setdiff1d(rows.astype(np.int64) * v + columns, old)
    costs = np.concatenate([flat.data, _path_costs(a, b, new // v, new % v)])
    keys = np.concatenate([old, new])
    return sparse.csr_array((costs, (keys // v, keys % v)), shape=kept.shape)


def _first_entries(a: np.ndarray, b: np.ndarray, room: np.ndarray, entries: int) -> tuple[sparse.csr_array, np.ndarray]:
    """The entries that carry most in an entropic transport, and its potentials of the columns, in units of the cost."""
    n, tau = len(a), (1.0, 1.0)
    source, target = Side(a, np.full(n, 1 / n), np.ones(n)), Side(b, room / room.sum(), room.astype(float))
    sample = sampled(source, target)
    unit = EPSILON * (sample.mean(source.mass, target.mass)[0] or 1.0)
    at = Potentials(*potentials(sample, source, target, unit, tau))
    kernel, _ = chosen(source, target, unit, at)
    i, j = largest_of_rows(kernel, entries).tocoo().coords
    other_j, other_i = largest_of_rows(sparse.csr_array(kernel.T), entries).tocoo().coords
    nothing = sparse.csr_array(kernel.shape)
    return _with(nothing, a, b, np.concatenate([i, other_i]), np.concatenate([j, other_j])), unit * at.g


def _cheapest(a: np.ndarray, b: np.ndarray, g: np.ndarray) -> np.ndarray:
    """(n,) `min_j C[i, j] - g[j]` over all columns: the cheapest way from each anchor to a column comes first."""
    onwards = np.full(a.shape[1], np.inf)
    for first in range(0, len(b), _BLOCK):
        part = slice(first, first + _BLOCK)
        onwards = np.minimum(onwards, (b[part] - g[part, None]).min(0))
    return np.concatenate([(a[first : first + _BLOCK] + onwards).min(1) for first in range(0, len(a), _BLOCK)])


def _below(
    a: np.ndarray, b: np.ndarray, rows: np.ndarray, f: np.ndarray, g: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The rows and columns of the entries of these rows that make the plan cheaper, the most promising of each row."""
    legs, others = Legs(a[rows], 1.0, np.zeros(len(rows))), Legs(b, 1.0, g)
    least, limits = _cheapest(a[rows], b, g), f[rows]
    while (found := near_entries(legs, others, limits, most=memory_limit() // ENTRY_BYTES)) is None:
        limits = (limits + least) / 2
    found.data *= -1
    i, j = largest_of_rows(found, MORE).tocoo().coords
    return rows[i], j


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
            least = min(least, np.float64(a[i, p]) + b[j, p])
        out[k] = least
    return out
