"""What a large sweep asks of its scheduler, its disk and its folder: the same sweep without the cells' own work."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bridgeviz.experiments.benchmarks._benchmark import Benchmark, Task
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.experiments.sweeps._cells import Result, read_result, run_cells, write_result
from bridgeviz.experiments.sweeps._cluster import Workers, in_order
from bridgeviz.experiments.sweeps._grid import Grid
from bridgeviz.experiments.sweeps._sweep import TABLE, table, write_table

if TYPE_CHECKING:
    import pandas as pd

STEPS = {
    "grid": "check the settings of all cells, and order them",
    "write": "write the results of all cells, one by one",
    "resume": "look for the results of all cells, as a second start does",
    "table": "read all results, and write the table",
    "tasks": "hand out a task for each cell to two workers, which do nothing",
}
"""What is timed, in order."""


@dataclass(frozen=True)
class SweepScale(Benchmark):
    """The time and the space that a sweep takes beside the work of its cells.

    Attributes:
        sizes: numbers of cells.
    """

    sizes: tuple[int, ...] = (100, 1_000, 10_000)

    @property
    def block(self) -> str:
        return "sweeps"

    def tasks(self, seeds: int) -> Iterator[Task]:
        for cells in self.sizes:
            yield Task({"cells": cells}, partial(self._measure, cells))

    def _measure(self, count: int) -> Iterator[Row]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            result = _example(folder)
            start = time.perf_counter()
            grid = _grid(count)
            cells = grid.cells
            yield _row("grid", start)
            start = time.perf_counter()
            for cell in cells:
                write_result(folder, cell.key, result)
            files = [path.stat().st_size for path in folder.rglob("*.json")]
            yield _row("write", start, size=sum(files))
            start = time.perf_counter()
            assert all(read_result(folder, cell.key) is not None for cell in cells)
            yield _row("resume", start)
            start = time.perf_counter()
            write_table(table(grid, folder), folder)
            yield _row("table", start, size=(folder / TABLE).stat().st_size)
        with Workers(jobs=2).client() as client:
            start = time.perf_counter()
            tasks = [([], name, "")] * count
            done = sum(not task.error for task in in_order(client, run_cells, tasks, [cell.key for cell in cells]))
            assert done == count
            yield _row("tasks", start)

    def lines(self, rows: list[Row]) -> list[str]:
        return [f"{rows[0]['cells']:,} cells: " + ", ".join(f"{row['step']} {row['seconds']:.3g} s" for row in rows)]

    def table(self, rows: pd.DataFrame) -> str:
        wide = rows.pivot(index="step", columns="cells", values="seconds").reindex(STEPS)
        size = rows.pivot(index="step", columns="cells", values="bytes").reindex(STEPS)
        sizes = list(wide.columns)
        lines = ["| seconds | " + " | ".join(f"{count:,} cells" for count in sizes) + " |"]
        lines.append("|---" * (1 + len(sizes)) + "|")
        for step, text in STEPS.items():
            cells = [
                f"{wide.loc[step, count]:.3g}"
                + (f", {size.loc[step, count] / 1e6:.3g} MB" if size.loc[step, count] > 0 else "")
                for count in sizes
            ]
            lines.append(f"| {text} | {' | '.join(cells)} |")
        return "\n".join([*lines, "", "Two cores, a local disk. `bridgeviz bench sweeps`."])


def _grid(count: int) -> Grid:
    """So many cells, ten for each plan."""
    steps = [100 * step for step in range(1, 11)]
    return Grid(settings={"dataset": "blobs"}, grid={"seed": list(range(count // len(steps))), "steps": steps})


def _example(folder: Path) -> Result:
    """The result of a real cell, a short one."""
    cell = Grid(settings={"dataset": "blobs", "steps": 1}).cells[0]
    ((_, result),) = run_cells([cell], str(folder), "no sweep has this identity")
    return result


def _row(step: str, start: float, size: int = 0) -> Row:
    return {"step": step, "seconds": round(time.perf_counter() - start, 4), "bytes": size}
