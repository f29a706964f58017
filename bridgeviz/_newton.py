"""Newton's method on the potentials of the smaller side: exact plans where one side has few atoms."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np
from scipy import linalg
from scipy.special import logsumexp

from bridgeviz._ladder import ladder
from bridgeviz._solution import Solution

STAGE_ERROR, STAGE_STEPS = 1e-3, 20
"""Where a stage before the last ends: its potentials are only the start of the next one."""

ENTRIES = 2**17
"""Entries of the plan that are computed at a time, at most: few enough to stay in the cache."""

ROUNDING = 1e-13
"""A curvature below this share of the largest is rounding, and is taken as that much."""

FAINT = 1e-16
"""A column with a smaller share of the mass than the heaviest is left to Sinkhorn: Newton's step for it is rounding."""

STALLED, LESS = 30, 0.99
"""Steps after which no more are tried if the error has not fallen below this share of what it was."""


class _Dual(NamedTuple):
    """The dual objective's derivatives at some potentials of the columns, where the rows' are the best for them.

    Attributes:
        gradient: (v,) the mass that each column lacks.
        curvature: (v, v) minus the Hessian, times epsilon.
        error: the L1 norm of the gradient over the mass of the plan.
    """

    gradient: np.ndarray
    curvature: np.ndarray
    error: float


def solve_by_newton(
    cost: np.ndarray, a: np.ndarray, b: np.ndarray, *, epsilon: float, tau: tuple[float, float], tolerance: float,
    max_iterations: int, start: np.ndarray | None = None,
) -> Generator[tuple[int, float], None, Solution]:  # fmt: skip
    """The problem of `_sinkhorn.solve_linear`, in float64; yields the steps and the error after each.

    Where mass hardly moves between atoms, Sinkhorn's iterations need as many as it takes to wander: tens of thousands
    for ten columns and a small epsilon. Newton's method needs some twenty steps. The best potentials of the longer side
    follow from those of the shorter one, so that a step solves v equations, and costs O(u v^2).

    - The dual objective is concave, and its third derivative along a direction d is at most r times the second, with
      `r = range(d) / epsilon` for a balanced problem. Hence `log(1 + r) / r` of Newton's step always raises it (Sun and
      Tran-Dinh 2019), and where r is small this is nearly all of it.
    - Where clusters exchange so little mass that its curvature is rounding, the slope still says which way to go, and
      the same bound how far: some 30 epsilon at a time.
    - An iteration of Sinkhorn follows each step. It also raises the objective, it is all that a small tau needs, and no
      column is then far too light for Newton's model of it.
    - Epsilon falls to its value in stages, because a step moves the potentials by a few epsilon at most.

    Args:
        cost: (u, v), infinite where no mass may go.
        a, b: the marginals (u,) and (v,), > 0.
        epsilon: entropy regularisation.
        tau: of the two marginals.
        tolerance: L1 error of the sums of one side at which to stop, while those of the other are exact; if the problem
            is unbalanced, the error of the fixed point over all mass.
        max_iterations: steps of all stages together.
        start: (v,) potentials of the columns of a similar problem, from which epsilon need not fall; None for none.
    """
    if len(a) < len(b):
        of_rows = None if start is None else fitting(cost, a, start, epsilon, tau[0])
        solution = yield from solve_by_newton(
            cost.T, b, a, epsilon=epsilon, tau=(tau[1], tau[0]), tolerance=tolerance, max_iterations=max_iterations,
            start=of_rows,
        )  # fmt: skip
        assert solution.potentials is not None
        potentials = fitting(cost.T, b, solution.potentials, epsilon, tau[1])
        return solution._replace(plan=np.ascontiguousarray(solution.plan.T), potentials=potentials)
    problem = _Problem(np.ascontiguousarray(cost, float), a, b, tau)
    g, done, error = np.zeros(len(b)) if start is None else start, 0, math.nan
    for current in ladder(problem.range, epsilon) if start is None else [epsilon]:
        last = current == epsilon
        goal, room = (tolerance, max_iterations - done) if last else (STAGE_ERROR, STAGE_STEPS)
        g, best, since = problem.fitted(g, current), math.inf, 0
        for _ in range(min(room, max_iterations - done)):
            dual = problem.dual(g, current)
            error, done = dual.error, done + 1
            yield done, error
            best, since = (error, 0) if error < LESS * best else (best, since + 1)
            if not error > goal or since > STALLED:
                break
            g = problem.fitted(g + problem.step(dual, current), current)
    return Solution(problem.plan(g, epsilon), error, error <= tolerance, done, g)


def fitting(cost: np.ndarray, mass: np.ndarray, others: np.ndarray, epsilon: float, tau: float) -> np.ndarray:
    """The potentials of one side that fit those of the other side.

    Args:
        cost: (u, v).
        mass: (u,) the marginal of the side.
        others: (v,) potentials of the other side.
        epsilon: entropy regularisation.
        tau: of the side.
    """
    return tau * epsilon * (np.log(mass) - _log_sums((others - cost) / epsilon, 1))


def _log_sums(z: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(logsumexp(z, axis=axis))


class _Problem:
    """Transport between many rows and few columns, as a function of the columns' potentials g."""

    def __init__(self, cost: np.ndarray, a: np.ndarray, b: np.ndarray, tau: tuple[float, float]):
        self.cost, self.log_a, self.b, self.tau = cost, np.log(a), b, tau

    @property
    def range(self) -> float:
        """The largest finite cost minus the smallest one."""
        return float(np.ptp(self.cost[np.isfinite(self.cost)]))

    def fitted(self, g: np.ndarray, epsilon: float) -> np.ndarray:
        """The potentials after one iteration of Sinkhorn."""
        log_sums = np.full(len(g), -np.inf)
        for rows, z in self._blocks(np.zeros_like(g), epsilon):
            potentials = self.tau[0] * (self.log_a[rows] - _log_sums(z + g / epsilon, 1))
            log_sums = np.logaddexp(log_sums, _log_sums(z + potentials[:, None], 0))
        return self.tau[1] * epsilon * (np.log(self.b) - log_sums)

    def dual(self, g: np.ndarray, epsilon: float) -> _Dual:
        """The derivatives at these potentials."""
        columns, shared = np.zeros(len(g)), np.zeros((len(g), len(g)))
        for _, sums, plan in self._plan(g, epsilon):
            columns += plan.sum(0)
            held = sums > 0  # a row that an unbalanced plan leaves out may have lost all its digits
            shared += plan[held].T @ (plan[held] / sums[held, None])
        tau_x, tau_y = self.tau
        wanted = self.b * np.exp(-g * (1 - tau_y) / (tau_y * epsilon))
        curvature = np.diag(columns + wanted * ((1 - tau_y) / tau_y)) - tau_x * shared
        with np.errstate(invalid="ignore", divide="ignore"):  # without mass, no error is defined
            error = float(np.abs(wanted - columns).sum() / columns.sum())
        return _Dual(wanted - columns, curvature, error)

    def step(self, dual: _Dual, epsilon: float) -> np.ndarray:
        """What to add to the potentials."""
        weight = np.diag(dual.curvature)
        scale = np.sqrt(weight, out=np.full(len(weight), np.inf), where=weight > FAINT * weight.max())
        values, vectors = linalg.eigh(dual.curvature / scale / scale[:, None])
        slope = vectors.T @ (dual.gradient / scale)
        taken = values <= ROUNDING * values[-1]
        if np.linalg.norm(slope[taken]) <= np.linalg.norm(slope[~taken]):
            taken = ~taken  # either at a time: together, the longer steps would shorten the others
        # Where every row is bound to one column, the curvature is 0, and so are the slope and the step.
        along = np.where(taken, slope, 0) / np.maximum(values, max(ROUNDING * values[-1], np.finfo(float).tiny))
        newton = vectors @ along / scale  # in units of epsilon
        size, (tau_x, tau_y) = float(np.abs(newton).max()), self.tau
        r = max(float(np.ptp(newton)) + 3 * (1 - tau_x) * size, (1 - tau_y) / tau_y * size)
        # The slope along the step over the curvature: 1, unless that is rounding.
        steep = along @ slope / max(along**2 @ np.maximum(values, ROUNDING**2 * values[-1]), np.finfo(float).tiny)
        return newton * epsilon * (math.log1p(r * steep) / r if r > 0 else 1.0)

    def plan(self, g: np.ndarray, epsilon: float) -> np.ndarray:
        """(u, v), the plan of these potentials."""
        out = np.empty(self.cost.shape)
        for rows, _, plan in self._plan(g, epsilon):
            out[rows] = plan
        return out

    def _plan(self, g: np.ndarray, epsilon: float) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Rows, their sums (r,) and the plan (r, v) between them and the columns."""
        for rows, z in self._blocks(g, epsilon):
            highest = z.max(1)
            plan = np.exp(z - highest[:, None], out=z)
            sums = plan.sum(1)
            log_sums = highest + np.log(sums)
            # The rows' potentials over epsilon are tau (log a - log_sums).
            wanted = np.exp(log_sums + self.tau[0] * (self.log_a[rows] - log_sums))
            plan *= (wanted / sums)[:, None]
            yield rows, wanted, plan

    def _blocks(self, g: np.ndarray, epsilon: float) -> Iterator[tuple[slice, np.ndarray]]:
        """Rows, and (r, v) the potentials minus the cost between them and the columns, over epsilon."""
        u, v = self.cost.shape
        step = max(ENTRIES // v, 1)
        for start in range(0, u, step):
            rows = slice(start, min(start + step, u))
            yield rows, (g - self.cost[rows]) / epsilon
