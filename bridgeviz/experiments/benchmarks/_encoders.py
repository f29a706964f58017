"""Which image encoder aligns better with the class names, and what the shipped principal components lose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np

from bridgeviz import couplings, flows, metrics
from bridgeviz.baselines import NearestClassMean, Ridge
from bridgeviz.costs import Bridge, DiffusionBridge
from bridgeviz.experiments.benchmarks._benchmark import Benchmark, Task
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.problem import Problem, Space

if TYPE_CHECKING:
    import pandas as pd

FRACTIONS = (0.05, 0.2, 1.0)
CASES = {
    "EfficientNet-Lite0": ("efficientnet_lite0", False),
    "EfficientNet-Lite0, shipped components": ("efficientnet_lite0", True),
    "MobileNetV2": ("mobilenet_v2", False),
    "MobileNetV2, shipped components": ("mobilenet_v2", True),
    "tiny-imagenet": ("tiny-imagenet", False),
    "tiny-imagenet, shipped components": ("tiny-imagenet", True),
}
"""The array of `two-encoders`, or the data set, and whether it is reduced to the components that are shipped."""

COLUMNS = {
    "bridge": "matching, bridge",
    "diffusion_bridge": "matching, diffusion bridge",
    "class_mean": "nearest class mean",
    "ridge": "ridge",
    "flow": "flow",
}
"""The measured columns and their headings; the flow is learned from the plan of the diffusion bridge."""


@dataclass(frozen=True, kw_only=True)
class EncoderBenchmark(Benchmark):
    """The pictures that are shipped, by encoder, against the sentence embeddings of their class names.

    Matching accuracies are those of the pictures to align; the others are those of the 1,010 test pictures. A flow is
    trained for whole features only; from all pairs it learns from the pairs alone.

    Attributes:
        fractions: shares of the known pairs.
        velocity: a name in `flows.VELOCITIES`.
        steps: of the flow's training.
    """

    fractions: tuple[float, ...] = FRACTIONS
    velocity: str = "adaln-small"
    steps: int = 300

    @property
    def block(self) -> str:
        return "encoders"

    def tasks(self, seeds: int) -> Iterator[Task]:
        for seed in range(seeds):
            for case in CASES:
                for fraction in self.fractions:
                    key = {"case": case, "fraction": fraction, "seed": seed}
                    yield Task(key, partial(self._measure, case, fraction, seed))

    def _measure(self, case: str, fraction: float, seed: int) -> list[Row]:
        problem, head = _problem(*CASES[case])
        assert problem.test is not None
        source, target, test = problem.source, problem.target, problem.test.source
        assert source.labels is not None
        assert target.labels is not None
        assert test.labels is not None
        pairs = problem.sample_pairs(fraction, seed=seed)
        row: Row = {"pairs": len(pairs), "dimensions": source.x.shape[1], "head": head}
        plan = couplings.true(pairs, shape=problem.shape)
        if len(pairs) < len(source):
            for cost in (Bridge(), DiffusionBridge()):
                plan = couplings.Linear(tolerance=1e-2).solve(cost.build(source.x, target.x, pairs))
                row[cost.name] = round(metrics.matching_accuracy(plan, source.labels, target.labels), 4)
        for name, baseline in (("class_mean", NearestClassMean()), ("ridge", Ridge())):
            row[name] = round(baseline.fit(problem, pairs, seed=seed).accuracy(test.x, test.labels), 4)
        if not CASES[case][1]:
            config = flows.FlowConfig(velocity=self.velocity, steps=self.steps, learning_rate=1e-3, seed=seed)
            *_, last = flows.fit(problem, plan, config)
            y = last.flow.transport(test.x, seed=seed, steps=10).states[-1]
            row["flow"] = round(metrics.downstream_accuracy(target, y, test.labels), 4)
        return [row]

    def lines(self, rows: list[Row]) -> list[str]:
        row = rows[-1]
        numbers = ", ".join(f"{heading} {row[column]:.3f}" for column, heading in COLUMNS.items() if column in row)
        return [f"{row['case']}, {100 * row['fraction']:g} %, seed {row['seed']}: {numbers}"]

    def table(self, rows: pd.DataFrame) -> str:
        """Medians over seeds."""
        medians = rows.groupby(["case", "fraction"])[list(COLUMNS)].median()
        lines = [f"| features | dimensions | pairs | {' | '.join(COLUMNS.values())} |"]
        lines.append("|---" * (3 + len(COLUMNS)) + "|")
        for fraction in self.fractions:
            for case in CASES:
                if (case, fraction) not in medians.index:
                    continue
                dimensions = rows.loc[rows.case == case, "dimensions"].iloc[0]
                cells = ["" if np.isnan(value) else f"{value:.3f}" for value in medians.loc[(case, fraction)]]
                lines.append(f"| {case} | {dimensions:,} | {100 * fraction:g} % | {' | '.join(cells)} |")
        heads = rows.dropna(subset=["head"]).groupby("case")["head"].first()
        upper = ", ".join(f"{case} {heads[case]:.3f}" for case in CASES if case in heads and not CASES[case][1])
        note = (
            f"Medians over {rows.seed.nunique()} seeds; flow: {self.velocity}, {self.steps} steps. "
            f"The encoders' own heads, which choose among 1,000 classes: {upper}."
        )
        return "\n".join([*lines, "", note])


@cache
def _problem(name: str, reduced: bool) -> tuple[Problem, float | None]:
    """Shipped pictures against the class names, and the accuracy of the encoder's own head on the test pictures."""
    from bridgeviz.datasets._tiny_imagenet import text_of_classes

    x, index, test, head = (_tiny if name == "tiny-imagenet" else partial(_one_of_two, name))(reduced)
    text = text_of_classes()
    labels, classes = np.searchsorted(text["imagenet_index"], index), np.arange(len(text["text"]))

    def problem(rows: np.ndarray, held_out: Problem | None) -> Problem:
        source = Space(x[rows].astype(np.float32), labels=labels[rows], classes=classes)
        target = Space(text["text"].astype(np.float32)[labels[rows]], labels=labels[rows], classes=classes)
        truth = np.stack([np.arange(len(rows))] * 2, axis=1)
        return Problem(source, target, truth=truth, test=held_out, name="encoders")

    accuracy = None if head is None else round(float(np.mean(head[test] == index[test])), 4)
    return problem(np.flatnonzero(~test), problem(np.flatnonzero(test), None)), accuracy


def _one_of_two(name: str, reduced: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Features, ImageNet indices, which pictures are for testing, and what the encoder's own head predicts."""
    from bridgeviz.datasets._two_encoders import full_arrays, shipped_arrays

    full, rows = full_arrays(), full_arrays()["shipped"]
    x = shipped_arrays()[name] if reduced else full[name][rows]
    return x, full["imagenet_index"][rows], full["test"][rows], full[f"{name}_head"][rows]


def _tiny(reduced: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """The same for the pictures of `tiny-imagenet`, whose head is not known."""
    from bridgeviz.datasets._tiny_imagenet import full_features, shipped_features, shipped_rows

    parts = []
    for split in ("train", "val"):
        stored, rows = full_features(split), shipped_rows(split)
        x = shipped_features(split)["features"] if reduced else stored["features"][rows]
        parts.append((x, stored["imagenet_index"][rows], np.full(len(rows), split == "val")))
    x, index, test = (np.concatenate(column) for column in zip(*parts, strict=True))
    return x, index, test, None
