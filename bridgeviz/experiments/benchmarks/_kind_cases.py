"""The methods that are compared on every kind of problem: the baselines, plans of every cost, and flows from them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bridgeviz import couplings, flows
from bridgeviz._options import options_of
from bridgeviz.baselines import BASELINES, BaselineOptions
from bridgeviz.costs import COSTS, CostOptions
from bridgeviz.couplings import Global, Linear, Plan
from bridgeviz.experiments._auto import Auto
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments._pipeline import Pipeline
from bridgeviz.experiments._recommend import recommend_steps
from bridgeviz.experiments.benchmarks._kind import Draw, Kind
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.problem import Pairs

AUTO, TRUE, RIDGE = "automatic", "true pairs", "ridge"
REFINED = ("diffusion_bridge", "discriminant_bridge")
"""The costs that are also rebuilt from their own plans."""
ROUNDS = 20
TOLERANCE = 1e-2

FLOWS: dict[str, dict[str, Any]] = {
    "flow": {},
    "flow on a linear map": {"base": "linear", "holdout": None, "patience": 500},
    "decayed flow on a linear map": {"base": "linear", "holdout": None, "weight_decay": 1.0, "steps": 2000},
}
"""The settings of a flow by name; all others are the defaults."""


@dataclass(frozen=True, kw_only=True)
class Case(ABC):
    """One or several methods that share their work, on one kind, with the pairs of one seed.

    Attributes:
        name: of the case; a key of the ledger.
    """

    name: str

    def rows(self, kind: Kind, draw: Draw, seed: int) -> Iterator[Row]:
        """A row per method: its name, its figures and the seconds of CPU time that it took.

        A method that fails has the error's sentence in the column `failed` and no figures.
        """
        steps: Iterator[tuple[str, Row]] | None = None
        while True:
            start = time.process_time()
            try:
                steps = steps or self.methods(kind, draw.pairs(kind.problem, seed), seed)
                method, row = next(steps)
            except StopIteration:
                return
            except Exception as error:  # the other cells go on; what happened is on record
                yield {"method": self.name, "failed": " ".join(f"{type(error).__name__}: {error}".split())}
                return
            numbers = {name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()}
            yield {"method": method, **numbers, "seconds": round(time.process_time() - start, 2)}

    def applies(self, kind: Kind, draw: Draw, seed: int) -> bool:
        """Whether it has figures with so many pairs of that seed."""
        return draw.count != 0

    @abstractmethod
    def methods(self, kind: Kind, pairs: Pairs, seed: int) -> Iterator[tuple[str, Row]]:
        """The name and the figures of each method."""


@dataclass(frozen=True, kw_only=True)
class BaselineCase(Case):
    """A baseline with its default options."""

    baseline: BaselineOptions

    def applies(self, kind: Kind, draw: Draw, seed: int) -> bool:
        return draw.count != 0 or not self.baseline.needs_pairs

    def methods(self, kind: Kind, pairs: Pairs, seed: int) -> Iterator[tuple[str, Row]]:
        fitted = self.baseline.fit(kind.problem, pairs, seed=seed)
        yield self.name, {**kind.of_baseline(fitted, pairs), "rival": True}


@dataclass(frozen=True, kw_only=True)
class PlanCase(Case):
    """The plan of a cost, the same with other tau, and flows from the first of them."""

    cost: CostOptions
    coupling: dict[str, Any] = field(default_factory=dict)

    def applies(self, kind: Kind, draw: Draw, seed: int) -> bool:
        if self.name == AUTO and seed >= kind.auto_seeds:
            return False
        if draw.count == 0 and getattr(self.cost, "needs_pairs", True) and self.name != AUTO:
            return False
        if kind.reads_labels and draw.fraction == 1:
            return False  # nothing is left to match
        return not kind.carries_new_points or self.name in kind.flows

    def methods(self, kind: Kind, pairs: Pairs, seed: int) -> Iterator[tuple[str, Row]]:
        first: Plan | None = None
        taus = kind.taus[:1] if self.name == AUTO else kind.taus
        for tau in taus:
            solver = Linear(tau=(1.0, tau), tolerance=TOLERANCE)
            config = RunConfig(
                dataset="yours", cost=self.cost, coupling=Global(solver=solver, **self.coupling), seed=seed
            )
            pipeline = Pipeline(config, own_problem=kind.problem, own_pairs=pairs, choose=recommend_steps)
            plan = pipeline.result("coupling")
            first = plan if first is None else first
            row = {**kind.of_plan(plan, pairs), "rival": False, "converged": plan.converged}
            if pipeline.recommendation is not None:
                row["chosen"] = pipeline.recommendation.reason
            if not kind.carries_new_points:
                yield self.name + (f", tau {tau:g}" if tau != 1 else ""), row
        if first is not None:
            yield from flows_from(self.name, kind, first, pairs, seed)


@dataclass(frozen=True, kw_only=True)
class TrueCase(Case):
    """Flows from the pairs alone."""

    def applies(self, kind: Kind, draw: Draw, seed: int) -> bool:
        return draw.fraction == 1 or not kind.reads_labels

    def methods(self, kind: Kind, pairs: Pairs, seed: int) -> Iterator[tuple[str, Row]]:
        yield from flows_from(self.name, kind, couplings.true(pairs, shape=kind.problem.shape), pairs, seed)


def flows_from(name: str, kind: Kind, plan: Plan, pairs: Pairs, seed: int) -> Iterator[tuple[str, Row]]:
    """The flows that a kind asks for from the plan of a case."""
    if name not in kind.flows or seed >= kind.flow_seeds:
        return
    for variant in kind.flow_variants:
        config = flows.FlowConfig(seed=seed, **FLOWS[variant])
        *_, last = flows.fit(kind.problem, plan, config)
        for what, row in kind.of_flow(last.flow, pairs, seed).items():
            yield ", ".join(filter(None, (name, variant, what))), {**row, "rival": False, "steps": last.step}


def cases(kind: Kind, draw: Draw, seed: int) -> dict[str, Case]:
    """The cases of a kind by name."""
    true = [TrueCase(name=TRUE)] if TRUE in kind.flows and seed < kind.flow_seeds else []
    return {case.name: case for case in (*true, *_plans(), *_baselines(kind)) if case.applies(kind, draw, seed)}


def _baselines(kind: Kind) -> Iterator[Case]:
    """The baselines that have figures: without classes those that read none, with classes those that predict them."""
    for options in BASELINES.values():
        if options.classifies if kind.reads_labels else not options.needs_labels:
            yield BaselineCase(name=options.title, baseline=options())


def _plans() -> Iterator[Case]:
    """The automatic choice, the costs that have a title, and some of them refined."""
    yield PlanCase(name=AUTO, cost=Auto())
    for name, options in COSTS.items():
        for variant in options.variants:
            if not variant.title:
                continue
            cost = options(**variant.options)
            yield PlanCase(name=variant.title, cost=cost)
            if name in REFINED and not variant.options and "refine" in options_of(Global):
                yield PlanCase(name=f"{variant.title}, refined", cost=cost, coupling={"refine": ROUNDS})


def measure_case(kind: Kind, draw: Draw, seed: int, case: Case) -> list[Row]:
    """The rows of one case, without its key; a function of plain values, for worker processes."""
    return list(case.rows(kind, draw, seed))


def is_number(value: Any) -> bool:
    """Whether a value of the ledger is a finite number."""
    return isinstance(value, int | float | np.number) and bool(np.isfinite(value))
