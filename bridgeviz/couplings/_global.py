"""Global alignment: one transport problem between all rows (Sec. 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bridgeviz._options import Count, Variant, option
from bridgeviz.costs import Cost
from bridgeviz.couplings._alignment import Alignment, costs_within, weighted_cost
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._linear import Linear
from bridgeviz.couplings._pace import Pace
from bridgeviz.couplings._refinement import Refiner
from bridgeviz.couplings._solver_options import SolverOptions, Steps
from bridgeviz.couplings._solvers import SOLVERS
from bridgeviz.problem import Pairs, Problem

SOLVER_HELP = "What the transport minimises."


@dataclass(frozen=True, kw_only=True)
class Global(Alignment):
    """Optimal transport between all rows.

    Args:
        solver: "linear", "fgw", "assignment", or the options of a solver.
        refine: how often, at most, the plan becomes soft pairs on which the cost is built and solved again; 0 keeps the
            first plan. Known pairs stay, and so do weights and forbidden matches. Held-out pairs decide how many rounds
            are kept (see `Coupling.refinement`). It helps most where classes are clouds and pairs are few.
    """

    name = "global"
    summary = "optimal transport between all points"
    lead = (
        "**Optimal transport** looks for the cheapest way to move one cloud of points onto the other; epsilon "
        "blurs it. The plan says how much of each source row goes to each target row."
    )
    solver: SolverOptions = option(
        Variant(SOLVERS, SolverOptions), Linear(), label="Solver", key="solver", main=True, help=SOLVER_HELP
    )
    refine: int = option(
        Count(0), 0, label="Rounds of refinement", key="refine", limits=(0, 50), stops=("0", "1", "2", "5", "10"),
        help="How often, at most, the cost is built again on what the plan has found, and solved again. Held-out pairs "
        "decide how many rounds are kept.",
    )  # fmt: skip

    def steps(self, problem: Problem, pairs: Pairs, cost: Cost | None = None, *, metric: str = "") -> Steps[Coupling]:
        """The coupling; yields after each step of a solver that has steps."""
        cost = self.solver.accept(weighted_cost(cost, problem))
        within = costs_within(self.solver, problem, metric)
        if self.refine == 0 or cost is None:
            return (yield from self.solver.steps(cost, within))

        refiner = Refiner(cost, np.asarray(pairs), lambda again: self.solver.steps(again, within), self.refine)
        return (yield from refiner.steps())

    def pace(self) -> Pace:
        """What turns the steps of a solve into a line on its progress; of several solves, no end is foreseen."""
        return self.solver.pace() if self.refine == 0 else super().pace()
