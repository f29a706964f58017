"""A Swiss roll carried to a spiral without a single pair (Appendix I, Fig. 15)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bridgeviz import couplings, flows, metrics
from bridgeviz.costs import Within
from bridgeviz.datasets import DatasetOptions, SwissRoll
from bridgeviz.experiments.benchmarks._benchmark import FigureBenchmark, Task
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

TIMES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, kw_only=True)
class GromovFigure(FigureBenchmark):
    """The energy test between transported points at several times and the target.

    Attributes:
        dataset: with a test split.
        steps: of training.
    """

    dataset: DatasetOptions = field(default_factory=SwissRoll)
    steps: int = 600

    @property
    def block(self) -> str:
        return "figure-15"

    def tasks(self, seeds: int) -> Iterator[Task]:
        for seed in range(seeds):
            yield Task({"case": "swiss roll", "seed": seed}, partial(self._test, seed))

    def _test(self, seed: int) -> Iterator[Row]:
        from bridgeviz.experiments._evaluation import device

        problem = self.dataset.load()
        assert problem.test is not None
        flow = gromov_flow(problem, steps=self.steps, seed=seed)
        path = flow.transport(problem.test.source.x, seed=seed, ts=TIMES)
        for t, states in zip(path.ts, path.states, strict=True):
            result = metrics.two_sample(states, problem.test.target.x, seed=seed)
            yield {"t": t, "coefficient": result.coefficient, "p": result.p, "device": device()}

    def lines(self, rows: list[Row]) -> list[str]:
        row = rows[-1]
        return [f"swiss roll, seed {row['seed']}: coefficient {row['coefficient']:.4f}, p {row['p']:.3f}"]

    def table(self, rows: pd.DataFrame) -> str:
        """Medians over seeds."""
        lines = ["| t | energy coefficient against the spiral | p |", "|---|---|---|"]
        for t, seeds in rows.groupby("t"):
            lines.append(f"| {t:g} | {seeds.coefficient.median():.4f} | {seeds.p.median():.3f} |")
        return "\n".join([*lines, "", f"Medians over seeds 0 to {rows.seed.max()}."])


def gromov_flow(
    problem: Problem, *, steps: int = 600, seed: int = 0, on_progress: Callable[[flows.Progress], None] | None = None
) -> flows.Flow:
    """A flow learned from Gromov-Wasserstein on batches alone, without a pair (Appendix I).

    Args:
        problem: whose spaces are read, nothing else.
        steps: of training.
        seed: of the initial weights and of every draw.
        on_progress: called after every chunk of training.
    """
    within = [Within(space.x, metric="sqeuclidean") for space in (problem.source, problem.target)]
    plan = couplings.local(None, *within, epsilon=0.02, batch_size=256)
    config = flows.FlowConfig(steps=steps, seed=seed, ema=0.99, chunk_size=20)
    for progress in flows.fit(problem, plan, config):
        if on_progress is not None:
            on_progress(progress)
    return progress.flow
