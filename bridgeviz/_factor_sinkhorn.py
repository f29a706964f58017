"""Sinkhorn's algorithm on a kernel that is a product of two thin factors: O((n + m) l) time and memory."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from bridgeviz._relaxation import best_relaxation

CHUNK = 10
"""Iterations between two looks at the error."""

_ROWS = 4096  # whose float32 products are added before they are added to the others in float64


@dataclass(frozen=True, eq=False)
class Scaled:
    """The plan `diag(u) K diag(v)`.

    Attributes:
        rows, columns: the scalings u (u,) and v (v,).
        error: L1 distance of the row sums from the marginal, while the column sums are exact; if the problem is
            unbalanced, the mass that an iteration still moves between rows, over all mass.
        converged: whether the error reached the tolerance.
        iterations: how many were done.
    """

    rows: Float[np.ndarray, " u"]
    columns: Float[np.ndarray, " v"]
    error: float
    converged: bool
    iterations: int


def solve_on_factors(
    f_x: Any, f_y: Any, a: np.ndarray, b: np.ndarray, *, tau: tuple[float, float], tolerance: float,
    max_iterations: int,
) -> Generator[tuple[int, float], None, Scaled]:  # fmt: skip
    """Scale the kernel `K = F_X F_Y^T > 0`; yields the iterations and the error after each few.

    `u = (a / K v)^tau_x`, `v = (b / K^T u)^tau_y`: each product goes through the l columns of the factors, and K is
    never multiplied out. A balanced problem is over-relaxed by what the error's decay says (Lehmann et al. 2022).

    Args:
        f_x, f_y: (u, l) and (v, l), >= 0, dense or sparse.
        a, b: the marginals (u,) and (v,), > 0.
        tau: of the two marginals.
        tolerance: of the error.
        max_iterations: at most.
    """
    u, v = np.ones(len(a)), np.ones(len(b))
    sums, error, done, omega = f_x @ _exactly(f_y, v), math.inf, 0, 1.0
    while done < max_iterations and not error <= tolerance:
        count, before = min(CHUNK, max_iterations - done), error
        for left in reversed(range(count)):
            u = _relaxed(u, (a / sums) ** tau[0], omega)
            # The last one is plain, so that the columns fit.
            v = _relaxed(v, (b / (f_y @ _exactly(f_x, u))) ** tau[1], omega if left else 1.0)
            sums = f_x @ _exactly(f_y, v)
        done += count
        fitting = (a / sums) ** tau[0]
        error = float(np.abs(u - fitting) @ sums / (fitting @ sums))
        yield done, error
        if math.isnan(error):
            break
        if tau == (1.0, 1.0):
            omega = 1.0 if math.isinf(before) else best_relaxation(omega, (error / before) ** (1 / count))
    return Scaled(u, v, error, error <= tolerance, done)


def _relaxed(old: np.ndarray, new: np.ndarray, omega: float) -> np.ndarray:
    return new if omega == 1 else old * (new / old) ** omega


def _exactly(f: Any, weights: np.ndarray) -> np.ndarray:
    """`f.T @ weights`; sums of many float32 numbers are added in float64."""
    if sparse.issparse(f):
        return f.T @ weights
    total = np.zeros(f.shape[1])
    for first in range(0, len(weights), _ROWS):
        total += f[first : first + _ROWS].T @ weights[first : first + _ROWS].astype(f.dtype)
    return total
