"""What every benchmark is: tasks, which a ledger keeps, and tables drawn from it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from bridgeviz import _checks as check
from bridgeviz.datasets import paths
from bridgeviz.experiments.benchmarks._documents import write_block
from bridgeviz.experiments.benchmarks._ledger import Ledger, Row
from bridgeviz.experiments.sweeps._cluster import Workers, in_order

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")


class Task(NamedTuple):
    """One measurement.

    Attributes:
        key: the columns that identify its rows, such as the case and the seed.
        measure: makes its rows, without those columns. Data are loaded here, not before.
    """

    key: Row
    measure: Callable[[], Iterable[Row]]


class Benchmark(ABC):
    """The base of every benchmark.

    Attributes:
        resumes: whether rows of an earlier run stay valid. If not, everything is measured again, and the CSV is
            written when the run is complete.
        takes: which of the settings of `benchmarks.measure` it has: "only", which it has as an attribute, and "workers"
            if its tasks may run at the same time.
        home: the folder of its rows below `data/`.
        suffix: of its file of rows, ".csv" or ".parquet".
        timed: whether the first row of each task says how long it took, and the others 0, in the column "took".
    """

    resumes: bool = True
    takes: ClassVar[tuple[str, ...]] = ()
    home: ClassVar[str] = "benchmarks"
    suffix: ClassVar[str] = ".csv"
    timed: ClassVar[bool] = False

    @property
    @abstractmethod
    def block(self) -> str:
        """The name of its block in the documents, and of its CSV with underscores."""

    @abstractmethod
    def tasks(self, seeds: int) -> Iterator[Task]:
        """The measurements of the seeds 0 .. seeds - 1, in order."""

    @abstractmethod
    def lines(self, rows: list[Row]) -> list[str]:
        """What to print about the rows of a task."""

    @abstractmethod
    def table(self, rows: pd.DataFrame) -> str:
        """The rows as Markdown."""

    def blocks(self, rows: pd.DataFrame) -> dict[str, str]:
        """The blocks of the documents by name."""
        return {self.block: self.table(rows)}

    def is_current(self, row: Row) -> bool:
        """Whether a row of the installed version was measured with today's settings."""
        return True

    def ledger(self, folder: Path | None = None) -> Ledger:
        """The rows that are measured already.

        Args:
            folder: of the file; None takes the one of that name in the project's `data/`.
        """
        folder = paths.shipped() / self.home if folder is None else folder
        return Ledger.open(folder / f"{self.block.replace('-', '_')}{self.suffix}", is_current=self.is_current)

    def measure(
        self, *, seeds: int = 5, folder: Path | None = None, documents: Sequence[Path] | None = None,
        workers: Workers | None = None,
    ) -> Iterator[str]:  # fmt: skip
        """Measure what the ledger does not hold, save it, and write the tables; see `benchmarks.measure`."""
        ledger = self.ledger(folder)
        if not self.resumes:
            ledger.rows.clear()
        missing = (task for task in self.tasks(seeds) if not (self.resumes and ledger.holds(task.key)))
        if self.timed:
            missing = (task._replace(measure=partial(_timed, task.measure)) for task in missing)
        for task, measured in _one_by_one(missing) if workers is None else on_workers(list(missing), workers):
            rows = [{**task.key, **row} for row in measured]
            ledger.add(rows)
            if self.resumes:
                ledger.save()
            yield from self.lines(rows)
        if not self.resumes:
            ledger.save()
        yield self.write(ledger, seeds=seeds, documents=documents)

    def write(self, ledger: Ledger, *, seeds: int, documents: Sequence[Path] | None = None) -> str:
        """Write the blocks of the documents from what is measured; returns the table."""
        blocks = self.blocks(ledger.table(seeds=seeds))
        for name, text in blocks.items():
            write_block(name, text, documents=documents)
        return blocks[self.block]


class FigureBenchmark(Benchmark):
    """The base of the paper's figures, whose rows are results that the app draws."""

    home = "results"
    suffix = ".parquet"
    timed = True


def _one_by_one(tasks: Iterable[Task]) -> Iterator[tuple[Task, list[Row]]]:
    return ((task, list(task.measure())) for task in tasks)


def on_workers(tasks: list[Task], workers: Workers) -> Iterator[tuple[Task, list[Row]]]:
    """Measure tasks on workers; yields each with its rows as soon as it is done.

    Raises:
        RuntimeError: the worker of a task has died several times.
    """
    if not tasks:
        return
    with workers.client() as client:
        names = [f"{place}-{'-'.join(map(str, task.key.values()))}" for place, task in enumerate(tasks)]
        for done in in_order(client, _measured, [(task.measure,) for task in tasks], names):
            if done.error:
                raise RuntimeError(f"{tasks[done.number].key}: {done.error}")
            yield tasks[done.number], done.result


def _measured(measure: Callable[[], Iterable[Row]]) -> list[Row]:
    return list(measure())


def _timed(measure: Callable[[], Iterable[Row]]) -> list[Row]:
    start = time.perf_counter()
    rows = list(measure())
    seconds = round(time.perf_counter() - start, 2)
    return [{**row, "took": 0.0 if place else seconds} for place, row in enumerate(rows)]


def shared(data: T) -> T:
    """The first of equal objects that this process has seen: tasks that run here share what it has loaded."""
    return _first_seen(data)


@lru_cache(maxsize=2)
def _first_seen(data: Any) -> Any:
    return data


def chosen(only: str | None, names: Mapping[str, Any]) -> list[str]:
    """The names that `only` lists, separated by commas; all of them if it is None."""
    if only is None:
        return list(names)
    return [check.choice(name.strip(), "only", "bench", names) for name in only.split(",")]


def median_and_range(values: Any) -> str:
    """The median of a series, and its smallest and largest value."""
    return f"{values.median():.3f} ({values.min():.3f} to {values.max():.3f})"
