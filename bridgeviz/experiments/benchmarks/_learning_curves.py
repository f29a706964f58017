"""How soon each velocity field learns (Fig. 7 and 12)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from bridgeviz import _checks as check
from bridgeviz import couplings, flows, metrics
from bridgeviz.baselines import Ridge
from bridgeviz.datasets import DatasetOptions
from bridgeviz.experiments.benchmarks._benchmark import FigureBenchmark, Task, shared
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

STEPS = (10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 400, 600, 800, 1000)
"""The training steps after which accuracy is measured."""

RATES = {"large": 1e-4}
"""Learning rates by size. The other sizes take 1e-3: the 1e-4 of Appendix D is too small for them in 1,000 steps."""

REACHED = 0.8
"""The accuracy whose number of steps is shown."""

LINEAR = "linear regression"


@dataclass(frozen=True)
class TestPoints:
    """The problem, and 1,000 points of its test split.

    Raises:
        InputError: the data set has no labelled test split, or no known pairs.
    """

    dataset: DatasetOptions

    @cached_property
    def problem(self) -> Problem:
        """The two spaces."""
        problem = self.dataset.load()
        if problem.test is None or problem.test.source.labels is None or problem.truth is None:
            raise check.fail("dataset", "figure", "one with a labelled test split and known pairs", problem.name)
        return problem

    @cached_property
    def truth(self) -> np.ndarray:
        """(k, 2) all known pairs."""
        assert self.problem.truth is not None
        return self.problem.truth

    @cached_property
    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """The points and their labels."""
        assert self.problem.test is not None
        source = self.problem.test.source
        assert source.labels is not None
        rows = np.random.default_rng(0).permutation(len(source))[:1000]
        return source.x[rows], source.labels[rows]

    @property
    def dimensions(self) -> Row:
        """Columns of every row."""
        from bridgeviz.experiments._evaluation import device

        return {"p": self.problem.source.x.shape[1], "q": self.problem.target.x.shape[1], "device": device()}


@dataclass(frozen=True, kw_only=True)
class LearningCurves(FigureBenchmark):
    """Test accuracy by training step of each velocity field of Table 1, which learns from all true pairs.

    A linear map that is fitted to the same pairs stands beside them.

    Attributes:
        dataset: with a labelled test split.
        steps: after which accuracy is measured.
        velocities: names in `flows.VELOCITIES`; None takes all.
        rates: learning rates by size, the last part of a name; 1e-3 for the others.
    """

    dataset: DatasetOptions
    steps: tuple[int, ...] = STEPS
    velocities: tuple[str, ...] | None = None
    rates: Mapping[str, float] = field(default_factory=lambda: RATES)

    @property
    def block(self) -> str:
        return f"figure-07-12-{self.dataset.name}"

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(flows.VELOCITIES) if self.velocities is None else self.velocities

    def tasks(self, seeds: int) -> Iterator[Task]:
        data = TestPoints(self.dataset)
        yield Task({"case": LINEAR, "seed": 0}, partial(self._linear, data))
        for seed in range(seeds):
            for velocity in self._names:
                yield Task({"case": velocity, "seed": seed}, partial(self._curve, data, velocity, seed))

    def _linear(self, data: TestPoints) -> list[Row]:
        data = shared(data)
        fitted = Ridge().fit(data.problem, data.truth)
        return [{"step": 0, "test_accuracy": round(fitted.accuracy(*data.points), 4), **data.dimensions}]

    def _curve(self, data: TestPoints, velocity: str, seed: int) -> Iterator[Row]:
        """A row per measured step; the seconds are those of training alone."""
        data = shared(data)
        x, labels = data.points
        plan = couplings.true(data.truth, shape=data.problem.shape)
        rate = self.rates.get(velocity.rpartition("-")[2], 1e-3)
        config = flows.FlowConfig(velocity=velocity, steps=self.steps[-1], learning_rate=rate, seed=seed, chunk_size=10)
        start, seconds_of_evaluation = time.perf_counter(), 0.0
        for progress in flows.fit(data.problem, plan, config):
            if progress.step not in self.steps:
                continue
            pause = time.perf_counter()
            y = progress.flow.transport(x, seed=seed, steps=10).states[-1]
            accuracy = metrics.downstream_accuracy(data.problem.target, y, labels)
            seconds_of_evaluation += time.perf_counter() - pause
            yield {
                "step": progress.step,
                "test_accuracy": round(accuracy, 4),
                "loss": round(float(progress.losses.mean()), 4),
                "seconds": round(time.perf_counter() - start - seconds_of_evaluation, 2),
                "learning_rate": rate,
                **data.dimensions,
            }

    def lines(self, rows: list[Row]) -> list[str]:
        row = rows[-1]
        return [f"{row['case']}, seed {row['seed']}: test accuracy {row['test_accuracy']} after {row['step']} steps"]

    def table(self, rows: pd.DataFrame) -> str:
        """Medians over seeds."""
        lines = [
            f"| velocity field | parameters | seeds | steps to {REACHED:.0%} | accuracy at 100 | at 300 | at 1,000 "
            "| loss at 1,000 |",
            "|---|---|---|---|---|---|---|---|",
        ]
        medians = rows.groupby(["case", "step"])[["test_accuracy", "loss"]].median()
        for velocity in self._names:
            curves = rows.loc[rows.case == velocity]
            if len(curves):
                p, q = int(rows.p.iloc[0]), int(rows.q.iloc[0])
                cells = [velocity, f"{flows.parameter_count(velocity, p, q) / 1e6:.2f} M", str(curves.seed.nunique())]
                at = [medians.loc[velocity, step] for step in (100, 300, 1000)]
                cells += [_steps_to_reach(curves), *(f"{row.test_accuracy:.3f}" for row in at), f"{at[-1].loss:.3f}"]
                lines.append(f"| {' | '.join(cells)} |")
        linear = ", ".join(f"{value:.3f}" for value in rows[rows.case == LINEAR].test_accuracy)
        note = f"Medians over the seeds; accuracy on 1,000 points of the test split. {LINEAR.capitalize()} (ridge): "
        return "\n".join([*lines, "", f"{note}{linear}."])


def _steps_to_reach(curves: pd.DataFrame) -> str:
    """The median number of steps until an accuracy of `REACHED`, or how many seeds reach it."""
    first = curves[curves.test_accuracy >= REACHED].groupby("seed").step.min()
    seeds = curves.seed.nunique()
    return f"{first.median():g}" if len(first) == seeds else f"{len(first)} of {seeds} seeds"
