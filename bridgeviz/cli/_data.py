"""`bridgeviz datasets`, `fetch`, `pretrain` and `features`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridgeviz.cli._types import INTEGER

if TYPE_CHECKING:
    from tqdm import tqdm

    from bridgeviz.encoders import Progress

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
@click.option("--out", type=click.Path(path_type=Path), help="Folder, or for imagenet a .npz file; see the docs.")
@click.option("--images", type=click.Path(), help="Folder, .zip or .tar with one folder of pictures per class.")
@click.option(
    "--vision", help="efficientnet-lite0, a .tflite file, or an image model of transformers: its name or its folder."
)
@click.option("--text", help="all-MiniLM-L6-v2, or a model of sentence-transformers: its name or its folder.")
@click.option("--layer", "layers", multiple=True, help="Layer of the vision model; may be repeated.")
@click.option("--whole", is_flag=True, default=None, help="Squeeze whole pictures into a square; do not crop them.")
@click.option("--grid", type=INTEGER, help="Average feature maps over GRID x GRID cells.")
@click.option("--batch-size", type=INTEGER, help="Pictures per call of the encoder.")
@click.option("--restart", is_flag=True, default=None, help="Discard what an interrupted command has encoded.")
def features(name: str, out: Path | None, **options: Any) -> None:
    """Run the frozen encoders of the data set NAME and write their features.

    An interrupted command resumes when it is repeated. A data set takes only those options that it needs.
    """
    from bridgeviz import datasets

    passed = {option: value for option, value in options.items() if value not in (None, ())}
    bar: tqdm | None = None
    for step in datasets.features(name, out, **passed):
        if not isinstance(step, str):
            if bar is None or bar.desc != step.what:
                _closed(bar)
                bar = _bar(step)
            bar.update(step.done - bar.n)
            continue
        bar = _closed(bar)
        click.echo(step)
    _closed(bar)
    click.echo(f"{name}: written to {out or datasets.DATASETS[name].home()}")


def _bar(step: Progress) -> tqdm:
    """A bar for the next encoder."""
    from tqdm import tqdm

    bar = tqdm(total=step.total, unit="picture")
    bar.desc = step.what
    return bar


def _closed(bar: tqdm | None) -> None:
    """Leave a bar on the screen as it is."""
    if bar is not None:
        bar.close()
