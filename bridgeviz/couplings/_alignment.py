"""What a strategy is: frozen options that couple the two spaces of a problem (Sec. 3.2)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from bridgeviz._options import Options
from bridgeviz.costs import Cost, Within, flat
from bridgeviz.couplings._pace import Pace
from bridgeviz.couplings._plan import Plan
from bridgeviz.couplings._solver_options import SolverOptions, Steps, finish
from bridgeviz.problem import Pairs, Problem


@dataclass(frozen=True, kw_only=True)
class Alignment(Options, ABC):
    """A strategy: pairs, a cost and a problem become a plan.

    Attributes:
        uses_cost: whether it reads a cost between the spaces at all.
        chunk_size: training steps between two moments at which a training in the app can be cancelled.
    """

    uses_cost: ClassVar[bool] = True
    chunk_size: ClassVar[int] = 25

    @abstractmethod
    def steps(self, problem: Problem, pairs: Pairs, cost: Cost | None, *, metric: str) -> Steps[Plan]:
        """Couple the two spaces, step by step.

        Args:
            problem: whose rows are coupled.
            pairs: the known pairs.
            cost: between the spaces; None if it is not needed.
            metric: of the costs within the spaces, for a solver that needs them.

        Yields:
            The number of each finished step and how much the plan changed in it. The plan is returned.
        """

    def couple(
        self, problem: Problem, pairs: Pairs, cost: Cost | None = None, *, metric: str = "cosine",
        on_step: Callable[[int, float], None] | None = None,
    ) -> Plan:  # fmt: skip
        """Couple the two spaces.

        Args:
            problem, pairs, cost, metric: as in `steps`.
            on_step: called after each step with its number and the change of the plan; raise from it to stop.
        """
        return finish(self.steps(problem, pairs, cost, metric=metric), on_step)

    def pace(self) -> Pace:
        """What turns the steps of a solve into a line on its progress."""
        return Pace("step", "change of the plan")

    @property
    def transport(self) -> SolverOptions | None:
        """The solver; None if nothing is solved."""
        return getattr(self, "solver", None)

    @property
    def needs_pairs(self) -> bool:
        """Whether it needs at least one pair."""
        return self.transport is None or self.transport.needs_pairs

    @property
    def introduction(self) -> str:
        """One or two sentences on what is solved: the solver's own, or the strategy's if the solver has none."""
        return (self.transport.lead if self.transport else "") or self.lead

    @property
    def objective(self) -> str:
        """What is minimised, or what the coupling is, in LaTeX."""
        return (self.transport.formula if self.transport else "") or self.formula

    @property
    def epsilon(self) -> float | None:
        """The solver's entropy regularisation; None if it has none, or takes the cost's own."""
        return getattr(self.transport, "epsilon", None)

    @property
    def tau(self) -> tuple[float, float] | None:
        """The solver's (tau_x, tau_y); None if it has none."""
        return getattr(self.transport, "tau", None)

    @property
    def alpha(self) -> float | None:
        """The weight of the Gromov-Wasserstein term; None if the solver has none."""
        return getattr(self.transport, "alpha", None)

    @property
    def forces_target_marginal(self) -> bool:
        """Whether the plan must use every target row equally."""
        return self.tau is not None and self.tau[1] == 1


def weighted_cost(cost: Cost | None, problem: Problem) -> Cost | None:
    """The cost between the rows of a problem, which may have weights."""
    mu, nu = problem.source.weights, problem.target.weights
    if mu is None and nu is None:
        return cost
    return (flat(*problem.shape) if cost is None else cost).weighted(mu, nu)


def costs_within(solver: SolverOptions, problem: Problem, metric: str) -> tuple[Within, Within] | None:
    """The costs within both spaces; None for a solver that does not need them."""
    if not solver.needs_spaces:
        return None
    return Within(problem.source.x, metric=metric), Within(problem.target.x, metric=metric)
