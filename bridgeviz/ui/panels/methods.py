"""The same transport problem solved by two methods, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pandas as pd
import streamlit as st

from bridgeviz import RunConfig, metrics
from bridgeviz._units import duration, memory
from bridgeviz.couplings import Coupling, Global, SolverOptions, distance
from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.panels.advice import result_of
from bridgeviz.ui.text import literal
from bridgeviz.ui.work import slots
from bridgeviz.ui.work.jobs import Job
from bridgeviz.ui.work.priority import give_way

_SLOT = "methods"

_NEAR = 10
"""Two plans whose marginals fit to a tolerance are the same if they differ by no more than this many tolerances."""


class Comparison(NamedTuple):
    """What two methods gave.

    Attributes:
        plans: their numbers by method; the plans themselves are not kept.
        distance: the L1 distance of the plans, of mass 1 each.
        unfinished: the methods that did not converge.
        tolerance: of both.
    """

    plans: dict[str, dict[str, str]]
    distance: float
    unfinished: tuple[str, ...]
    tolerance: float

    @property
    def text(self) -> str:
        """Whether the plans agree, in one or two sentences."""
        apart = f"The plans differ by {self.distance:.2g} of the mass (L1)"
        if self.unfinished:
            return f"{apart}, but {' and '.join(self.unfinished)} did not converge, so they need not agree."
        if self.distance <= _NEAR * self.tolerance:
            return f"{apart}: the same plan up to the tolerance of {self.tolerance:g}."
        return (
            f"{apart}, which is much more than the tolerance of {self.tolerance:g}. The marginals of both fit, but at "
            "this epsilon that leaves the plans some freedom."
        )


def compare(config: RunConfig) -> None:
    """Two methods to choose, a button, its progress and the comparison; nothing where there are no two methods."""
    cost, strategy = stages.cost(config), config.coupling
    if cost is None or not isinstance(strategy, Global):
        return
    solvers = strategy.solver.by_method(cost)
    if len(solvers) < 2:
        return
    with st.expander("Compare two methods", icon=":material/balance:", expanded=slots.latest(_SLOT) is not None):
        st.markdown("Two methods solve the same problem: what each of them takes, and whether the plans agree.")
        first, second = _choice(list(solvers))
        chosen = {name: solvers[name] for name in (first, second)}
        outcome = result_of(
            _SLOT, f"Solve by {first} and by {second}", (first, second, *config.key("coupling")), _work(config, chosen)
        )
        if isinstance(outcome, Comparison):
            st.table(pd.DataFrame(outcome.plans).T)
            st.markdown(literal(outcome.text))
            refined = " Without the rounds of refinement." if strategy.refine else ""
            st.caption(
                "The first solve of a problem of some size includes the compilation for it. The memory is what the "
                f"server held at most beyond before, by other work as well.{refined}"
            )


def _choice(names: list[str]) -> tuple[str, str]:
    """The two methods to compare."""
    if len(names) == 2:
        return names[0], names[1]
    left, right = st.columns(2)
    first = left.selectbox("First method", names, key="first_method")
    second = right.selectbox("Second method", [name for name in names if name != first], key="second_method")
    return first, second


def _work(config: RunConfig, solvers: Mapping[str, SolverOptions]) -> Callable[[Job], None]:
    """The work of solving the problem of a config by each of some solvers."""
    problem, pairs, cost = stages.problem(config), stages.pairs(config), stages.cost(config)
    labels = analysis.labels_of(problem)

    def work(job: Job) -> None:
        give_way()
        plans: dict[str, Coupling] = {}
        for number, (name, solver) in enumerate(solvers.items(), 1):
            job.update(stage=f"Solving by {name} ({number} of {len(solvers)})", detail="")
            pace = solver.pace()

            def report(done: int, error: float, pace=pace) -> None:
                job.check()
                job.update(detail=pace(done, error))

            plan = Global(solver=solver).couple(problem, pairs, cost, metric=config.cost.within, on_step=report).whole
            assert plan is not None, "the strategy is global"
            plans[name] = plan
            job.check()
        job.update(stage="Comparing the plans", detail="")
        unfinished = tuple(name for name, plan in plans.items() if not plan.converged)
        tolerance = max(getattr(solver, "tolerance", 0.0) for solver in solvers.values())
        rows = {name: _numbers(plan, labels) for name, plan in plans.items()}
        job.update(result=Comparison(rows, distance(*plans.values()), unfinished, tolerance))

    return work


def _numbers(plan: Coupling, labels: tuple | None) -> dict[str, str]:
    """What is said of one plan."""
    accuracy = {} if labels is None else {"Matching accuracy": f"{metrics.matching_accuracy(plan, *labels):.1%}"}
    return {
        "Time": duration(plan.seconds),
        "Memory": memory(plan.memory) or "less than 1 MB",
        "Iterations": f"{plan.iterations:,}",
        "Marginal error": f"{plan.marginal_error:.1e}",
        **accuracy,
    }
