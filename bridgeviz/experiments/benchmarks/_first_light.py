"""First light: a whole run on MNIST, from loading to the test accuracy."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bridgeviz._checks import InputError
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments.benchmarks._benchmark import Benchmark, Task, median_and_range
from bridgeviz.experiments.benchmarks._ledger import Row

if TYPE_CHECKING:
    import pandas as pd

COLD = "import json, sys, bridgeviz as bv; bv.run(bv.RunConfig.from_dict(json.loads(sys.argv[1])))"
"""The run in a new process."""

_BRIDGE = RunConfig(dataset="mnist", fraction=0.01, cost="bridge", epsilon=5e-3, steps=4000)
CASES = {
    "bridge, 0.5 %": _BRIDGE.replace(fraction=0.005),
    "bridge, 1 %": _BRIDGE,
    "bridge, 10 %": _BRIDGE.replace(fraction=0.1),
    "diffusion bridge, 1 %": _BRIDGE.replace(cost="diffusion_bridge"),
    "true pairs, 10 %": RunConfig(dataset="mnist", strategy="true", fraction=0.1, steps=4000),
}
"""The runs by name, each with seed 0."""


@dataclass(frozen=True)
class FirstLight(Benchmark):
    """Accuracy of plan and flow, and the time that a run takes.

    Attributes:
        cases: the runs by name.
        cold_case: the run that is also timed as a new process, with imports and compilation: what a user waits for.
    """

    cases: Mapping[str, RunConfig] = field(default_factory=lambda: CASES)
    cold_case: str = "bridge, 1 %"

    @property
    def block(self) -> str:
        return "first-light"

    def tasks(self, seeds: int) -> Iterator[Task]:
        for seed in range(seeds):
            for case, config in self.cases.items():
                yield Task({"case": case, "seed": seed}, partial(self._run, case, config.replace(seed=seed)))

    def is_current(self, row: Row) -> bool:
        if row["case"] not in self.cases:
            return False
        try:
            config = RunConfig.from_dict(json.loads(row["config"]))
        except InputError:  # settings of another version
            return False
        return config == self.cases[row["case"]].replace(seed=int(row["seed"]))

    def lines(self, rows: list[Row]) -> list[str]:
        (row,) = rows
        accuracies = f"plan {row['matching_accuracy']:.3f}, test {row['test_accuracy']:.3f}"
        return [f"{row['case']}, seed {row['seed']}: {accuracies}, {row['seconds']:.0f} s"]

    def _run(self, case: str, config: RunConfig) -> list[Row]:
        from bridgeviz.experiments._run import run

        start = time.perf_counter()
        result = run(config)
        seconds = time.perf_counter() - start
        settings = json.dumps(config.as_dict())
        return [{
            "pairs": len(result.pairs),
            "matching_accuracy": result.metrics["matching_accuracy"],
            "test_accuracy": result.metrics["test_accuracy"],
            "seconds": round(seconds, 2),
            "seconds_coupling": round(result.seconds["coupling"], 3),
            "seconds_cold_process": round(_seconds_cold(settings), 2) if case == self.cold_case else float("nan"),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {result.device}",
            "config": settings,
        }]  # fmt: skip

    def table(self, rows: pd.DataFrame) -> str:
        """Medians over seeds, with the range of each accuracy."""
        lines = [
            "| MNIST, image to text | plan: matching accuracy | flow: test accuracy | `bv.run` | coupling alone |",
            "|---|---|---|---|---|",
        ]
        for case in self.cases:
            seeds = rows[rows.case == case]
            if len(seeds):
                accuracies = f"{median_and_range(seeds.matching_accuracy)} | {median_and_range(seeds.test_accuracy)}"
                times = f"{seeds.seconds.median():.0f} s | {seeds.seconds_coupling.median():.2f} s"
                lines.append(f"| {case} | {accuracies} | {times} |")
        machine = "; ".join(sorted(set(rows.machine)))
        note = f"Medians over seeds 0 to {rows.seed.max()} (smallest to largest). Machine: {machine}."
        cold = rows.seconds_cold_process.dropna()
        if len(cold):
            case = self.cold_case
            note += f' In a new process, with imports and compilation, "{case}" takes {cold.median():.0f} s.'
        return "\n".join([*lines, "", note])


def _seconds_cold(settings: str) -> float:
    """The seconds that a run takes in a new process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", COLD, settings], check=True)
    return time.perf_counter() - start
