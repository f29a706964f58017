"""Speed and memory of the couplings and costs, beside their rivals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bridgeviz._memory import machine_memory
from bridgeviz.experiments.benchmarks._benchmark import Benchmark, Task, chosen
from bridgeviz.experiments.benchmarks._coupling_cases import GROUPS, MACHINE, Case, Group
from bridgeviz.experiments.benchmarks._coupling_tables import outcome, tables
from bridgeviz.experiments.benchmarks._growth import draw_growth
from bridgeviz.experiments.benchmarks._ledger import Ledger, Row
from bridgeviz.experiments.benchmarks._machine import machine_and_versions

if TYPE_CHECKING:
    import pandas as pd

SHARE = 0.9
"""The share of the machine's memory that a process may take."""


@dataclass(frozen=True, kw_only=True)
class CouplingBenchmark(Benchmark):
    """Time, peak memory and marginal error by group, case and n, each in a process of its own.

    A row that reached its limit of time or memory is a result. One that failed by an error says so, and is measured
    again by the next run that includes its group.

    Attributes:
        groups: what can be measured.
        only: the groups that are measured, separated by commas; None measures those that are not long. The rates of the
            machine are always included, and the tables show all that is measured already.
    """

    takes = ("only",)
    groups: Mapping[str, Group] = field(default_factory=lambda: GROUPS)
    only: str | None = None

    def __post_init__(self):
        chosen(self.only, self.groups)

    @property
    def block(self) -> str:
        return "couplings"

    @property
    def measured_groups(self) -> list[str]:
        """The names of the groups that are measured."""
        if self.only is None:
            return [name for name, group in self.groups.items() if not group.long]
        return [name for name in self.groups if name in {MACHINE, *chosen(self.only, self.groups)}]

    def tasks(self, seeds: int) -> Iterator[Task]:
        """Each case at each of its n; nothing is drawn by the seeds."""
        for name in self.measured_groups:
            for case in self.groups[name].cases:
                for n in case.expected:
                    yield Task({"group": name, "case": case.name, "n": n}, partial(self._measure, case, n))

    def is_current(self, row: Row) -> bool:
        cases = self.groups[row["group"]].cases if row["group"] in self.groups else ()
        settings = [_settings(case) for case in cases if case.name == row["case"]]
        again = row["group"] in self.measured_groups and isinstance(row.get("failed"), str)
        return settings == [row["settings"]] and not again

    def _measure(self, case: Case, n: int) -> list[Row]:
        row = case.measure(n, memory=SHARE * machine_memory())
        numbers = {name: float(f"{value:.6g}") for name, value in row.items() if isinstance(value, float)}
        return [{**row, **numbers, "settings": _settings(case), "machine": machine_and_versions()}]

    def write(self, ledger: Ledger, *, seeds: int, documents: Sequence[Path] | None = None) -> str:
        """Write the tables, and beside the project's documents the picture of the growth with n."""
        if documents is None:
            draw_growth(ledger.table(seeds=seeds), self.groups)
        return super().write(ledger, seeds=seeds, documents=documents)

    def lines(self, rows: list[Row]) -> list[str]:
        return [f"{row['group']}, {row['case']}, n {row['n']:,}: {outcome(row)}" for row in rows]

    def table(self, rows: pd.DataFrame) -> str:
        """A table per group, and how the times grow with n."""
        return tables(rows, self.groups)


def _settings(case: Case) -> str:
    """What a case's rows depend on besides n."""
    return json.dumps({"repeats": case.repeats, "minutes": case.minutes, **case.options})
