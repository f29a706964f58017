"""`bridgeviz check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import bridgeviz as bv
from bridgeviz.cli._types import FILE, INTEGER

if TYPE_CHECKING:
    from bridgeviz.experiments import Assessment
    from bridgeviz.metrics import Inspection


@click.command()
@click.argument("source", type=FILE)
@click.argument("target", type=FILE)
@click.option("--pairs", required=True, type=FILE, help="As those of align.")
@click.option("--source-labels", type=FILE, help="One label per row, to look at their balance.")
@click.option("--target-labels", type=FILE, help="One label per row, to look at their balance.")
@click.option("--forbid", type=FILE, help="Matches that may carry no mass, as those of align.")
@click.option("--forbid-classes", type=FILE, help="Classes that may not match, as those of align.")
@click.option("--metric", type=click.Choice(["cosine", "sqeuclidean", "pearson"]), help="Within each space.")
@click.option("--seed", type=INTEGER, default=0, show_default=True, help="Of the pairs that are held out.")
@click.pass_context
def check(
    ctx: click.Context, source: str, target: str, pairs: str, source_labels: str | None, target_labels: str | None,
    forbid: str | None, forbid_classes: str | None, metric: str | None, seed: int,
) -> None:  # fmt: skip
    """Can SOURCE and TARGET be aligned? Looks at both, and at what the pairs say, and trains nothing.

    Exit status 1 means that the answer is no; 0 that it is yes, partly or unsure.
    """
    from tqdm import tqdm

    from bridgeviz.costs import memory_limit
    from bridgeviz.datasets import files
    from bridgeviz.viz.words import memory

    inputs = files.read_problem(
        source, target, pairs, source_labels=source_labels, target_labels=target_labels, forbidden=forbid,
        forbidden_classes=forbid_classes,
    )  # fmt: skip
    problem, index = inputs.problem, inputs.pairs
    found = {side: bv.metrics.inspect(getattr(problem, side)) for side in ("source", "target")}
    for side, inspection in found.items():
        _show(f"{side.capitalize()} {source if side == 'source' else target}", inspection)
    click.echo(memory(bv.metrics.plan_memory(problem), memory_limit()))
    with tqdm(desc="holding out pairs", unit="cost", disable=None, leave=False) as bar:

        def step(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        assessment = bv.assess(problem, index, metric=metric, seed=seed, on_step=step)
    _show_pairs(assessment, len(index))
    metrics = {inspection.metric for inspection in found.values()}
    chosen = metric or ("sqeuclidean" if "sqeuclidean" in metrics else "cosine")
    click.echo(f"To begin with: bridgeviz align ... --cost {assessment.cost} --metric {chosen}")
    click.echo(f"\nCan this be aligned? {assessment.text}")
    ctx.exit(1 if assessment.verdict == "no" else 0)


def _show(title: str, inspection: Inspection) -> None:
    click.echo(title)
    for heading, text in inspection.lines().items():
        click.echo(f"  {heading + ':':<11}{text}")
    for caution in inspection.cautions:
        click.echo(f"  Caution:   {caution}")


def _show_pairs(assessment: Assessment, pairs: int) -> None:
    click.echo(f"Pairs: {pairs:,}")
    for name, one in (("linear CKA", assessment.cka), ("mutual neighbours", assessment.neighbours)):
        if one is not None:
            click.echo(f"  {name + ':':<19}{one.value:.3f}, by chance {one.chance:.3f} (p = {one.p:.3f})")
    if len(assessment.table):
        click.echo("  FOSCTTM of held-out pairs, with a 95 % interval (0: perfect, 0.5: chance)")
    for row in assessment.table.to_dict("records"):
        click.echo(f"    {row['cost']:<19}{row['foscttm']:.3f}  [{row['low']:.3f}, {row['high']:.3f}]")
