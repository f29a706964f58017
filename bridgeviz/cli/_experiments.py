"""`bridgeviz bench`, `figure` and `gallery`."""

from __future__ import annotations

from pathlib import Path

import click

from bridgeviz.cli._types import INTEGER

SEEDS = click.option("--seeds", type=INTEGER, default=5, show_default=True, help="Number of seeds, from 0.")


@click.command()
@click.argument("name")
@SEEDS
@click.option("--jobs", type=INTEGER, default=1, show_default=True, help="Worker processes (kinds).")
@click.option("--only", "--rows", "only", metavar="NAME,...", help="Kinds of problem (kinds), groups (couplings).")
@click.option("--folder", type=click.Path(path_type=Path), help="Folder of the CSV; default: data/benchmarks/.")
def bench(name: str, seeds: int, jobs: int, only: str | None, folder: Path | None) -> None:
    """Run the benchmark NAME.

    Writes the results to data/benchmarks/ and the tables to the documentation. With --folder, the results go there, and
    the documentation stays as it is.
    """
    from bridgeviz.experiments import benchmarks

    documents = None if folder is None else []
    for line in benchmarks.measure(name, seeds=seeds, jobs=jobs, only=only, folder=folder, documents=documents):
        click.echo(line)


@click.command()
@click.argument("number", type=INTEGER)
@click.option(
    "--dataset", help="Fig. 7, 12, 16: mnist (default) or tiny-imagenet. Fig. 10, 11: v4-cowley (default) or majaj2015."
)
@SEEDS
def figure(number: int, dataset: str | None, seeds: int) -> None:
    """Measure the paper's figure NUMBER.

    Writes the results to data/benchmarks/ and the tables to the documentation.
    """
    from bridgeviz.experiments import figures

    for line in figures.measure(number, dataset=dataset, seeds=seeds):
        click.echo(line)


@click.command()
@click.argument("names", nargs=-1)
def gallery(names: tuple[str, ...]) -> None:
    """Make the finished alignments of the app's first page: NAMES, or all."""
    from bridgeviz.experiments import gallery as presets

    for line in presets.make_all(names=list(names) or None):
        click.echo(line)
