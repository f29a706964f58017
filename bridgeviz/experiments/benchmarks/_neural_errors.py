"""How well neurons are predicted by paired fraction and strategy (Fig. 10), and what categories survive (Fig. 11)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bridgeviz import _checks as check
from bridgeviz import couplings, flows, metrics
from bridgeviz.baselines import Ridge
from bridgeviz.costs import bridge
from bridgeviz.couplings import Plan
from bridgeviz.datasets import DatasetOptions
from bridgeviz.experiments.benchmarks._benchmark import FigureBenchmark, Task, median_and_range, shared
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

FRACTIONS = (0.2, 0.4, 0.6, 0.8)
STEPS = (100, 1000)
"""The training steps after which the error is measured: about where it is least, and long after that."""

STRATEGIES = ("global", "global, balanced", "true", "local")
EPSILON, TAU = 1e-3, 0.99
"""Those of the paper (L.2)."""

LOCAL_STEPS = 100
"""Local alignment solves a transport problem at every step, so it stops here."""

RIDGE = "ridge"
DRAWS = 64
"""Draws of the conditional mean."""


@dataclass(frozen=True)
class Recorded:
    """The problem with its test split, and the validation split of the same data set.

    Raises:
        InputError: the data set has no neurons, no known pairs, or no option `held_out`.
    """

    dataset: DatasetOptions

    @cached_property
    def problem(self) -> Problem:
        """The two spaces, with the test split."""
        problem = self._with("test")
        if not problem.target.neurons or problem.truth is None or problem.test is None:
            raise check.fail("dataset", "figure", "one with neurons, known pairs and a test split", problem.name)
        return problem

    @cached_property
    def held_out(self) -> dict[str, Problem]:
        """The validation and the test split by name."""
        parts = {"validation": self._with("validation").test, "test": self.problem.test}
        return {name: part for name, part in parts.items() if part is not None}

    @cached_property
    def decoder(self) -> metrics.CategoryDecoder | None:
        """The decoder of categories, fitted to the recorded responses; None without categories."""
        target = self.problem.target
        return None if target.labels is None else metrics.fit_category_decoder(target.x, target.labels)

    def plan(self, strategy: str, fraction: float, seed: int) -> Plan:
        """The coupling of a strategy in `STRATEGIES`."""
        problem = self.problem
        pairs = problem.sample_pairs(fraction, seed=seed)
        if strategy == "true":
            return couplings.true(pairs, shape=problem.shape)
        cost = bridge(problem.source.x, problem.target.x, pairs, metric="pearson")
        if strategy == "local":
            return couplings.local(cost, epsilon=EPSILON, tau=(TAU, TAU))
        tau = 1.0 if strategy == "global, balanced" else TAU
        return couplings.linear(cost, epsilon=EPSILON, tau=(tau, tau))

    def _with(self, part: str) -> Problem:
        if not hasattr(self.dataset, "held_out"):
            raise check.fail("dataset", "figure", "one with neurons and a validation split", self.dataset.name)
        return replace(self.dataset, held_out=part).load()  # pyright: ignore[reportCallIssue]


@dataclass(frozen=True, kw_only=True)
class NeuralErrors(FigureBenchmark):
    """The error of predicted responses on held-out stimuli, from flows of every strategy and from ridge regression.

    The prediction is the flow's conditional mean. For a data set with categories, the rows also hold the share of
    predicted responses whose category a decoder recognises that was fitted to recorded ones.

    Attributes:
        dataset: with neurons as its target, and an option `held_out`.
        fractions: shares of the known pairs.
        steps: after which the error is measured.
        strategies: names in `STRATEGIES`.
    """

    takes = ("workers",)
    dataset: DatasetOptions
    fractions: tuple[float, ...] = FRACTIONS
    steps: tuple[int, ...] = STEPS
    strategies: tuple[str, ...] = STRATEGIES

    @property
    def block(self) -> str:
        return f"figure-10-11-{self.dataset.name}"

    def is_current(self, row: Row) -> bool:
        return row.get("dataset") == repr(self.dataset)

    def tasks(self, seeds: int) -> Iterator[Task]:
        data = Recorded(self.dataset)
        for seed in range(seeds):
            for fraction in self.fractions:
                key = {"fraction": fraction, "seed": seed}
                yield Task({"case": RIDGE, **key}, partial(self._ridge, data, fraction, seed))
                for strategy in self.strategies:
                    yield Task({"case": strategy, **key}, partial(self._flow, data, strategy, fraction, seed))

    def _ridge(self, data: Recorded, fraction: float, seed: int) -> Iterator[Row]:
        data, start = shared(data), time.perf_counter()
        fitted = Ridge().fit(data.problem, data.problem.sample_pairs(fraction, seed=seed))
        seconds = round(time.perf_counter() - start, 2)
        predicted = {name: fitted.transport(part.source.x) for name, part in data.held_out.items()}
        yield {"steps": 0, **self._scores(data, predicted), "seconds": seconds}

    def _flow(self, data: Recorded, strategy: str, fraction: float, seed: int) -> Iterator[Row]:
        data, start, seconds_of_evaluation = shared(data), time.perf_counter(), 0.0
        plan = data.plan(strategy, fraction, seed)
        paired = data.problem.sample_pairs(fraction, seed=seed).source
        mass = float("nan") if plan.whole is None else float(plan.marginals()[0][paired].sum() / plan.mass)
        steps = [step for step in self.steps if strategy != "local" or step <= LOCAL_STEPS]
        config = flows.FlowConfig(
            steps=max(self.steps), seed=seed, chunk_size=int(np.gcd.reduce(self.steps)), reweight=False
        )
        for progress in flows.fit(data.problem, plan, config):
            if progress.step not in steps:
                continue
            pause = time.perf_counter()
            flow = progress.flow
            predicted = {name: flow.mean(part.source.x, draws=DRAWS, seed=seed) for name, part in data.held_out.items()}
            test = data.held_out["test"]
            drawn = flow.transport(test.source.x, seed=seed).states[-1]
            row = {
                "steps": progress.step,
                **self._scores(data, predicted),
                "error_of_one_draw": round(metrics.prediction_error(drawn, test.target.x), 4),
                "mass_of_paired_rows": round(mass, 4),
            }
            seconds_of_evaluation += time.perf_counter() - pause
            yield {**row, "seconds": round(time.perf_counter() - start - seconds_of_evaluation, 2)}
            if progress.step == steps[-1]:
                break

    def _scores(self, data: Recorded, predicted: dict[str, np.ndarray]) -> Row:
        """The columns about a prediction for each held-out part."""
        row: Row = {"dataset": repr(self.dataset)}
        for name, y in predicted.items():
            recorded = data.held_out[name].target
            correlation = metrics.neuron_correlation(y, recorded.x)
            row[f"{name}_error"] = round(metrics.prediction_error(y, recorded.x), 4)
            row[f"{name}_correlation"] = round(float(np.nanmedian(correlation)), 4)
            if data.decoder is not None and recorded.labels is not None:
                row[f"{name}_categories"] = round(data.decoder.accuracy(y, recorded.labels), 4)
        return row

    def lines(self, rows: list[Row]) -> list[str]:
        row = rows[-1]
        where = f"{row['case']}, {row['fraction']:.0%}, seed {row['seed']}"
        return [f"{where}: " + ", ".join(f"error {one['test_error']:.3f} after {one['steps']} steps" for one in rows)]

    def table(self, rows: pd.DataFrame) -> str:
        """Medians over seeds with their range, and the tests of Fig. 10."""
        groups = dict(list(rows.groupby(["case", "steps"])))
        names = [(case, steps) for case in (RIDGE, *self.strategies) for steps in (0, *self.steps)]
        groups = {_title(*name): groups[name] for name in names if name in groups}
        parts = [
            self._head("error on the test split") + _lines(groups, self.fractions, "test_error", median_and_range),
            self._head("median correlation per neuron") + _lines(groups, self.fractions, "test_correlation", _median),
        ]
        if "test_categories" in rows:
            title = "categories decoded from predictions"
            parts.append(self._head(title) + _lines(groups, self.fractions, "test_categories", median_and_range))
        return "\n\n".join([*parts, self._note(rows, groups)])

    def _head(self, what: str) -> str:
        percent = " | ".join(f"{fraction:.0%}" for fraction in self.fractions)
        return f"| {what}; paired: | {percent} |\n" + "|---" * (len(self.fractions) + 1) + "|\n"

    def _note(self, rows: pd.DataFrame, groups: dict[str, pd.DataFrame]) -> str:
        low, high = self.fractions[0], self.fractions[-1]
        falls = []
        for title, group in groups.items():
            first, last = (group[group.fraction == fraction].test_error for fraction in (low, high))
            if len(first) and len(last):
                change = last.median() - first.median()
                falls.append(f"{title} {change:+.3f} (p {metrics.rank_test(last, first).p:.3f})")
        note = (
            f"Medians over seeds 0 to {rows.seed.max()} (smallest to largest). Change of the error from {low:.0%} to "
            f"{high:.0%}, with p of the Wilcoxon-Mann-Whitney test: {'; '.join(falls)}."
        )
        for steps in self.steps:
            pair = [groups.get(_title(case, steps)) for case in ("global", "true")]
            if pair[0] is not None and pair[1] is not None:
                tests = (_versus(pair[0], pair[1], fraction) for fraction in self.fractions)
                note += f" Global against true after {steps:,} steps: p {', '.join(tests)}."
        return f"{note} `bridgeviz figure 10 --dataset {self.dataset.name}`."


def _title(case: str, steps: int) -> str:
    return f"{case}, {steps:,} steps" if steps else case


def _median(values: Any) -> str:
    return f"{values.median():.3f}"


def _lines(
    groups: dict[str, pd.DataFrame], fractions: tuple[float, ...], column: str, show: Callable[[Any], str]
) -> str:
    lines = []
    for title, group in groups.items():
        cells = [group.loc[group.fraction == fraction, column] for fraction in fractions]
        lines.append(f"| {title} | {' | '.join(show(cell) if len(cell) else '-' for cell in cells)} |")
    return "\n".join(lines)


def _versus(first: pd.DataFrame, second: pd.DataFrame, fraction: float) -> str:
    a, b = (group[group.fraction == fraction].test_error for group in (first, second))
    return f"{metrics.rank_test(a, b).p:.3f}" if len(a) and len(b) else "-"
