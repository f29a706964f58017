"""`bridgeviz datasets`, `fetch`, `pretrain` and `features`."""

from __future__ import annotations

from pathlib import Path

import click

OUT = click.option(
    "--out", type=click.Path(path_type=Path), help="Folder; by default the project's data/, or the cache."
)


@click.command(name="datasets")
@click.argument("name", required=False)
def list_datasets(name: str | None) -> None:
    """List the data sets and their options, or show the card of the data set NAME."""
    from bridgeviz import datasets

    if name is not None:
        for heading, text in datasets.card(name).lines().items():
            click.echo(f"{heading + ':':<12}{text}")
        return
    described = datasets.describe()
    width = max(len(name) for name, _, _ in described) + 2
    for name, title, options in described:
        defaults = ", ".join(f"{option}={default!r}" for option, default in options.items())
        click.echo(f"{name:<{width}}{title}\n{'':<{width}}options: {defaults or 'none'}")


@click.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Download and check the raw files of the data set NAME.

    Files in the folder that BRIDGEVIZ_DATA names are not downloaded again.
    """
    from bridgeviz import datasets

    folder = datasets.fetch(name)
    click.echo(f"{name}: complete in {folder}" if folder else f"{name}: nothing to fetch, it comes with bridgeviz")


@click.command()
@click.argument("name")
@OUT
def pretrain(name: str, out: Path | None) -> None:
    """Train the frozen models of the data set NAME.

    Writes their weights, the latents and a model card.
    """
    from tqdm import tqdm

    from bridgeviz import datasets

    bar: tqdm | None = None
    for model, step, steps, loss in datasets.pretrain(name, out):
        if bar is None or bar.desc != model:
            if bar is not None:
                bar.close()
            bar = tqdm(total=steps, unit="step")
            bar.desc = model
        bar.update(step - bar.n)
        bar.set_postfix(loss=f"{loss:.2f}", refresh=False)
    if bar is not None:
        bar.close()
    click.echo(f"{name}: written to {out or datasets.DATASETS[name].home()}")


@click.command()
@click.argument("name")
@OUT
def features(name: str, out: Path | None) -> None:
    """Run the frozen encoders of the data set NAME and write their features."""
    from bridgeviz import datasets

    for line in datasets.features(name, out):
        click.echo(line)
    click.echo(f"{name}: written to {out or datasets.DATASETS[name].home()}")
