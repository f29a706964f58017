"""Named benchmarks: measured on this machine, kept as CSV, written to the README's tables by the same command."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from bridgeviz import _checks as check
from bridgeviz import datasets
from bridgeviz._files import write_text
from bridgeviz.experiments.config import RunConfig
from bridgeviz.experiments.run import run

_BRIDGE = {"dataset": "mnist", "strategy": "global", "cost": "bridge", "epsilon": 5e-3, "steps": 4000}
FIRST_LIGHT = {
    "bridge, 0.5 %": {**_BRIDGE, "fraction": 0.005},
    "bridge, 1 %": {**_BRIDGE, "fraction": 0.01},
    "bridge, 10 %": {**_BRIDGE, "fraction": 0.1},
    "diffusion bridge, 1 %": {**_BRIDGE, "fraction": 0.01, "cost": "diffusion_bridge"},
    "true pairs, 10 %": {"dataset": "mnist", "strategy": "true", "fraction": 0.1, "steps": 4000},
}
"""MNIST, image -> text: the table of the README."""

COLD = "import json, sys, bridgeviz as bv; bv.run(bv.RunConfig.from_dict(json.loads(sys.argv[1])))"
BENCHMARKS = ("first-light", "costs", "costs-tiny", "flows")


def measure(name: str, *, seeds: int = 5, folder: Path | None = None, readme: Path | None = None) -> Iterator[str]:
    """Measure what the CSV does not hold yet, write it after each run, and put the medians into the README.

    Interrupt at will: what was measured stays. A row of other settings or of another version is measured anew; so is
    everything once the CSV is deleted.

    Args:
        name: of the benchmark.
        seeds: 0 .. seeds - 1.
        folder: for the CSV; None takes the project's `data/benchmarks`.
        readme: the file with the table's markers; None takes the project's, where there is one.
    """
    check.choice(name, "name", "measure", BENCHMARKS)
    seeds = check.count(seeds, "seeds", "measure")
    if name == "flows":
        from bridgeviz.experiments import bench_flows

        yield from bench_flows.measure(folder=folder, readme=readme)
        return
    if name != "first-light":
        from bridgeviz.experiments import bench_costs

        yield from bench_costs.measure(name, seeds=seeds, folder=folder, readme=readme)
        return
    folder = folder or datasets.paths.shipped() / "benchmarks"
    path = folder / "first_light.csv"
    rows = pd.read_csv(path).to_dict("records") if path.is_file() else []
    for seed in range(seeds):
        for case, settings in FIRST_LIGHT.items():
            config = RunConfig(**settings, seed=seed)
            asked = json.dumps(config.as_dict())
            known = [row for row in rows if (row["case"], row["seed"]) == (case, seed)]
            if known and known[0]["config"] == asked and known[0]["version"] == version("bridgeviz"):
                continue
            rows = [row for row in rows if row not in known] + [_one(case, config)]
            folder.mkdir(parents=True, exist_ok=True)
            write_text(path, pd.DataFrame(rows).to_csv(index=False))
            last = rows[-1]
            plan, test = last["matching_accuracy"], last["test_accuracy"]
            yield f"{case}, seed {seed}: plan {plan:.3f}, test {test:.3f}, {last['seconds']:.0f} s"
    table = pd.DataFrame(rows)
    text = as_table(pd.DataFrame(table[table.seed < seeds]))
    yield text
    readme = readme or datasets.paths.shipped().parent / "README.md"
    if readme.is_file():
        write_block(readme, name, text)


def _one(case: str, config: RunConfig) -> dict:
    start = time.perf_counter()
    result = run(config)
    seconds = time.perf_counter() - start
    cold = float("nan")
    if case == "bridge, 1 %":  # what a user waits for: a new process, imports and compilation included
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", COLD, json.dumps(config.as_dict())], check=True)
        cold = time.perf_counter() - start
    return {
        "case": case,
        "seed": config.seed,
        "pairs": len(result.pairs),
        "matching_accuracy": result.metrics["matching_accuracy"],
        "test_accuracy": result.metrics["test_accuracy"],
        "seconds": round(seconds, 2),
        "seconds_coupling": round(result.seconds["coupling"], 3),
        "seconds_cold_process": round(cold, 2),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {result.device}",
        "version": version("bridgeviz"),
        "config": json.dumps(config.as_dict()),
    }


def as_table(rows: pd.DataFrame) -> str:
    """The medians over seeds as Markdown, with the range beside each accuracy."""

    def spread(values: pd.Series) -> str:
        return f"{values.median():.3f} ({values.min():.3f} to {values.max():.3f})"

    lines = [
        "| MNIST, image to text | plan: matching accuracy | flow: test accuracy | `bv.run` | of it, the coupling |",
        "|---|---|---|---|---|",
    ]
    for case in FIRST_LIGHT:
        some = rows[rows.case == case]
        if len(some):
            lines.append(
                f"| {case} | {spread(some.matching_accuracy)} | {spread(some.test_accuracy)} | "
                f"{some.seconds.median():.0f} s | {some.seconds_coupling.median():.2f} s |"
            )
    cold = rows.seconds_cold_process.dropna()
    machine = "; ".join(sorted(set(rows.machine)))
    said = f"Medians over seeds 0 to {rows.seed.max()} (smallest to largest). Machine: {machine}."
    if len(cold):
        said += f" The 1 % bridge case as a whole new process, imports and compilation included: {cold.median():.0f} s."
    lines += ["", said]
    return "\n".join(lines)


def write_block(readme: Path, name: str, text: str) -> None:
    """Replace what stands between the two markers of that name."""
    marks = f"<!-- bench {name} -->", f"<!-- end of bench {name} -->"
    old = readme.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(marks[0]) + ".*?" + re.escape(marks[1]), re.DOTALL)
    new = pattern.sub(lambda _: f"{marks[0]}\n{text}\n{marks[1]}", old)
    if new != old:
        write_text(readme, new)
