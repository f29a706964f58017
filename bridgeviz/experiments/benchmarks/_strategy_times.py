"""The time of a training step by strategy (Fig. 16)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from bridgeviz import couplings, flows
from bridgeviz.costs import Cost, Within, bridge
from bridgeviz.couplings import Plan
from bridgeviz.datasets import DatasetOptions
from bridgeviz.experiments.benchmarks._benchmark import FigureBenchmark, Task
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.problem import Pairs, Problem

if TYPE_CHECKING:
    import pandas as pd

STRATEGIES = ("true", "global", "local, linear", "local, linear, transport on 1,024 rows", "local, FGW")
VELOCITIES = ("adaln-small", "adaln-large")
FRACTION = 0.01


@dataclass(frozen=True, eq=False)
class Data:
    """The problem, its pairs and the bridge cost, made when a measurement needs them."""

    dataset: DatasetOptions

    @cached_property
    def problem(self) -> Problem:
        """The two spaces."""
        return self.dataset.load()

    @cached_property
    def pairs(self) -> Pairs:
        """One percent of the known pairs."""
        return self.problem.sample_pairs(FRACTION, seed=0)

    @cached_property
    def cost(self) -> Cost:
        """The bridge over the pairs."""
        return bridge(self.problem.source.x, self.problem.target.x, self.pairs)

    def plan(self, strategy: str) -> Plan:
        """The coupling of a strategy in `STRATEGIES`."""
        if strategy == "true":
            return couplings.true(self.pairs, shape=self.problem.shape)
        if strategy == "global":
            return couplings.linear(self.cost, tolerance=1e-2)
        if strategy == "local, FGW":
            return couplings.local(self.cost, Within(self.problem.source.x), Within(self.problem.target.x))
        return couplings.local(self.cost, ot_batch_size=1024 if "1,024" in strategy else None)


@dataclass(frozen=True, kw_only=True)
class StrategyTimes(FigureBenchmark):
    """Seconds per training step by strategy and size of the network.

    Attributes:
        dataset: with known pairs.
    """

    dataset: DatasetOptions

    @property
    def block(self) -> str:
        return f"figure-16-{self.dataset.name}"

    def tasks(self, seeds: int) -> Iterator[Task]:
        data = Data(self.dataset)
        for strategy in STRATEGIES:
            for velocity in VELOCITIES:
                key = {"case": f"{strategy}; {velocity}", "seed": 0}
                yield Task(key, partial(self._time, data, strategy, velocity))

    def _time(self, data: Data, strategy: str, velocity: str) -> list[Row]:
        import jax

        from bridgeviz.experiments._evaluation import device

        chunk = 2 if velocity == "adaln-large" else 50 if strategy in ("true", "global") else 5
        config = flows.FlowConfig(velocity=velocity, steps=10**6, chunk_size=chunk)
        training = iter(flows.fit(data.problem, data.plan(strategy), config))
        next(training)  # compiles
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            next(training)
            seconds.append((time.perf_counter() - start) / chunk)
        jax.clear_caches()
        return [{"seconds_a_step": statistics.median(seconds), "least": min(seconds), "device": device()}]

    def lines(self, rows: list[Row]) -> list[str]:
        return [f"{row['case']}: {1e3 * row['seconds_a_step']:.3g} ms per step" for row in rows]

    def table(self, rows: pd.DataFrame) -> str:
        """The medians of five chunks."""
        lines = ["| strategy | adaLN-Small | adaLN-Large |", "|---|---|---|"]
        seconds = rows.set_index("case").seconds_a_step
        for strategy in STRATEGIES:
            cells = [seconds.get(f"{strategy}; {velocity}") for velocity in VELOCITIES]
            if any(cell is not None for cell in cells):
                times = " | ".join("-" if cell is None else f"{1e3 * cell:.3g} ms" for cell in cells)
                lines.append(f"| {strategy} | {times} |")
        note = f"Time per training step with batch size 256; median of five chunks. {rows.device.iloc[0]}."
        return "\n".join([*lines, "", note])
