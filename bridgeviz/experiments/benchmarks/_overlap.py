"""Accuracy by feature overlap, and overlap by the number of classes (Fig. 5 A-C)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bridgeviz import couplings, flows, metrics
from bridgeviz.datasets import DatasetOptions
from bridgeviz.experiments.benchmarks._benchmark import FigureBenchmark, Task, median_and_range, shared
from bridgeviz.experiments.benchmarks._learning_curves import TestPoints
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.metrics._overlap_by_classes import choose_classes
from bridgeviz.problem import Problem, Space

if TYPE_CHECKING:
    import pandas as pd

COUNTS = {"mnist": (2, 3, 4, 6, 8, 10), "tiny-imagenet": (2, 8, 32, 128, 202)}
"""Numbers of classes by data set."""

WORST = 5
"""Classes with the most overlap that are named."""


@dataclass(frozen=True, kw_only=True)
class OverlapFigure(FigureBenchmark):
    """Overlap of the source and test accuracy of a flow, for random choices of classes.

    As in the paper, the flow learns from all true pairs: what is lost is lost by the source space.

    Attributes:
        dataset: with a labelled test split.
        counts: numbers of classes; None takes those of `COUNTS`, or 2, 4 and 8.
        velocity: a name in `flows.VELOCITIES`.
        steps: of training.
    """

    takes = ("workers",)
    dataset: DatasetOptions
    counts: tuple[int, ...] | None = None
    velocity: str = "adaln-small"
    steps: int = 300

    @property
    def block(self) -> str:
        return f"figure-05-{self.dataset.name}"

    def tasks(self, seeds: int) -> Iterator[Task]:
        data = TestPoints(self.dataset)
        counts = self.counts or COUNTS.get(self.dataset.name, (2, 4, 8))
        for seed in range(seeds):
            for count in counts:
                yield Task({"classes": count, "seed": seed}, partial(self._measure, data, count, seed))

    def _measure(self, data: TestPoints, count: int, seed: int) -> list[Row]:
        data = shared(data)
        classes = data.problem.source.classes
        assert classes is not None
        problem = of_classes(data.problem, choose_classes(classes, count, seed=seed))
        assert problem.source.labels is not None
        assert problem.test is not None
        assert problem.truth is not None
        overlap = metrics.feature_overlap(problem.source.x, problem.source.labels, seed=seed)
        plan = couplings.true(problem.truth, shape=problem.shape)
        config = flows.FlowConfig(velocity=self.velocity, steps=self.steps, learning_rate=1e-3, seed=seed)
        *_, last = flows.fit(problem, plan, config)
        rows = np.random.default_rng(seed).permutation(len(problem.test.source))[:1000]
        y = last.flow.transport(problem.test.source.x[rows], seed=seed, steps=10).states[-1]
        labels = problem.test.source.labels
        assert labels is not None
        accuracy = metrics.downstream_accuracy(problem.target, y, labels[rows])
        worst = metrics.most_overlapping(problem.source.x, problem.source.labels, top=WORST)
        return [
            {
                "points": len(problem.source), "overlap": round(overlap, 4), "test_accuracy": round(accuracy, 4),
                "worst": [_name(problem.source, one.label) for one in worst],
                "worst_overlap": [round(one.overlap, 4) for one in worst],
            }
        ]  # fmt: skip

    def is_current(self, row: Row) -> bool:
        """Whether it names the classes that overlap most."""
        return not isinstance(row.get("worst", 0.0), float)

    def lines(self, rows: list[Row]) -> list[str]:
        row = rows[-1]
        text = f"{row['classes']} classes, seed {row['seed']}: overlap {row['overlap']:.3f}"
        return [f"{text}, test accuracy {row['test_accuracy']:.3f}"]

    def table(self, rows: pd.DataFrame) -> str:
        """Medians and ranges over seeds, and the correlation over all choices."""
        lines = ["| classes | overlap of the source | test accuracy |", "|---|---|---|"]
        for count, group in rows.groupby("classes"):
            lines.append(f"| {count} | {median_and_range(group.overlap)} | {median_and_range(group.test_accuracy)} |")
        correlation = float(np.corrcoef(rows.overlap, rows.test_accuracy)[0, 1])
        note = (
            f"Median and range over {rows.seed.nunique()} random choices of classes; {self.velocity}, {self.steps:,} "
        )
        note += f"steps. Correlation of overlap and accuracy over all choices: {correlation:.2f}."
        return "\n".join([*lines, "", note])


def _name(space: Space, label: Any) -> str:
    """The name of a class, or its label if it has none."""
    if space.names is None or space.classes is None:
        return str(label)
    return str(space.names[list(space.classes).index(label)])


def of_classes(problem: Problem, classes: np.ndarray) -> Problem:
    """The problem and its test split restricted to the rows of some classes; both spaces need labels."""
    source, target = problem.source, problem.target
    x, y = (np.flatnonzero(np.isin(np.asarray(space.labels), classes)) for space in (source, target))
    truth = None
    if problem.truth is not None:
        kept = problem.truth[np.isin(problem.truth[:, 0], x) & np.isin(problem.truth[:, 1], y)]
        truth = np.stack([np.searchsorted(x, kept[:, 0]), np.searchsorted(y, kept[:, 1])], axis=1)
    test = None if problem.test is None else of_classes(problem.test, classes)
    return replace(problem, source=source.take(x), target=target.take(y), truth=truth, test=test)
