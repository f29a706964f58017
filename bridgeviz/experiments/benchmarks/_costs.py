"""The costs and the baselines by paired fraction: the paper's Fig. 6, 17 and 18 as numbers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bridgeviz import metrics
from bridgeviz.baselines import BASELINES, BaselineOptions
from bridgeviz.costs import COSTS, CostOptions, Within
from bridgeviz.couplings import FGW, Entropic, Linear
from bridgeviz.datasets import DatasetOptions
from bridgeviz.experiments.benchmarks._benchmark import Benchmark, Task, shared
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

FRACTIONS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
SHORT = (0.005, 0.01, 0.1)
"""The fractions of the short table."""

UNBALANCED = (1.0, 0.9)
"""The tau of the unbalanced plan, which need not fill classes without a pair."""


def cost_cases() -> dict[str, CostOptions]:
    """The variants of the registered costs that have a title."""
    return {
        variant.title: options(**variant.options)
        for options in COSTS.values()
        for variant in options.variants
        if variant.title
    }


def baseline_cases() -> dict[str, BaselineOptions]:
    """The registered baselines that predict classes."""
    return {options.title: options() for options in BASELINES.values() if options.classifies}


@dataclass(frozen=True)
class Data:
    """The problem of the benchmark, loaded when a measurement needs it."""

    dataset: DatasetOptions

    @cached_property
    def problem(self) -> Problem:
        """The two spaces."""
        return self.dataset.load()

    @cached_property
    def within(self) -> tuple[Within, Within]:
        """The distances within both spaces, for FGW."""
        return Within(self.problem.source.x), Within(self.problem.target.x)

    @property
    def labels(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) and (m,) labels."""
        source, target = self.problem.source.labels, self.problem.target.labels
        assert source is not None
        assert target is not None
        return source, target


@dataclass(frozen=True, kw_only=True)
class CostBenchmark(Benchmark):
    """Matching accuracy of the plan by cost, solver and paired fraction, and the accuracy of the baselines.

    Attributes:
        name: of the block and the CSV.
        dataset: the labelled data set.
        title: of the table.
        tolerance: of the solvers.
        alphas: of FGW.
        fractions: shares of the known pairs.
        show_tau: whether the table shows the unbalanced plan.
    """

    takes = ("workers",)
    name: str
    dataset: DatasetOptions
    title: str
    tolerance: float
    alphas: tuple[float, ...]
    fractions: tuple[float, ...] = FRACTIONS
    show_tau: bool = False

    @property
    def block(self) -> str:
        return self.name

    @property
    def solvers(self) -> list[Entropic]:
        """What each cost is solved with."""
        linear = [Linear(tolerance=self.tolerance), Linear(tolerance=self.tolerance, tau=UNBALANCED)]
        return [*linear, *(FGW(alpha=alpha, tolerance=self.tolerance) for alpha in self.alphas)]

    def tasks(self, seeds: int) -> Iterator[Task]:
        data = Data(self.dataset)
        for seed in range(seeds):
            for fraction in self.fractions:
                for case, cost in cost_cases().items():
                    key = {"case": case, "fraction": fraction, "seed": seed}
                    yield Task(key, partial(self._solve, data, cost, fraction, seed))
                for case, baseline in baseline_cases().items():
                    key = {"case": case, "fraction": fraction, "seed": seed}
                    yield Task(key, partial(self._fit, data, baseline, fraction, seed))

    def lines(self, rows: list[Row]) -> list[str]:
        row = rows[-1]
        return [f"{row['case']}, {100 * row['fraction']:g} %, seed {row['seed']}: {row['matching_accuracy']:.3f}"]

    def _solve(self, data: Data, options: CostOptions, fraction: float, seed: int) -> Iterator[Row]:
        """A row per solver."""
        data = shared(data)
        pairs = data.problem.sample_pairs(fraction, seed=seed)
        start = time.perf_counter()
        cost = options.build(data.problem.source.x, data.problem.target.x, pairs)
        about_cost = {
            "pairs": len(pairs),
            "seconds_cost": round(time.perf_counter() - start, 3),
            "cheapest": round(metrics.cost_accuracy(cost, *data.labels), 4),
        }
        for solver in self.solvers:
            within = data.within if solver.needs_spaces else None
            start = time.perf_counter()
            plan = solver.solve(cost, within)
            seconds = time.perf_counter() - start
            yield {
                **about_cost,
                "solver": solver.name,
                "alpha": getattr(solver, "alpha", 0.0),
                "tau_y": solver.tau[1],
                "matching_accuracy": round(metrics.matching_accuracy(plan, *data.labels), 4),
                "converged": plan.converged,
                "iterations": plan.iterations,
                "seconds_plan": round(seconds, 3),
            }

    def _fit(self, data: Data, options: BaselineOptions, fraction: float, seed: int) -> list[Row]:
        data = shared(data)
        pairs = data.problem.sample_pairs(fraction, seed=seed)
        fitted = options.fit(data.problem, pairs, seed=seed)
        accuracy = fitted.accuracy(data.problem.source.x, data.labels[0])
        return [{"pairs": len(pairs), "solver": "none", "matching_accuracy": round(accuracy, 4)}]

    def blocks(self, rows: pd.DataFrame) -> dict[str, str]:
        """The whole table, and a short one with linear plans at a few fractions."""
        return {self.block: self.table(rows), f"{self.block}-short": self._short_table(rows)}

    def table(self, rows: pd.DataFrame) -> str:
        """Medians over seeds."""
        medians = _Medians.of(rows, self.fractions)
        lines = [self._head(medians)]
        for case in cost_cases():
            if case not in medians.cases:
                continue
            lines.append(medians.line(f"{case}: linear", case, "linear"))
            if self.show_tau:
                title = f"{case}: linear, tau_y {UNBALANCED[1]:g}"
                lines.append(medians.line(title, case, "linear", tau_y=UNBALANCED[1]))
            lines.append(medians.best_line(f"{case}: FGW (best alpha)", case, self.alphas))
        lines += [medians.line(case, case, "none") for case in baseline_cases() if case in medians.cases]
        return "\n".join([*lines, "", self._note(rows)])

    def _short_table(self, rows: pd.DataFrame) -> str:
        medians = _Medians.of(rows, tuple(fraction for fraction in self.fractions if fraction in SHORT))
        lines = [self._head(medians)]
        lines += [medians.line(case, case, "linear") for case in cost_cases() if case in medians.cases]
        lines += [medians.line(case, case, "none") for case in baseline_cases() if case in medians.cases]
        return "\n".join([*lines, "", self._note(rows, "with linear OT ")])

    def _head(self, medians: _Medians) -> str:
        percent = " | ".join(f"{100 * fraction:g} %" for fraction in medians.fractions)
        return f"| {self.title}, pairs: | {percent} |\n" + "|---" * (len(medians.fractions) + 1) + "|"

    def _note(self, rows: pd.DataFrame, solver: str = "") -> str:
        return f"Median matching accuracy {solver}over seeds 0 to {rows.seed.max()}. `bridgeviz bench {self.name}`."


@dataclass(frozen=True)
class _Medians:
    """Median matching accuracies by (case, solver, tau_y, alpha, fraction).

    Attributes:
        values: the medians.
        cases: those that are measured.
        fractions: the columns of a table: those that are measured for every case and seed.
    """

    values: dict[tuple[Any, ...], float]
    cases: frozenset[str]
    fractions: tuple[float, ...]

    @classmethod
    def of(cls, rows: pd.DataFrame, fractions: tuple[float, ...]) -> _Medians:
        rows = rows.loc[rows.case.isin([*cost_cases(), *baseline_cases()])]
        columns = ["case", "solver", "tau_y", "alpha", "fraction"]
        groups = rows.fillna({"alpha": 0.0, "tau_y": 1.0}).groupby(columns)
        seeds = rows.groupby(["fraction", "case"]).seed.nunique().unstack()
        complete = (seeds == rows.seed.nunique()).all(axis=1)
        return cls(
            values=groups.matching_accuracy.median().to_dict(),
            cases=frozenset(rows.case),
            fractions=tuple(fraction for fraction in fractions if complete.get(fraction, False)),
        )

    def line(self, title: str, case: str, solver: str, *, tau_y: float = 1.0) -> str:
        """A line of the table."""
        return _line(title, [f"{value:.3f}" for value in self._row(case, solver, tau_y, 0.0)])

    def best_line(self, title: str, case: str, alphas: tuple[float, ...]) -> str:
        """A line with FGW at its best alpha, which stands behind the number."""
        by_alpha = np.array([self._row(case, "fgw", 1.0, alpha) for alpha in alphas])
        best = by_alpha.argmax(0)
        return _line(title, [f"{v:.3f} ({alphas[k]:g})" for v, k in zip(by_alpha.max(0), best, strict=True)])

    def _row(self, case: str, solver: str, tau_y: float, alpha: float) -> list[float]:
        return [self.values.get((case, solver, tau_y, alpha, fraction), float("nan")) for fraction in self.fractions]


def _line(title: str, cells: list[str]) -> str:
    return f"| {title} | {' | '.join(cells)} |"
