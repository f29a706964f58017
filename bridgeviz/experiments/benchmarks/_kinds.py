"""Every method on every kind of problem, by the number of pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bridgeviz.experiments.benchmarks._benchmark import Benchmark, Task, chosen
from bridgeviz.experiments.benchmarks._kind import Kind
from bridgeviz.experiments.benchmarks._kind_cases import cases, is_number, measure_case
from bridgeviz.experiments.benchmarks._kind_list import KINDS
from bridgeviz.experiments.benchmarks._kind_tables import details, summary
from bridgeviz.experiments.benchmarks._ledger import Ledger, Row

if TYPE_CHECKING:
    import pandas as pd

KEY = ("kind", "pairs", "seed", "case")


@dataclass(frozen=True, kw_only=True)
class KindBenchmark(Benchmark):
    """The baselines, the plans of all costs and flows from them, on every kind of problem.

    A cell is a case (a method, or several that share a plan) on one kind, with one number of pairs and one seed. It
    is independent of all others, and the CSV is written after each. A cell that fails is recorded with the error's
    sentence, and measured again by the next run.

    Attributes:
        kinds: what is measured, in this order, for one seed after another.
        only: the kinds that are measured, separated by commas; None measures all. The tables show all that are measured
            already.
    """

    takes = ("workers", "only")
    kinds: dict[str, Kind] = field(default_factory=lambda: KINDS)
    only: str | None = None

    def __post_init__(self):
        chosen(self.only, self.kinds)

    @property
    def block(self) -> str:
        return "kinds"

    def tasks(self, seeds: int) -> Iterator[Task]:
        for seed in range(seeds):
            for kind in (self.kinds[name] for name in chosen(self.only, self.kinds)):
                for draw in kind.draws:
                    for name, case in cases(kind, draw, seed).items():
                        key: Row = dict(zip(KEY, (kind.name, draw.label, seed, name), strict=True))
                        yield Task(key, partial(measure_case, kind, draw, seed, case))

    def ledger(self, folder: Path | None = None) -> Ledger:
        """The rows that are measured already, without the cells that failed."""
        ledger = super().ledger(folder)
        failed = {tuple(row[column] for column in KEY) for row in ledger.rows if isinstance(row.get("failed"), str)}
        ledger.rows = [row for row in ledger.rows if tuple(row[column] for column in KEY) not in failed]
        return ledger

    def lines(self, rows: list[Row]) -> list[str]:
        lines = []
        for row in rows:
            figures = self.kinds[row["kind"]].figures
            numbers = [f"{name} {row[name]:.3f}" for name in figures if is_number(row.get(name))]
            result = row["failed"] if "failed" in row else ", ".join(numbers)
            lines.append(f"{row['kind']}, {row['pairs']}, seed {row['seed']}, {row['method']}: {result}")
        return lines

    def blocks(self, rows: pd.DataFrame) -> dict[str, str]:
        """The best methods at each number of pairs, and all methods kind by kind."""
        return {self.block: self.table(rows), f"{self.block}-all": details(rows, self.kinds)}

    def table(self, rows: pd.DataFrame) -> str:
        """The best rival, the automatic choice and the best of ours, and how often the choice is close to the best."""
        return summary(rows, self.kinds)
