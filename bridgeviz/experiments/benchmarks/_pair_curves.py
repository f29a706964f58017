"""What reaches the target by the number of pairs: every strategy and every baseline, in both directions (Fig. 8, 9)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from bridgeviz import _checks as check
from bridgeviz import metrics
from bridgeviz.baselines import BASELINES, BaselineOptions
from bridgeviz.datasets import DatasetOptions
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments._pipeline import Known, Pipeline
from bridgeviz.experiments._recommend import recommend_steps
from bridgeviz.experiments.benchmarks._benchmark import FigureBenchmark, Task, shared
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.problem import Problem

FRACTIONS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 1.0)
"""Shares of the known pairs."""

STRATEGIES: dict[str, dict[str, Any]] = {
    "true": {"strategy": "true"},
    "global, bridge": {"strategy": "global", "cost": "bridge"},
    "global, automatic": {"strategy": "global", "cost": "auto"},
    "local, bridge": {"strategy": "local", "cost": "bridge"},
}
"""The settings of the flows, by name."""

FORWARDS, BACKWARDS = "source to target", "target to source"


@dataclass(frozen=True)
class Directions:
    """The problem of the benchmark in both directions, and that of the raw data for models trained end to end."""

    dataset: DatasetOptions
    raw: DatasetOptions | None

    @cached_property
    def forwards(self) -> Problem:
        """As the data set has it."""
        problem = self.dataset.load()
        if problem.test is None or problem.test.source.labels is None or problem.truth is None:
            raise check.fail("dataset", "figure", "one with a labelled test split and known pairs", problem.name)
        return problem

    @cached_property
    def raw_forwards(self) -> Problem:
        """Between the raw data."""
        assert self.raw is not None
        return self.raw.load()

    def problem(self, direction: str, *, raw: bool = False) -> Problem:
        """The problem in a direction."""
        problem = self.raw_forwards if raw else self.forwards
        return problem if direction == FORWARDS else problem.reversed()


@dataclass(frozen=True, kw_only=True)
class PairCurves(FigureBenchmark):
    """Test accuracy of flows and baselines by the share of pairs; towards pictures, the error of the classes' means.

    Attributes:
        number: of the figure.
        dataset: with a labelled test split.
        raw: the same data for the baselines that are trained end to end; None leaves those out.
        fractions: shares of the known pairs.
        steps: of the training of flows, GENOT's included.
        strategies: names in `STRATEGIES`.
        baselines: names in `baselines.BASELINES`; None takes those that classify.
        networks: names in `baselines.networks.NETWORKS`.
        width: of the convolutions of models that are trained end to end, as a share of Table 3's.
        points: of the test split that are carried, from the first; None takes all.
        upper: what measures the accuracy of a model that needs no pair, by its name.
    """

    takes = ("workers",)
    number: int
    dataset: DatasetOptions
    raw: DatasetOptions | None = None
    fractions: tuple[float, ...] = FRACTIONS
    steps: int = 2_000
    strategies: tuple[str, ...] = tuple(STRATEGIES)
    baselines: tuple[str, ...] | None = None
    networks: tuple[str, ...] = ("vae-small", "vae-large", "fused-vae", "genot")
    width: float = 1 / 32
    points: int | None = None
    upper: Mapping[str, Callable[[], float]] = field(default_factory=dict)

    @property
    def block(self) -> str:
        return f"figure-{self.number:02d}-{self.dataset.name}"

    def tasks(self, seeds: int) -> Iterator[Task]:
        for name, accuracy in self.upper.items():
            key = {"case": name, "direction": FORWARDS, "fraction": 1.0, "seed": 0}
            yield Task(key, partial(_level, accuracy))
        data = Directions(self.dataset, self.raw)
        for seed in range(seeds):
            for fraction in self.fractions:
                for direction in self._directions:
                    key = {"direction": direction, "fraction": fraction, "seed": seed}
                    for case in self.strategies:
                        yield Task({"case": case, **key}, partial(self._flow, data, case, **key))
                    for case, (options, raw) in self._rivals(direction).items():
                        yield Task({"case": case, **key}, partial(self._baseline, data, options, raw, **key))

    @property
    def _directions(self) -> tuple[str, ...]:
        return (FORWARDS,) if self.raw is None else (FORWARDS, BACKWARDS)

    def _rivals(self, direction: str) -> dict[str, tuple[BaselineOptions, bool]]:
        """The baselines by name, and whether each is trained on the raw data."""
        from bridgeviz.baselines.networks import NETWORKS, FusedVAE, Genot

        names = self.baselines
        if names is None:
            names = tuple(name for name, options in BASELINES.items() if options.classifies)
        rivals: dict[str, tuple[BaselineOptions, bool]] = {}
        if direction == FORWARDS:
            rivals = {BASELINES[name].title: (BASELINES[name](), False) for name in names}
        for name in self.networks:
            if name == "fused-vae":
                rivals |= {"fused VAE, latent": (FusedVAE(), False)}
                if self.raw is not None:
                    rivals["fused VAE, end to end"] = (FusedVAE(width=self.width), True)
            elif name == "genot":
                rivals[Genot.title] = (Genot(steps=self.steps), False)
            elif self.raw is not None:
                rivals[name.replace("vae-", "VAE, ")] = (replace(NETWORKS[name], width=self.width), True)
        return rivals

    def _flow(self, data: Directions, case: str, *, direction: str, fraction: float, seed: int) -> list[Row]:
        data = shared(data)
        config = RunConfig(fraction=fraction, seed=seed, steps=self.steps, **STRATEGIES[case])
        known: Known = {}
        pipeline = Pipeline(config, own_problem=data.problem(direction), known=known, choose=recommend_steps)
        start = time.perf_counter()
        for _ in pipeline.updates(until="training"):
            pass
        seconds = time.perf_counter() - start
        flow = pipeline.flow
        assert flow is not None
        return [self._scores(data.problem(direction), lambda x: flow.transport(x, seed=seed).states[-1], seconds)]

    def _baseline(
        self, data: Directions, options: BaselineOptions, raw: bool, *, direction: str, fraction: float, seed: int
    ) -> list[Row]:
        problem = shared(data).problem(direction, raw=raw)
        start = time.perf_counter()
        fitted = options.fit(problem, problem.sample_pairs(fraction, seed=seed), seed=seed)
        seconds = time.perf_counter() - start
        if direction == FORWARDS:
            test = problem.test
            assert test is not None
            assert test.source.labels is not None
            accuracy = fitted.accuracy(test.source.x[: self.points], test.source.labels[: self.points])
            return [{"test_accuracy": round(accuracy, 4), "seconds": round(seconds, 2)}]
        return [self._scores(problem, fitted.transport, seconds)]

    def _scores(self, problem: Problem, transport: Callable[[np.ndarray], np.ndarray], seconds: float) -> Row:
        """The accuracy on the test points, or the error of the pictures' means by class."""
        test, target = problem.test, problem.target
        assert test is not None
        assert test.source.labels is not None
        y, labels = transport(test.source.x[: self.points]), test.source.labels[: self.points]
        row: Row = {"seconds": round(seconds, 2)}
        pictures = test.target.pictures(np.arange(len(test.target)))
        if target.decode_images is not None and pictures is not None:
            assert test.target.labels is not None
            error = metrics.classwise_mse(pictures / 255.0, test.target.labels, target.decode_images(y), labels)
            return row | {"test_mse": round(float(error), 6)}
        return row | {"test_accuracy": round(metrics.downstream_accuracy(target, y, labels), 4)}

    def lines(self, rows: list[Row]) -> list[str]:
        row = rows[-1]
        where = f"{row['case']}, {row['direction']}, {100 * row['fraction']:g} %, seed {row['seed']}"
        if row.get("test_mse") == row.get("test_mse") and "test_mse" in row:
            return [f"{where}: mean squared error {row['test_mse']:.4f}"]
        return [f"{where}: test accuracy {row['test_accuracy']:.3f}"]

    def table(self, rows: Any) -> str:
        """Medians over seeds, a table per direction."""
        parts = []
        kinds = {
            FORWARDS: ("test_accuracy", "test accuracy"),
            BACKWARDS: ("test_mse", "error of classes' mean pictures"),
        }
        for direction, (column, title) in kinds.items():
            part = rows[rows.direction == direction]
            if len(part):
                medians = part.groupby(["case", "fraction"], sort=False)[column].median().unstack()
                medians = medians[sorted(medians.columns)]
                head = f"| {title}, {direction}; pairs: | " + " | ".join(f"{100 * f:g} %" for f in medians.columns)
                lines = [f"{head} |", "|---" * (len(medians.columns) + 1) + "|"]
                digits = 3 if column == "test_accuracy" else 4
                for case, values in medians.iterrows():
                    cells = ["-" if value != value else f"{value:.{digits}f}" for value in values]
                    lines.append(f"| {case} | {' | '.join(cells)} |")
                parts.append("\n".join(lines))
        seeds = f"Medians over seeds 0 to {rows.seed.max()}" if rows.seed.max() else "Seed 0 alone"
        note = f"{seeds}; flows after {self.steps:,} steps."
        return "\n\n".join([*parts, f"{note} `bridgeviz figure {self.number} --dataset {self.dataset.name}`."])


def _level(accuracy: Callable[[], float]) -> list[Row]:
    return [{"test_accuracy": round(accuracy(), 4), "upper": True}]
