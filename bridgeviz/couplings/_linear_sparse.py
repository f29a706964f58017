"""Linear transport on the few entries of a (min, +) cost that can carry mass."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz._memory import memory_limit, refuse_above
from bridgeviz.costs import Cost, min_plus
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._permitted import support
from bridgeviz.couplings._sampled_potentials import Sampled, Side, paths, potentials, sampled, sides
from bridgeviz.couplings._solver_options import Steps, numbered_from

LEFT_OUT = 0.01
"""The share of a row's mass that all entries without a place may have together, if each has as much as is allowed."""

MISSED = 1e-3
"""The share of the mass on entries without a place above which entries are chosen again."""

UNPLACED = 0.1
"""The part of the tolerance that mass may have which no entry with a place can take. Both marginals miss it."""

ROUNDS = 16
"""How often, at most, entries are chosen."""

FLOORS = (1.0, 1e-2, 1e-4, 1e-6)
"""What entries without a place have while each choice of entries is tried, as parts of what they may have at most. So
there is always a plan; where mass finds no other place, potentials move until better entries are chosen."""

ROUGH, FINDING = 0.02, 150
"""The error at which the potentials are good enough to choose entries, and the iterations to that at most."""

ROWS = 200
"""Rows all of whose entries are computed to see how much mass the entries without a place would have."""

FAR = 7.0
"""How far the search in these rows goes beyond what has a place: the rest has less than e^-7 of 1 % of the mass."""

ENTRY_BYTES = 20
"""Memory of an entry at the peak: its column, its kernel and its mass, and parts of them twice."""

HIGHEST = 30.0
"""The logarithm of the largest entry of the kernel, over its row's mass; in float32, e^88 is infinite."""

FEWEST = 8
"""Entries of a row or a column that would have none."""

_NOTHING = 1e-300  # has a logarithm


class Potentials(NamedTuple):
    """A solution, or a guess of one.

    Attributes:
        f, g: potentials of the rows and of the columns over epsilon.
        rows: logarithms of the masses that the rows then have.
    """

    f: np.ndarray
    g: np.ndarray
    rows: np.ndarray


class Missed(NamedTuple):
    """The share of the mass on entries without a place: an estimate from some rows, and its standard error."""

    share: float
    error: float

    def __str__(self) -> str:
        return f"{self.share:.2g}" + (f" +- {self.error:.1g}" if self.error else "")


def has_paths(cost: Cost) -> bool:
    """Whether the entries of a cost are paths over anchors, none of them forbidden."""
    return cost.combine is min_plus and cost.forbidden is None and not sparse.issparse(cost.source_factor)


def solve_sparse(
    cost: Cost, *, epsilon: float, scale_cost: float | None, tau: tuple[float, float], tolerance: float,
    max_iterations: int,
) -> Steps[Coupling]:  # fmt: skip
    """The coupling on the entries that carry mass; yields after each few iterations.

    Potentials from a sample of rows and columns say which entries `exp((f + g - C) / epsilon)` would be below 1 % of a
    row's mass if all of its entries were as large. All others have a place, and the search over anchors finds them
    exactly. After the transport is solved, the same is computed for all entries of some rows, with the potentials of
    the solution. These potentials choose again if the entries without a place have more than 0.1 % of the mass, or if
    those with one can't take all of it.

    Args: as the options of `Linear`.

    Raises:
        InputError: a cost whose entries are not paths over anchors, or with forbidden matches.
        TooLarge: more entries than the memory has room for.
    """
    from bridgeviz._sparse_sinkhorn import row_sums, scaled_entries, solve_on_entries

    _refuse(cost)
    used = support(cost, tau, "linear")
    source, target = sides(cost, used, tau)
    sample = sampled(source, target)
    mean, deviation = sample.mean(source.mass, target.mass)
    scale = (mean or 1.0) if scale_cost is None else scale_cost
    unit = scale * epsilon
    at = Potentials(*potentials(sample, source, target, unit, tau))
    about = "" if scale_cost is not None or sample.whole else _about_mean(sample, mean, deviation)
    del sample
    done, rounds, step, last = 0, 0, 0, False
    goals = max(ROUGH, tolerance), (1 - 2 * UNPLACED) * tolerance
    while not last:
        kernel, held = chosen(source, target, unit, at)
        rounds += 1
        u, v = np.exp(held.rows), np.ones(len(held.g))
        for stage, floor in enumerate((FLOORS[step], FLOORS[-1])):
            most = max_iterations if stage else min(done + FINDING, max_iterations)
            floor *= LEFT_OUT / len(v)
            solution = yield from numbered_from(done, solve_on_entries(
                kernel, source.mass, target.mass, u, v, f=held.f - held.rows, g=held.g, floor=floor, tau=tau,
                tolerance=goals[stage], max_iterations=most - done,
            ))  # fmt: skip
            u, v, done = solution.rows, solution.columns, done + solution.iterations
            mass = u * row_sums(kernel.indptr, kernel.indices, kernel.data, v)
            at = Potentials(held.f - held.rows + _log(u), held.g + _log(v), _log(mass))
            missed = _missed(source, target, unit, at, kernel)
            unplaced = floor * u.sum() * v.sum() / max(mass.sum(), _NOTHING)
            enough = missed.share <= MISSED and unplaced <= UNPLACED * tolerance
            last = enough or rounds == ROUNDS or done >= max_iterations
            if not last:
                step = min(step + (missed.share <= MISSED), len(FLOORS) - 1)
                del kernel  # so that there is one at a time
                break
    data = scaled_entries(kernel.indptr, kernel.indices, kernel.data, solution.rows, solution.columns)
    plan = sparse.csr_array((data, kernel.indices, kernel.indptr), shape=kernel.shape)
    plan = used.spread(plan)
    error, converged = solution.error, solution.converged
    if tau == (1.0, 1.0):
        error = float(
            np.abs(plan.sum(axis=1) - cost.source_atoms.mass).sum()
            + np.abs(plan.sum(axis=0) - cost.target_atoms.mass).sum()
        )
        converged = converged and error <= 2 * tolerance
    advice = "" if converged else (
        f"Sinkhorn stopped after {done} iterations with a residual of {error:.1e} > {tolerance:.0e}: try a larger "
        f"epsilon (now {epsilon:g}) or more Sinkhorn iterations."
    )  # fmt: skip
    if missed.share > MISSED:
        converged = False
        advice = (
            f"Entries that were left out would have {missed} of the mass after {rounds} choice{'s' * (rounds > 1)} of "
            f"entries: try a larger epsilon (now {epsilon:g}), or the method 'dense'."
        )
    stored = kernel.nnz / len(u) / len(v)
    return Coupling(
        plan=plan, source_atoms=replace(cost.source_atoms, power=tau[0]),
        target_atoms=replace(cost.target_atoms, power=tau[1]), solver="linear", converged=converged,
        marginal_error=error, iterations=done, epsilon=epsilon, tau=tau, advice=advice, method="sparse",
        why=f"{stored:.2%} of the entries are stored, and the others would have {missed} of the mass{about}",
    )  # fmt: skip


def chosen(source: Side, target: Side, unit: float, at: Potentials) -> tuple[sparse.csr_array, Potentials]:
    """The entries with a place, as `exp(f + g - C / unit)` over the rows' masses, and the potentials in them.

    Where the potentials are far off, that of a row is lowered until its entries are finite in float32.

    Args:
        source, target: the sides.
        unit: of the cost.
        at: potentials, about.

    Raises:
        TooLarge: more entries than there is room for.
    """
    from bridgeviz._near_entries import Legs, near_entries
    from bridgeviz._sparse_sinkhorn import exponentials

    (f, g, log_rows), u, v = at, len(at.f), len(at.g)
    a = Legs(source.legs, unit, np.log(source.counts))
    b = Legs(target.legs, unit, np.log(target.counts) + g)
    most = memory_limit() // ENTRY_BYTES
    kernel = near_entries(a, b, _limits(target, at), most=most)
    if kernel is None:
        size = ENTRY_BYTES * (most + 1)
        what = f"The plan of {u:,} x {v:,} atoms with more than {most:,} entries"
        refuse_above(size, what, "Try a smaller epsilon, strategy 'local', or a sample of the rows.")
        raise AssertionError("refused above")
    kernel = _completed(kernel, source, target, unit, f, g)
    f = np.minimum(f, np.minimum.reduceat(kernel.data, kernel.indptr[:-1]) + log_rows + HIGHEST)
    exponentials(kernel.indptr, kernel.data, f - log_rows)
    return kernel, at._replace(f=f)


def _completed(reduced: Any, source: Side, target: Side, unit: float, f: np.ndarray, g: np.ndarray) -> sparse.csr_array:
    """The entries `C / unit - g`, and the cheapest ones of the rows and columns that have none."""
    no_row = np.flatnonzero(np.diff(reduced.indptr) == 0)
    no_column = np.flatnonzero(np.bincount(reduced.indices, minlength=len(g)) == 0)
    if not len(no_row) and not len(no_column):
        return reduced
    rows, columns, values = [], [], []
    for few, mine, other, potential in ((no_row, source, target, g), (no_column, target, source, f)):
        for at in np.array_split(few, -(-len(few) // 512)) if len(few) else []:
            c = paths(mine.legs[at], other.legs) / unit - np.log(other.counts) - np.log(mine.counts[at])[:, None]
            near = np.argpartition(c - potential, min(FEWEST, c.shape[1]) - 1, axis=1)[:, :FEWEST]
            c = np.take_along_axis(c, near, axis=1)
            i, j = (np.repeat(at, near.shape[1]), near.ravel())
            i, j = (i, j) if mine is source else (j, i)
            rows.append(i)
            columns.append(j)
            values.append(c.ravel() - g[j])
    i, j, value = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    _, first = np.unique(i * reduced.shape[1] + j, return_index=True)
    # A row or column without an entry has none of these yet, and so nothing is added twice.
    i, j, value = i[first], j[first], value[first].astype(np.float32)
    ends, added = reduced.indptr, np.concatenate([[0], np.cumsum(np.bincount(i, minlength=len(f)))])
    data, columns = np.insert(reduced.data, ends[i + 1], value), np.insert(reduced.indices, ends[i + 1], j)
    return sparse.csr_array((data, columns, (ends + added).astype(ends.dtype)), shape=reduced.shape)


def _limits(target: Side, at: Potentials) -> np.ndarray:
    """Of each row: `C / unit - g` above which an entry has no place.

    A column with little mass asks for entries that are small for a row. Few columns may have none.
    """
    least = np.minimum(at.rows, np.quantile(np.log(target.mass), 0.01))
    return at.f - least + math.log(len(at.g) / LEFT_OUT)


def _missed(source: Side, target: Side, unit: float, at: Potentials, kernel: Any) -> Missed:
    """The mass that these potentials give to entries without a place, in some rows with all entries that matter."""
    from bridgeviz._near_entries import Legs, near_entries
    from bridgeviz._sparse_sinkhorn import exponentials

    u, v = kernel.shape
    rows = np.arange(u) if u <= ROWS else np.sort(np.random.default_rng(2).choice(u, ROWS, replace=False))
    a = Legs(source.legs[rows], unit, np.log(source.counts[rows]))
    b = Legs(target.legs, unit, np.log(target.counts) + at.g)
    reduced = near_entries(a, b, _limits(target, at)[rows] + FAR, most=memory_limit() // ENTRY_BYTES)
    if reduced is None:
        return Missed(1.0, 0.0)
    exponentials(reduced.indptr, reduced.data, at.f[rows])
    keys = [_keys(matrix.indptr, matrix.indices, v) for matrix in (reduced, kernel[rows])]
    missing = np.where(np.isin(keys[0], keys[1]), 0.0, reduced.data)
    missing = np.bincount(keys[0] // v, weights=missing, minlength=len(rows))
    held = np.exp(at.rows[rows])
    total = held.sum() + missing.sum()
    if not total > 0:
        return Missed(0.0, 0.0)
    share = missing.sum() / total
    error = 0.0 if u <= ROWS else float(np.std(missing - share * (held + missing)) * math.sqrt(len(rows)) / total)
    return Missed(float(share), error)


def _keys(indptr: np.ndarray, indices: np.ndarray, columns: int) -> np.ndarray:
    """The numbers `i v + j` of stored entries."""
    return np.repeat(np.arange(len(indptr) - 1, dtype=np.int64), np.diff(indptr)) * columns + indices


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(values, _NOTHING))


def _about_mean(sample: Sampled, mean: float, deviation: float) -> str:
    return (
        f"; the divisor is the mean of the cost as estimated from {len(sample.rows):,} rows and "
        f"{len(sample.columns):,} columns, {mean:.6g} +- {deviation:.1g}"
    )


def _refuse(cost: Cost) -> None:
    if has_paths(cost):
        return
    expected = f"'dense' or 'ott' for {cost.name}, whose entries are not paths over anchors"
    if cost.forbidden is not None:
        expected = "'dense' or 'ott' where matches are forbidden"
    hint = "The bridge, the geodesic bridge and knn(form='path') are."
    raise check.fail("method", "linear", expected, "sparse", hint)
