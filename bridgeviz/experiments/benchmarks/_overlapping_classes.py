"""Noise that becomes the target, for classes that hardly and that strongly overlap (Fig. 4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bridgeviz import couplings, flows, metrics
from bridgeviz.datasets import DatasetOptions
from bridgeviz.experiments.benchmarks._benchmark import FigureBenchmark, Task, shared
from bridgeviz.experiments.benchmarks._learning_curves import TestPoints
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.experiments.benchmarks._overlap import of_classes
from bridgeviz.metrics._neighbours import neighbourhood
from bridgeviz.metrics.projection import fit_map
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

GROUPS = ("least overlap", "most overlap")
TIMES = (0.0, 0.5, 1.0)
MOST_POINTS = 400
"""Points that are kept per group and panel."""


@dataclass(frozen=True, kw_only=True)
class OverlappingClasses(FigureBenchmark):
    """The test points of a few classes in the source, along the flow, and in the target, on linear maps.

    The flow learns from the true pairs of these classes alone. "Most overlap" is the class with the highest overlap
    and those that most of its neighbours belong to; "least overlap" are the classes with the lowest.

    Attributes:
        dataset: with a labelled test split.
        classes: in a group.
        fraction: of the pairs of these classes.
        steps: of training.
    """

    takes = ("workers",)
    dataset: DatasetOptions
    classes: int = 4
    fraction: float = 0.5
    steps: int = 300

    @property
    def block(self) -> str:
        return f"figure-04-{self.dataset.name}"

    def tasks(self, seeds: int) -> Iterator[Task]:
        data = TestPoints(self.dataset)
        for group in GROUPS:
            yield Task({"group": group, "seed": 0}, partial(self._draw, data, group))

    def chosen(self, problem: Problem, group: str) -> np.ndarray:
        """The classes of a group."""
        near = neighbourhood(problem.source.x, np.asarray(problem.source.labels), k=15)
        if group == GROUPS[0]:
            return near.classes[np.argsort(near.by_class, kind="stable")[: self.classes]]
        worst = int(near.by_class.argmax())
        foreign = near.between[worst].astype(float)
        foreign[worst] = np.inf
        return near.classes[np.argsort(-foreign, kind="stable")[: self.classes]]

    def _draw(self, data: TestPoints, group: str) -> Iterator[Row]:
        data = shared(data)
        problem = of_classes(data.problem, self.chosen(data.problem, group))
        test = problem.test
        assert test is not None
        plan = couplings.true(problem.sample_pairs(self.fraction, seed=0), shape=problem.shape)
        config = flows.FlowConfig(steps=self.steps, batch_size=128, seed=0)
        *_, last = flows.fit(problem, plan, config)
        path = last.flow.transport(test.source.x, seed=0, ts=TIMES)
        labels, names = np.asarray(test.source.labels), problem.source.names
        assert names is not None
        overlap = metrics.feature_overlap(problem.source.x, np.asarray(problem.source.labels))
        accuracy = metrics.downstream_accuracy(problem.target, path.states[-1], labels)
        of_source, of_target = fit_map(problem.source.x), fit_map(problem.target.x)
        rows = np.random.default_rng(0).permutation(len(labels))[:MOST_POINTS]
        panels = {"source": of_source.project(test.source.x)}
        panels |= {f"t = {t:g}": of_target.project(state) for t, state in zip(path.ts, path.states, strict=True)}
        panels["target"] = of_target.project(test.target.x)
        every = list(problem.source.classes) if problem.source.classes is not None else []
        for panel, points in panels.items():
            at = np.asarray(test.target.labels) if panel == "target" else labels
            kept = rows[rows < len(at)]
            for label, point in zip(at[kept], points[kept], strict=True):
                yield {
                    "panel": panel, "name": str(names[every.index(label)]), "u": round(float(point[0]), 4),
                    "v": round(float(point[1]), 4), "overlap": round(overlap, 4), "test_accuracy": round(accuracy, 4),
                }  # fmt: skip

    def lines(self, rows: list[Row]) -> list[str]:
        row = rows[-1]
        classes = ", ".join(dict.fromkeys(one["name"] for one in rows))
        numbers = f"overlap {row['overlap']:.3f}, test accuracy {row['test_accuracy']:.3f}"
        return [f"{row['group']} ({classes}): {numbers}"]

    def table(self, rows: pd.DataFrame) -> str:
        """The classes of both groups with their overlap and the accuracy."""
        lines = ["| group | classes | overlap of the source | test accuracy |", "|---" * 4 + "|"]
        for group, part in rows.groupby("group"):
            names = ", ".join(dict.fromkeys(part.name))
            lines.append(f"| {group} | {names} | {part.overlap.iloc[0]:.3f} | {part.test_accuracy.iloc[0]:.3f} |")
        note = f"{100 * self.fraction:g} % of the pairs of these classes, {self.steps:,} steps."
        return "\n".join([*lines, "", f"{note} `bridgeviz figure 4 --dataset {self.dataset.name}`."])
