"""What a coupling solver is: frozen options that couple two spaces by a cost."""

from __future__ import annotations

import inspect
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._memory import PeakMemory
from bridgeviz._options import Choice, Flag, Options, PairOf, Positive, option
from bridgeviz._weights import weights as checked
from bridgeviz.costs import Cost, Within, as_cost
from bridgeviz.couplings._batch_solver import BatchSolver
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._pace import Pace
from bridgeviz.couplings._reports import ASKED

_NOTHING = 1e-200
"""A plan with less mass than this has vanished."""

METHODS = ("auto", "dense", "ott")

Weights = tuple[ArrayLike | None, ArrayLike | None]
"""The weights of the source rows (n,) and of the target rows (m,); None where all rows of a side weigh the same."""

T = TypeVar("T")
Steps = Generator[tuple[int, float], None, T]
"""Yields the number of each finished step and how much the plan changed in it; returns the result."""


@dataclass(frozen=True, kw_only=True)
class SolverOptions(Options, ABC):
    """The options of a coupling solver. A new one implements `steps`, and `batch` if it can couple batches.

    Attributes:
        needs_spaces: whether it reads the costs within both spaces.
        restricts: whether it reads the weights of the atoms of a cost, and its forbidden matches.
        unread_in_batches: the options that `batch` does not read.
    """

    needs_spaces: ClassVar[bool] = False
    restricts: ClassVar[bool] = False
    unread_in_batches: ClassVar[tuple[str, ...]] = ()

    @property
    def needs_pairs(self) -> bool:
        """Whether it reads the cost between the spaces, which is built on pairs."""
        return True

    @abstractmethod
    def steps(
        self,
        cost: Cost | ArrayLike | None,
        within: tuple[Within | ArrayLike, Within | ArrayLike] | None = None,
    ) -> Steps[Coupling]:
        """Solve the transport, step by step.

        Args:
            cost: between the spaces: a `Cost`, or an (n, m) matrix; None for a solver that needs no pairs.
            within: the cost within each space; None for a solver that does not need them.
        """

    def solve(
        self,
        cost: Cost | ArrayLike | None,
        within: tuple[Within | ArrayLike, Within | ArrayLike] | None = None,
        *,
        on_step: Callable[[int, float], None] | None = None,
    ) -> Coupling:
        """Solve the transport.

        Args:
            cost, within: as in `steps`.
            on_step: called after each step with its number and the change of the plan; raise from it to stop.
        """
        return finish(self.steps(cost, within), on_step)

    def pace(self) -> Pace:
        """What turns the steps of a solve into a line on its progress."""
        return Pace("step", "change of the plan")

    def by_method(self, cost: Cost) -> dict[str, SolverOptions]:
        """This solver with each method that solves the same problem; none if it has no methods."""
        return {}

    def batch(self, cost: Cost, *, tolerance: float, max_iterations: int, max_steps: int) -> BatchSolver:
        """The solver of one batch, for the strategy "local".

        Args:
            cost: that batches are drawn from.
            tolerance: L1 marginal error at which to stop.
            max_iterations: maximum number of Sinkhorn iterations per step.
            max_steps: maximum number of steps of an outer loop, if the solver has one.
        """
        raise InputError(f"The solver '{self.name}' can't couple batches. Use it with the strategy 'global'.")

    def accept(self, cost: Cost | None) -> Cost | None:
        """`cost` itself, or an error if it has weights or forbidden matches that this solver does not read."""
        if cost is not None and not self.restricts:
            weighted = cost.source_atoms.weights is not None or cost.target_atoms.weights is not None
            if weighted or cost.forbidden is not None:
                what = "weights" if weighted else "forbidden matches"
                raise InputError(f"The solver '{self.name}' does not read {what}. Use 'linear' or 'fgw'.")
        return cost

    def epsilon_for(self, cost: Cost) -> float | None:
        """The entropy regularisation that is used with a cost; None for a solver without one."""
        return None


@dataclass(frozen=True, kw_only=True)
class Entropic(SolverOptions):
    """What solvers with entropy regularisation have in common.

    Attributes:
        epsilon: entropy regularisation > 0, in units of the divided cost; None takes the cost's own default.
        tau: (tau_x, tau_y), each in (0, 1]; 1 enforces that marginal.
        scale_cost: the divisor of the costs; None takes the mean of each (Appendix D), 1.0 leaves them unchanged.
        merge: whether to merge equal rows.
        tolerance: L1 error at which to stop.
        method: "auto", "dense" or "ott".
        large: entries from which on "auto" is "dense".
    """

    unread_in_batches = ("scale_cost", "merge", "tolerance", "method")
    restricts = True
    large: ClassVar[int]
    epsilon: float | None = option(
        Positive(), None, label="Epsilon", word="auto", limits=(1e-5, 100.0),
        stops=("0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"),
        help="How blurred the transport plan is: small is sharp and slow, large is blurred. "
        "auto takes what suits the cost.",
    )  # fmt: skip
    tau: tuple[float, float] = option(
        PairOf(("x", "y")), (1.0, 1.0), label="Tau", limits=(1e-3, 1.0),
        stops=("0.1", "0.3", "0.5", "0.7", "0.8", "0.9", "0.95", "0.98", "1"),
        help="1: every row of that side carries the same mass. Less: rows may be left out, or carry more or less mass.",
    )  # fmt: skip
    scale_cost: float | None = option(Positive(), None, help="The divisor of the costs; None takes the mean of each.")
    merge: bool = option(Flag(), True, help="Whether to merge equal rows, which is exact.")
    tolerance: float = option(Positive(), 1e-6, help="L1 error at which to stop.")
    method: str = option(Choice(METHODS), "auto", help="How it is solved; the plan is the same up to the tolerance.")

    def epsilon_for(self, cost: Cost) -> float:
        """The entropy regularisation that is used with a cost."""
        return cost.default_epsilon if self.epsilon is None else self.epsilon

    def choice(self, cost: Cost) -> tuple[str, str]:
        """The method that solves the problem of a cost, and why."""
        if self.method != "auto":
            return self.method, ASKED
        u, v = cost.atom_shape
        if u * v >= self.large:
            return "dense", f"{u:,} x {v:,} atoms are at least {self.large:,} entries"
        return "ott", f"{u:,} x {v:,} atoms are fewer than {self.large:,} entries"

    def useless(self, plan: np.ndarray, epsilon: float, when: str) -> str:
        """Why nothing can be done with a plan, in one or two sentences; "" for a plan of finite numbers with mass.

        Args:
            plan: of the solver.
            epsilon: that it was solved with.
            when: such as "after step 3".
        """
        mass = float(plan.sum(dtype=float))
        finite = bool(np.isfinite(mass))  # no entry is negative, and so none makes up for another
        if not finite and self.tau == (1.0, 1.0):  # otherwise it is what remains of a plan that has vanished
            return (
                f"The plan is not finite {when}: epsilon {epsilon:g} is too small for this cost. Try a larger epsilon."
            )
        if finite and mass > _NOTHING:
            return ""
        return (
            f"No mass is left {when}: with epsilon {epsilon:g} and tau ({self.tau[0]:g}, {self.tau[1]:g}) it costs "
            "less to leave every point out than to move it. Try a larger tau or epsilon."
        )


def weigh(cost: Cost | ArrayLike | None, weights: Weights | None, where: str) -> Cost | None:
    """The cost of the function `where` between rows of these weights; without any, those of the cost."""
    if weights is None:
        return None if cost is None else as_cost(cost, where)
    try:
        source, target = weights
    except (TypeError, ValueError):
        expected = "a pair (a, b): the weights of the source rows, and of the target rows, or None"
        raise check.fail("weights", where, expected, check.describe(weights)) from None
    if cost is None:
        raise check.fail("cost", where, "given where the weights are", None)
    cost = as_cost(cost, where)
    sides = [
        None if value is None else checked(value, f"{side} weights", where, length=size)
        for side, value, size in zip(("source", "target"), (source, target), cost.shape, strict=True)
    ]
    return cost.weighted(*sides)


def finish(steps: Steps[T], on_step: Callable[[int, float], None] | None = None) -> T:
    """The result of a generator of steps; `on_step` is called with what it yields, and ends it if it raises."""
    with closing(steps):
        while True:
            try:
                step, change = next(steps)
            except StopIteration as end:
                return end.value
            if on_step is not None:
                on_step(step, change)


def measured(steps: Steps[Coupling]) -> Steps[Coupling]:
    """The same steps; their coupling says how long they took, and how much memory."""
    start = time.perf_counter()
    with PeakMemory() as peak:
        coupling = yield from steps
    return replace(coupling, seconds=time.perf_counter() - start, memory=peak.bytes)


def numbered_from(done: int, steps: Steps[T]) -> Steps[T]:
    """The same steps, numbered as if `done` others had come before."""
    while True:
        try:
            step, change = next(steps)
        except StopIteration as end:
            return end.value
        yield done + step, change


def with_options(cls: type[SolverOptions]) -> Callable[[T], T]:
    """Show the options of `cls` in the signature of a function that passes its keyword arguments to it."""

    def decorate(function: T) -> T:
        signature = inspect.signature(function)  # type: ignore[arg-type]
        named = [p for p in signature.parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        options = inspect.signature(cls).parameters.values()
        parameters = sorted([*named, *options], key=lambda parameter: parameter.kind)
        setattr(function, "__signature__", signature.replace(parameters=parameters))  # noqa: B010
        return function

    return decorate
