"""Sinkhorn's algorithm on a kernel that stores few of its entries: O(entries) time and memory.

This module imports numba, so it is itself imported only where a problem repays that.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import no_type_check

import numpy as np
from scipy import sparse

from bridgeviz._compiled import compiled, cores
from bridgeviz._factor_sinkhorn import Scaled
from bridgeviz._relaxation import MOST, best_relaxation

CHUNK = 15
"""Iterations between two looks at the error."""

WORSE = 2.0
"""The factor by which the error may grow before over-relaxed iterations are taken back."""


def solve_on_entries(
    kernel: sparse.csr_array, a: np.ndarray, b: np.ndarray, rows: np.ndarray, columns: np.ndarray, *,
    f: np.ndarray, g: np.ndarray, floor: float, tau: tuple[float, float], tolerance: float, max_iterations: int,
) -> Generator[tuple[int, float], None, Scaled]:  # fmt: skip
    """Scale a sparse kernel K; yields the iterations and the error after each few.

    One pass over the entries is an iteration, in which a row is scaled and added to the columns' sums. The scalings are
    float64, and so wide that none has to be absorbed. A balanced problem is over-relaxed by what the error's decay says
    (Lehmann et al. 2022); the last of each few iterations is plain, so that the columns fit.

    Args:
        kernel: (u, v) `exp(f + g - C / epsilon)`, float32, with an entry in each row and column.
        a, b: the marginals (u,) and (v,), > 0.
        rows, columns: the scalings to start from.
        f, g: the potentials over epsilon that the kernel holds already.
        floor: what all entries have in addition, stored or not; above 0, there is always a plan.
        tau: of the two marginals.
        tolerance: of the error (see `Scaled`).
        max_iterations: at most.
    """
    u, v = rows.copy(), columns.copy()
    ends = _even_parts(kernel.indptr, cores())
    log_a, log_b = np.log(a), np.log(b)
    kept_f, kept_g = (tau[0] - 1) * f, (tau[1] - 1) * g
    error, done, omega, limit = math.inf, 0, 1.0, MOST

    def halves(power: float) -> list[tuple[np.ndarray, float, float]]:
        one = partial(
            _pass, kernel.indptr, kernel.indices, kernel.data, u, v, floor * v.sum(), log_a, kept_f, tau[0], power
        )
        return list(pool.map(one, ends[:-1], ends[1:]))

    with ThreadPoolExecutor(len(ends) - 1) as pool:
        while done < max_iterations and not error <= tolerance:
            count, before, saved = min(CHUNK, max_iterations - done), error, (u.copy(), v)
            for left in reversed(range(count)):
                power = omega if left else 1.0
                sums = sum(part for part, _, _ in halves(power)) + floor * u.sum()
                fitting = np.exp(tau[1] * (log_b - np.log(sums)) + kept_g)
                v = fitting if power == 1 else v * (fitting / v) ** power
            done += count
            parts = halves(0.0)  # only a look: the columns fit, so that the rows show the error
            error = sum(moved for _, moved, _ in parts) / sum(mass for _, _, mass in parts)
            if omega > 1 and not error < WORSE * before:
                (u, v), error, limit = saved, before, 1 + (omega - 1) / 2
                omega = limit if limit > 1.1 else 1.0
                continue
            yield done, error
            if math.isnan(error):
                break
            limit = min(MOST, 1 + 1.5 * (limit - 1))
            if tau == (1.0, 1.0) and math.isfinite(before):
                omega = min(best_relaxation(omega, (error / before) ** (1 / count)), limit)
    return Scaled(u, v, error, error <= tolerance, done)


def _even_parts(indptr: np.ndarray, parts: int) -> np.ndarray:
    """Where runs of rows end that hold about the same number of entries each."""
    inner = np.searchsorted(indptr, np.arange(1, parts) * int(indptr[-1]) / parts)
    return np.unique(np.concatenate([[0], inner, [len(indptr) - 1]]))


@compiled
@no_type_check
def _pass(indptr, indices, data, u, v, background, log_a, kept, tau, power, first, end):
    """One half-iteration of some rows: the columns' sums after it, what it moved, and the mass."""
    sums = np.zeros(len(v))
    moved, mass = 0.0, 0.0
    for i in range(first, end):
        total = background
        for k in range(indptr[i], indptr[i + 1]):
            total += data[k] * v[indices[k]]
        fitting = np.exp(tau * (log_a[i] - np.log(total)) + kept[i])
        moved += abs(u[i] - fitting) * total
        mass += fitting * total
        if power == 0:
            continue
        u[i] = fitting if power == 1 else u[i] * (fitting / u[i]) ** power
        for k in range(indptr[i], indptr[i + 1]):
            sums[indices[k]] += data[k] * u[i]
    return sums, moved, mass


@compiled
@no_type_check
def row_sums(indptr, indices, data, v):
    """(u,) the sums of the rows of a kernel whose columns are scaled by v, in double precision."""
    sums = np.zeros(len(indptr) - 1)
    for i in range(len(sums)):
        for k in range(indptr[i], indptr[i + 1]):
            sums[i] += data[k] * v[indices[k]]
    return sums


@compiled
@no_type_check
def scaled_entries(indptr, indices, data, u, v):
    """The entries of the kernel with its rows and columns scaled, in double precision."""
    out = np.empty(len(data))
    for i in range(len(indptr) - 1):
        for k in range(indptr[i], indptr[i + 1]):
            out[k] = u[i] * data[k] * v[indices[k]]
    return out


@compiled
@no_type_check
def exponentials(indptr, data, largest):
    """Replace each entry by `exp(largest - entry)`; `largest` holds a number for each row."""
    for i in range(len(indptr) - 1):
        for k in range(indptr[i], indptr[i + 1]):
            data[k] = np.exp(largest[i] - data[k])
