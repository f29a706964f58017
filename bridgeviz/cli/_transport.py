"""`bridgeviz transport`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import bridgeviz as bv
from bridgeviz._checks import InputError
from bridgeviz._files import check_array_path, new_file
from bridgeviz._options import Option, Variant, class_of, options_of
from bridgeviz.cli._settings import OPTIONS, Sections, SettingsCommand, flat_values, refuse_unread
from bridgeviz.cli._types import FILE, INTEGER

if TYPE_CHECKING:
    from bridgeviz.experiments import Setting

SOLVER = "ode_solver"


def sections() -> Sections:
    """The choice of an ODE solver, and the options of those that are registered."""
    kind: Any = Variant(bv.flows.ODE_SOLVERS, bv.flows.OdeOptions)
    choice = Option(kind, "heun", help="Method that follows the flow.")
    settings = {SOLVER: _setting(SOLVER, "solver", [choice], ())}
    owners: dict[tuple[str, str], dict[str, Option]] = {}
    for member, solver in bv.flows.ODE_SOLVERS.items():
        for field, about in options_of(class_of(solver)).items():
            if about.label:
                owners.setdefault((about.key or field, field), {})[member] = about
    for (name, field), options in owners.items():
        settings[name] = _setting(name, field, list(options.values()), tuple(options))
    return {OPTIONS: settings}


def _setting(name: str, field: str, options: list[Option], members: tuple[str, ...]) -> Setting:
    """A setting of transport.

    Args:
        name: of the option on the command line.
        field: name of the argument of `Flow.transport`.
        options: what it says about itself in each solver that has it.
        members: the names of these solvers; none if it is not an option of a solver.
    """
    from bridgeviz.experiments import Setting

    about = options[0]
    setting = Setting(
        key=name, name=field, part=None, option=about, label=about.label, default="", word=about.word, varies=False,
        readers=tuple(((SOLVER, member),) for member in members) or ((),), stage="transport",
    )  # fmt: skip
    defaults = {setting.write(option.default) for option in options}
    return replace(setting, default=defaults.pop()) if len(defaults) == 1 else setting


@click.command(cls=SettingsCommand, sections=sections)
@click.argument("directory", type=FILE)
@click.argument("new_source", type=FILE)
@click.option("--out", required=True, type=FILE, help="A .npy file.")
@click.option("--seed", type=INTEGER, default=0, show_default=True, help="Seed of the noise.")
@click.option(
    "--samples", type=INTEGER,
    help="Carry each row this many times, from different noise. The file then has the shape (samples, rows, columns).",
)  # fmt: skip
@click.pass_context
def transport(ctx: click.Context, directory: str, new_source: str, out: str, seed: int, samples: int | None) -> None:
    """Carry the rows of NEW_SOURCE to the target space.

    DIRECTORY is the result of `align`, whose flow is used.
    """
    from bridgeviz.cli._bar import transport_bar
    from bridgeviz.datasets import files

    path = check_array_path(out)
    if path.resolve() == files.location(new_source):
        raise InputError(f"The output file {out} must be another one than NEW_SOURCE, which it would replace.")
    refuse_unread(ctx)
    flow = bv.Flow.load(Path(directory) / "flow")
    x = files.read_matrix(new_source, rows=1)
    with new_file(path) as draft, transport_bar() as moved:
        shape = bv.flows.save_transported(
            flow, x, draft, samples=samples, on_progress=moved, seed=seed, **flat_values(ctx)
        )
    click.echo(f"Carried {shape[-2]} points to {shape[-1]} dimensions: {out}")
