"""Sinkhorn's algorithm on a stored kernel: large dense problems, many times faster than in the log domain."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from bridgeviz._extent import HUGE, SINGLE, Extent
from bridgeviz._kernel_cost import Cost, on_device, over_devices
from bridgeviz._kernel_programs import programs
from bridgeviz._kernel_sweeps import WIDEST, Kernel, SplitCost, mass_of, scaled, widest
from bridgeviz._ladder import ladder
from bridgeviz._relaxation import MOST, best_relaxation
from bridgeviz._row_shards import OneDevice, RowShards, all_devices
from bridgeviz._solution import Solution

FAINT = 1e-20
"""Mass of an unbalanced plan below which it is solved again in float64, because float32 numbers end at 1e-38."""

STAGE_ERROR, STAGE_ITERATIONS = 0.05, 50
"""Where a stage before the last ends: its error is only that of the start of the next one."""

SETTLING, CHUNK = 10, 15
"""Iterations that forget what came before, and those over which the error's decay is then measured."""

WORSE = 4.0
"""The factor by which the error may grow before over-relaxed iterations are taken back; it counts both sides there."""

ENTRIES, ROWS = 2**20, 1024
"""Entries of the kernel and rows in a block, at most: few enough to stay in the cache between its two uses, and for
float32 sums over its rows to be exact enough."""

UNCUT_ENTRIES, UNCUT_ROWS = 2**23, 4096
"""Entries and rows of a kernel that iterations multiply whole, at most: a block is copied before it is multiplied,
which costs more than to read a kernel twice that stays in the cache."""


T = TypeVar("T")


class _Scalings(NamedTuple):
    """Scalings of rows and columns, and how far the plan is from its fixed point."""

    rows: jax.Array
    columns: jax.Array
    error: float


def solve_on_kernel(
    cost: Cost, a: np.ndarray, b: np.ndarray, *, epsilon: float, tau: tuple[float, float], tolerance: float,
    max_iterations: int, divisor: Callable[[Extent], float] | None = None,
    reference: tuple[np.ndarray, np.ndarray] | None = None, start: np.ndarray | None = None,
) -> Generator[tuple[int, float], None, Solution]:  # fmt: skip
    """The problem of `_sinkhorn.solve_linear`, step by step; yields the iterations and the error after each few.

    - The kernel is stored and multiplied, in float32 for tolerances down to 1e-6, instead of computed by each of two
      sums of logarithms. One pass over it is an iteration: a block of rows is scaled and added to the columns' sums
      while it is in the cache.
    - Epsilon falls to its value in a few stages (Schmitzer 2019), each of which starts from the potentials of the one
      before, relative to the marginals. Scalings beyond e^30 are absorbed into the potentials.
    - A balanced problem is over-relaxed (Thibault et al. 2021) by what the error's decay says (Lehmann et al. 2022),
      and only for as long as that is faster. The last iterations are plain, so that the error is that of the plan.

    Args:
        cost: (u, v), infinite where no mass may go, or what writes it into a matrix.
        a, b: the marginals (u,) and (v,), > 0.
        epsilon: entropy regularisation.
        tau: of the two marginals.
        tolerance: L1 error of the row sums at which to stop, while the column sums are exact; if the problem is
            unbalanced, the mass that an iteration still moves between rows, over all mass.
        max_iterations: of all stages together.
        divisor: of the cost, from its extent; None is 1.
        reference: (u,) and (v,), whose product is the entropy's reference measure; None is the counting measure.
        start: (v,) potentials of the columns of a similar problem, from which epsilon need not fall; None for none.

    Returns:
        The solution; its plan is in the memory of the kernel, and in its type.
    """
    epsilon, tau = float(epsilon), (float(tau[0]), float(tau[1]))  # other numbers would be other programs

    def steps(dtype: type) -> Generator[tuple[int, float], None, Solution]:
        solver = KernelSolver(cost, a, b, tau, dtype, alone=True)
        solver.scale(1.0 if divisor is None else divisor(solver.extent), epsilon, reference)
        solver.start = start
        error, iterations = yield from solver.solve(epsilon, tolerance, max_iterations)
        potentials = solver.potentials()
        return Solution(solver.plan(), error, error <= tolerance, iterations, potentials)

    if tolerance >= SINGLE:
        solution = yield from _driven(steps(np.float32))
        if solution.plan.sum(dtype=float) > FAINT:
            return solution
        del solution
    return (yield from _driven(steps(np.float64)))


def _driven(steps: Generator[tuple[int, float], None, T]) -> Generator[tuple[int, float], None, T]:
    """The same steps with float64 at hand while they run, and not while they wait for whoever drives them."""
    while True:
        with jax.enable_x64(True):
            try:
                told = next(steps)
            except StopIteration as end:
                return end.value
        yield told


class KernelSolver:
    """The arrays of one problem on the device, and its potentials.

    `solve` starts from the potentials it ended with, also if `cost` has been changed since. All methods need float64
    at hand.

    Attributes:
        cost: its matrix has rows without mass at its end, up to whole blocks.
        start: (v,) potentials of the columns that the first `solve` begins with; None for none.
        extent: of the cost that it began with.
        size: the number of rows without them.
        thrifty: whether the last kernel takes the place of the cost, which is written again if it is needed again, and
            the kernels before it have half of its digits: for a huge problem without a successor.
        devices: that the rows are divided over.
        block: the number of rows in a block.
        balanced: whether both marginals are enforced.
    """

    def __init__(
        self, cost: Cost, a: np.ndarray, b: np.ndarray, tau: tuple[float, float], dtype: type, *, alone: bool = False
    ):
        u, v = len(a), len(b)
        self.devices = all_devices() if alone else OneDevice()
        self.size, self.dtype, self.tau = u, dtype, tau
        self.block = min(max(ENTRIES // v, 1), ROWS, -(-u // self.devices.count))
        rows = -(-u // (self.block * self.devices.count)) * self.block  # on each device
        whole = rows <= UNCUT_ROWS and rows * v <= UNCUT_ENTRIES
        self.programs = programs(self.block, rows if whole else self.block, self.devices)
        self.balanced = tau == (1.0, 1.0)
        self.thrifty = alone and u * v >= HUGE and self.devices.count == 1
        self.write, self.marginals = cost, (a, b)
        matrix, self.extent = self._matrix()
        self.cost, self.range = SplitCost(matrix), self.extent.range
        self.log_a = np.concatenate([np.log(a), np.zeros(len(matrix) - u)])
        self.log_b = np.log(b)
        self.kernel: Kernel | None = None
        self.start: np.ndarray | None = None

    def _matrix(self) -> tuple[jax.Array, Extent]:
        """The matrix of the cost on the device, and its extent."""
        if isinstance(self.devices, RowShards):
            return over_devices(self.write, *self.marginals, self.block, self.dtype, self.devices)
        return on_device(self.write, *self.marginals, self.block, self.dtype, owned=self.thrifty)

    def scale(self, divisor: float, epsilon: float, reference: tuple[np.ndarray, np.ndarray] | None) -> None:
        """Divide the cost, and move the entropy's reference measure into it; the matrix stays as it is."""
        self.cost, self.range = self.cost._replace(weight=1 / divisor), self.range / divisor
        if reference is not None:
            rows, columns = (-epsilon * np.log(side) for side in reference)
            self.range += float(np.ptp(rows) + np.ptp(columns))
            rows = np.concatenate([rows, np.zeros(len(self.log_a) - len(rows))])
            left = np.stack([rows, np.ones(len(rows))], axis=1)
            right = np.stack([np.ones(len(columns)), columns], axis=1)
            self.cost = self.cost._replace(left=self.devices.rows(left), right=self.devices.columns(right))

    def solve(
        self, epsilon: float, tolerance: float, max_iterations: int
    ) -> Generator[tuple[int, float], None, tuple[float, int]]:
        """Iterate, and return the error and the number of iterations; epsilon falls to its value the first time."""
        done, error, used = 0, math.inf, 0
        before = self.before(epsilon)
        while True:
            last = not before
            self.absorb(epsilon if last else before.pop(0), last)
            room = max_iterations - done if last else min(STAGE_ITERATIONS, max_iterations - done)
            for used, error in self.iterate(tolerance if last else STAGE_ERROR, room, relax=last):
                yield done + used, error
            done += used
            if last and (error <= tolerance or done >= max_iterations or math.isnan(error)):
                return error, done

    def before(self, epsilon: float) -> list[float]:
        """The values of epsilon before its own; an unbalanced problem forgets its start soon enough without them."""
        if self.kernel is not None or self.start is not None or not self.balanced:
            return []
        return ladder(self.range, epsilon)[:-1]

    def absorb(self, epsilon: float, last: bool) -> None:
        """Move the scalings into the potentials, and compute the kernel for this epsilon, which may be the last."""
        a, b = self.devices.rows(self.log_a), self.devices.columns(self.log_b)
        if self.kernel is not None:
            relative = self.potentials() - self.epsilon * self.log_b  # to the marginal
            self.kernel = None  # its memory is needed for the next one
            g = self.devices.columns(relative / epsilon + self.log_b)
            if self.cost.matrix.is_deleted():
                self.cost = self.cost._replace(matrix=self._matrix()[0])
        elif self.start is not None:
            g = self.devices.columns(self.start / epsilon)
        elif self.balanced:
            g = b
        else:
            matrix, *terms = self.cost
            g = self.programs.columns_alone(matrix, tuple(terms), b, epsilon, self.tau[1])
        matrix, *terms = self.cost
        settings: Any = (matrix, tuple(terms), a, g, epsilon, self.tau[0])
        if self.thrifty and last:
            values, f = self.programs.replace_cost(*settings)
        else:
            values, f = self.programs.start(*settings, store=jnp.bfloat16 if self.thrifty else self.dtype)
        self.epsilon, self.kernel = epsilon, Kernel(values, a, b, f, g, self.tau)
        self.scalings = _Scalings(
            self.devices.rows(np.ones(len(f), self.dtype)), self.devices.columns(np.ones(len(g), self.dtype)), math.inf
        )  # fmt: skip
        self._advance(1.0, 1, 0.0)  # the rows fit already: only now the columns do, and the next error says something

    def iterate(self, goal: float, room: int, *, relax: bool) -> Generator[tuple[int, float], None, None]:
        """Iterate until the error is at most `goal`, `room` iterations are done, or the scalings must be absorbed."""
        used, omega, limit = 0, 1.0, MOST
        while True:
            before = self.scalings
            used += self._advance(omega, min(SETTLING, room - used), goal)
            settled = self.scalings.error
            if not self._ends(goal, room - used):
                count = self._advance(omega, min(CHUNK, room - used), goal)
                used += count
                rate = (self.scalings.error / settled) ** (1 / count)
            if omega > 1 and not self.scalings.error < WORSE * before.error and used < room:
                self.scalings, limit = before, 1 + (omega - 1) / 2
                omega = limit if limit > 1.1 else 1.0
                continue
            limit = min(MOST, 1 + 1.5 * (limit - 1))
            yield used, self.scalings.error
            if self._ends(goal, room - used):
                if omega == 1 or used >= room:
                    return
                omega, relax = 1.0, relax and self.scalings.error > goal  # the columns fit after a plain iteration
            elif relax and self.balanced:
                omega = min(best_relaxation(omega, rate), limit)

    def _ends(self, goal: float, room: int) -> bool:
        """Whether to stop: NaN is the error of a plan without mass."""
        return not self.scalings.error > goal or room <= 0 or self._wide()

    def _wide(self) -> bool:
        return bool(widest(self.scalings.rows, self.scalings.columns) >= WIDEST)

    def _advance(self, omega: float, count: int, goal: float) -> int:
        """Up to `count` iterations; returns how many were done."""
        assert self.kernel is not None, "absorb comes first"
        rows, columns, error, done = self.programs.sweeps(
            self.kernel, self.scalings.rows, self.scalings.columns, omega, goal, count
        )
        self.scalings = _Scalings(rows, columns, float(error))
        return int(done)

    def potentials(self) -> np.ndarray:
        """(v,) of the columns, in units of the cost."""
        assert self.kernel is not None, "absorb comes first"
        g, columns = (np.asarray(side, np.float64) for side in (self.kernel.g, self.scalings.columns))
        # A scaling beyond its type became 0 or infinite, from where no iteration leads back.
        return self.epsilon * (g + np.log(np.clip(columns, np.finfo(self.dtype).tiny, np.finfo(self.dtype).max)))

    def plan(self) -> np.ndarray:
        """(u, v) the plan, in the type and the memory of the kernel; takes it like `take_plan`."""
        return self.devices.on_host(self.take_plan())[: self.size]

    def mass(self) -> float:
        """The mass of the plan."""
        assert self.kernel is not None, "absorb comes first"
        return float(mass_of(self.kernel.values, self.scalings.rows, self.scalings.columns))

    def take_plan(self, factor: float = 1.0) -> jax.Array:
        """A multiple of the plan on the device, in the memory of the kernel: only `solve` may follow."""
        assert self.kernel is not None, "absorb comes first"
        plan = scaled(self.kernel.values, self.scalings.rows * np.asarray(factor, self.dtype), self.scalings.columns)
        self.kernel = self.kernel._replace(values=plan)
        return plan
