"""Global alignment: one transport problem between all rows (Sec. 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

from bridgeviz._options import Variant, option
from bridgeviz.costs import Cost
from bridgeviz.couplings._alignment import Alignment, costs_within, weighted_cost
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._linear import Linear
from bridgeviz.couplings._solver_options import SolverOptions, Steps
from bridgeviz.couplings._solvers import SOLVERS
from bridgeviz.problem import Pairs, Problem

SOLVER_HELP = "What the transport minimises."


@dataclass(frozen=True, kw_only=True)
class Global(Alignment):
    """Optimal transport between all rows.

    Args:
        solver: "linear", "fgw", or the options of a solver.
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

    def steps(self, problem: Problem, pairs: Pairs, cost: Cost | None = None, *, metric: str = "") -> Steps[Coupling]:
        """The coupling; yields after each step of a solver that has steps."""
        cost = self.solver.accept(weighted_cost(cost, problem))
        return (yield from self.solver.steps(cost, costs_within(self.solver, problem, metric)))
