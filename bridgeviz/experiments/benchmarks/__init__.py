"""Named benchmarks, measured on this machine, kept as CSV and written to the tables of the documents.

A new benchmark is one new file with a `Benchmark`, and one line here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridgeviz import _checks as check
from bridgeviz.datasets import Mnist, SnareSeq, TinyImageNet, TwoEncoders
from bridgeviz.experiments.benchmarks._benchmark import Benchmark, Row, Task
from bridgeviz.experiments.benchmarks._costs import CostBenchmark
from bridgeviz.experiments.benchmarks._couplings import CouplingBenchmark
from bridgeviz.experiments.benchmarks._disentanglement import Disentanglement
from bridgeviz.experiments.benchmarks._documents import write_block
from bridgeviz.experiments.benchmarks._encoders import EncoderBenchmark
from bridgeviz.experiments.benchmarks._first_light import FirstLight
from bridgeviz.experiments.benchmarks._flows import FlowBenchmark
from bridgeviz.experiments.benchmarks._kinds import KindBenchmark
from bridgeviz.experiments.benchmarks._ledger import Ledger
from bridgeviz.experiments.benchmarks._sweep_scale import SweepScale
from bridgeviz.experiments.sweeps._cluster import Workers

BENCHMARKS: dict[str, Benchmark] = {
    "first-light": FirstLight(),
    "costs": CostBenchmark(
        name="costs", dataset=Mnist(), title="MNIST, 10,000 x 10,000", tolerance=1e-3,
        alphas=(0.1, 0.25, 0.5, 0.75, 0.9),
    ),
    "costs-tiny": CostBenchmark(
        name="costs-tiny", dataset=TinyImageNet(features="full"), title="Tiny-ImageNet features, 10,000 x 10,000",
        tolerance=1e-2, alphas=(0.25, 0.5), show_tau=True,
    ),
    "costs-two-encoders": CostBenchmark(
        name="costs-two-encoders", dataset=TwoEncoders(), title="Two encoders, 3,030 x 3,030", tolerance=1e-3,
        alphas=(0.25, 0.5), fractions=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    ),
    "costs-snare-seq": CostBenchmark(
        name="costs-snare-seq", dataset=SnareSeq(), title="SNARE-seq, 1,047 x 1,047", tolerance=1e-3,
        alphas=(0.25, 0.5), fractions=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    ),
    "couplings": CouplingBenchmark(),
    "flows": FlowBenchmark(),
    "encoders": EncoderBenchmark(),
    "kinds": KindBenchmark(),
    "disentanglement": Disentanglement(),
    "sweeps": SweepScale(),
}  # fmt: skip
"""The registered benchmarks by name."""


def measure(
    name: str,
    *,
    seeds: int = 5,
    folder: Path | None = None,
    documents: Sequence[Path] | None = None,
    workers: Workers | None = None,
    only: str | None = None,
) -> Iterator[str]:
    """Measure what is missing from a benchmark's CSV, and write its tables.

    The CSV is written after each measurement, so that an interrupted run resumes. Rows of other settings or of another
    version are measured again; so is everything after the CSV is deleted.

    Args:
        name: a name in `BENCHMARKS`.
        seeds: measure and show the seeds 0 .. seeds - 1.
        folder: of the CSV; None takes the project's `data/benchmarks`.
        documents: files whose blocks of that name are replaced; None takes the project's README.md and
            docs/benchmarks.md.
        workers: that measure at the same time, for benchmarks that time nothing: those of costs, "kinds" and
            "disentanglement". None measures one after another in this process.
        only: what is measured, separated by commas: kinds of problem for "kinds", groups of rows for "couplings". None
            measures all, except groups that take long.

    Yields:
        A line per measurement, then the table.

    Raises:
        InputError: an unknown name, or `workers` or `only` for a benchmark that does not take it.
    """
    benchmark: Any = BENCHMARKS[check.choice(name, "name", "measure", BENCHMARKS)]
    for setting, value in {"workers": workers, "only": only}.items():
        if value is not None and setting not in benchmark.takes:
            takers = " and ".join(f"'{other}'" for other, taker in BENCHMARKS.items() if setting in taker.takes)
            raise check.fail(setting, "measure", f"left out for '{name}': only {takers} take it", value)
    if only is not None:
        benchmark = replace(benchmark, only=only)
    seeds = check.count(seeds, "seeds", "measure")
    yield from benchmark.measure(seeds=seeds, folder=folder, documents=documents, workers=workers)


__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "CostBenchmark",
    "CouplingBenchmark",
    "FirstLight",
    "FlowBenchmark",
    "KindBenchmark",
    "Ledger",
    "Row",
    "Task",
    "measure",
    "write_block",
]
