"""`bridgeviz bench`, `figure`, `sweep` and `gallery`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridgeviz.cli._bar import sweep_bar
from bridgeviz.cli._types import FILE, INTEGER

if TYPE_CHECKING:
    from bridgeviz.experiments.sweeps import Workers

JOBS = click.option("--jobs", type=INTEGER, help="Processes on this machine that measure at the same time.")
SCHEDULER = click.option(
    "--scheduler", metavar="ADDRESS", help="A running Dask scheduler, such as tcp://10.0.0.1:8786."
)
SEEDS = click.option("--seeds", type=INTEGER, default=5, show_default=True, help="Number of seeds, from 0.")


@click.command()
@click.argument("name")
@SEEDS
@JOBS
@SCHEDULER
@click.option("--only", "--rows", "only", metavar="NAME,...", help="Kinds of problem (kinds), groups (couplings).")
@click.option("--folder", type=click.Path(path_type=Path), help="Folder of the CSV; default: data/benchmarks/.")
def bench(
    name: str, seeds: int, jobs: int | None, scheduler: str | None, only: str | None, folder: Path | None
) -> None:  # fmt: skip
    """Run the benchmark NAME.

    Writes the results to data/benchmarks/ and the tables to the documentation. With --folder, the results go there, and
    the documentation stays as it is.
    """
    from bridgeviz.experiments import benchmarks

    documents = None if folder is None else []
    workers = _workers(jobs, scheduler)
    for line in benchmarks.measure(
        name, seeds=seeds, workers=workers, only=only, folder=folder, documents=documents
    ):  # fmt: skip
        click.echo(line)


@click.command()
@click.argument("number", type=INTEGER)
@click.option("--dataset", help="The data set; each figure has its own choice and default.")
@SEEDS
@JOBS
@SCHEDULER
@click.option("--quick", is_flag=True, help="One seed.")
@click.option("--folder", type=FILE, help="Folder of the rows; default: data/results/.")
@click.option("--out", type=FILE, help="Folder for the picture, as an interactive page and as a PNG.")
def figure(
    number: int, dataset: str | None, seeds: int, jobs: int | None, scheduler: str | None, quick: bool,
    folder: str | None, out: str | None,
) -> None:  # fmt: skip
    """Measure the paper's figure NUMBER, and say whether its claim holds.

    Writes the rows to data/results/ and the tables to the documentation. With --folder, the rows go there, and the
    documentation stays as it is. A second start measures only what is missing.
    """
    from bridgeviz.experiments import figures

    where = {} if folder is None else {"folder": Path(folder), "documents": []}
    workers = _workers(jobs, scheduler)
    for line in figures.measure(number, dataset=dataset, seeds=1 if quick else seeds, workers=workers, **where):
        click.echo(line)
    for line in _verdicts(number, dataset, folder, out):
        click.echo(line)


def _workers(jobs: int | None, scheduler: str | None) -> Workers | None:
    """What measures; None for one after another in this process."""
    from bridgeviz.experiments.sweeps import Workers

    workers = Workers(jobs=jobs, scheduler=scheduler)
    return None if scheduler is None and jobs in (None, 1) else workers


def _verdicts(number: int, dataset: str | None, folder: str | None, out: str | None) -> Iterator[str]:
    """The verdict on each claim of a figure, and the files of its pictures."""
    from bridgeviz.experiments import claims, figures
    from bridgeviz.viz.paper import PICTURES, save

    name = dataset or next(iter(figures.CHOICES.get(number, {})), "swiss-roll")
    for place, claim in enumerate(claims.of_figure(number)):
        home = None if folder is None else Path(folder)
        rows = claim.rows(name, home)
        yield f"\nFig. {number}, {claim.title}. The paper: {claim.claim}"
        verdict = claim.verdict(name, home)
        yield f"Here: {verdict.outcome}. {verdict.numbers}"
        if out is not None and rows is not None and claim.drawing:
            yield from save(PICTURES[claim.drawing](rows), Path(out) / f"figure_{number:02d}_{name}_{place + 1}")


@click.command()
@click.argument("grid", type=FILE)
@click.option("--out", type=FILE, help="Folder of the results; default: GRID without its suffix.")
@click.option("--jobs", type=INTEGER, help="Processes on this machine, or jobs in the queue; default: one per core.")
@SCHEDULER
@click.option("--jobqueue", metavar="NAME", help="A job queue that starts the workers, such as slurm.")
def sweep(grid: str, out: str | None, jobs: int | None, scheduler: str | None, jobqueue: str | None) -> None:
    """Run every combination of the settings in GRID, a TOML file.

    A cell's result is written as soon as it ends, and the table to results.parquet. A second start runs only what is
    missing.
    """
    from bridgeviz.experiments import sweeps

    cells = sweeps.Grid.read(grid)
    folder = Path(grid).with_suffix("") if out is None else Path(out)
    workers = sweeps.Workers(jobs=jobs, scheduler=scheduler, jobqueue=jobqueue)
    failed = 0
    try:
        with sweep_bar() as show:
            for progress in sweeps.sweep(cells, folder, workers=workers):
                failed += len(progress.failed)
                show(progress)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        _fail(f"{reason}: {error.filename or folder}. The results before it are kept; the same command goes on.")
    click.echo(f"{folder / sweeps.TABLE}: {len(sweeps.table(cells, folder)):,} rows")
    if failed:
        _fail(f"{failed:,} cells failed; the same command tries them again.")


def _fail(text: str) -> None:
    """Print one line to stderr, and end with status 1."""
    click.echo(f"bridgeviz: {text}", err=True)
    click.get_current_context().exit(1)


@click.command()
@click.argument("names", nargs=-1)
def gallery(names: tuple[str, ...]) -> None:
    """Make the finished alignments of the app's first page: NAMES, or all."""
    from bridgeviz.experiments import gallery as presets

    for line in presets.make_all(names=list(names) or None):
        click.echo(line)
