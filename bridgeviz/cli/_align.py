"""`bridgeviz align`."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import numpy as np

import bridgeviz as bv
from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._files import check_folder
from bridgeviz._options import PairOf
from bridgeviz.cli._settings import (
    OPTIONS,
    Sections,
    SettingsCommand,
    flat_values,
    known_settings,
    passed_settings,
    refuse_unread,
)
from bridgeviz.cli._types import FILE, INTEGER

if TYPE_CHECKING:
    from bridgeviz.datasets.files import Inputs
    from bridgeviz.experiments import Run

STAGES = ("cost", "coupling", "flow")
"""The stages whose settings are options."""

COST = "auto"
"""The cost unless one is named: the pairs choose it."""

ALSO = ("reverse", "seed")
"""The settings of other stages that are options; the files decide the rest."""


def sections() -> Sections:
    """The settings that are options of `align`, by section."""
    from bridgeviz.experiments import settings

    groups: dict[str, dict[str, Any]] = {OPTIONS: {}, **{stage.capitalize(): {} for stage in STAGES}}
    for setting in settings():
        name, kind = setting.name, setting.option.kind
        if setting.part is not None and isinstance(kind, PairOf):
            name = f"{name}_{kind.parts[setting.part]}"
        if setting.stage in STAGES:
            known = replace(setting, default=COST) if name == "cost" else setting
            groups[setting.stage.capitalize()][name] = known
        elif name in ALSO:
            groups[OPTIONS][name] = setting
    return groups


@click.command(cls=SettingsCommand, sections=sections)
@click.argument("source", type=FILE)
@click.argument("target", type=FILE)
@click.option(
    "--pairs",
    type=FILE,
    help="Columns source,target: row numbers or names. Some costs, such as procrustes_bridge, can do without.",
)
@click.option(
    "--test-pairs", type=FILE, help="Pairs for evaluation only, as --pairs: FOSCTTM and recall in the report."
)
@click.option("--source-labels", type=FILE, help="One label per row, in a FILE or in FILE::COLUMN.")
@click.option("--target-labels", type=FILE, help="One label per row, in a FILE or in FILE::COLUMN.")
@click.option("--source-weights", type=FILE, help="One weight >= 0 per row of SOURCE, as --source-labels.")
@click.option("--target-weights", type=FILE, help="One weight >= 0 per row of TARGET, as --target-labels.")
@click.option("--forbid", type=FILE, help="Matches that may carry no mass, as --pairs.")
@click.option("--forbid-classes", type=FILE, help="Classes that may not match: columns source,target of labels.")
@click.option("--out", required=True, type=FILE, help="Folder for the result.")
@click.option(
    "--cost-option",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the cost, such as k=5 or gamma=0.1,0.2; repeatable.",
)
@click.option("--restart", is_flag=True, help="Discard the checkpoints of an interrupted training.")
@click.option("--anew", is_flag=True, hidden=True)
@click.option("--devices", type=INTEGER, help="Devices of each process that share each batch; one by default.")
@click.option(
    "--coordinator", metavar="HOST:PORT", help="Address of the first of several processes that train together."
)
@click.option("--num-processes", type=INTEGER, help="Number of these processes.")
@click.option("--process-id", type=INTEGER, help="Number of this process, from 0. Process 0 writes the result.")
@click.pass_context
def align(
    ctx: click.Context, source: str, target: str, pairs: str | None, test_pairs: str | None, source_labels: str | None,
    target_labels: str | None, source_weights: str | None, target_weights: str | None, forbid: str | None,
    forbid_classes: str | None, out: str, cost_option: tuple[str, ...], restart: bool, anew: bool, devices: int | None,
    coordinator: str | None, num_processes: int | None, process_id: int | None,
) -> None:  # fmt: skip
    """Couple SOURCE with TARGET and learn the flow between them.

    SOURCE and TARGET have one row per sample: .npy, .npz, .csv, .tsv, .parquet, .feather, .arrow, .safetensors, .h5ad
    or .h5mu. FILE::KEY is one of several matrices in a file, such as cells.h5ad::obsm/X_pca.

    Checkpoints of the training are kept in OUT.training until the result is written. After an interruption, the same
    command resumes the training.
    """
    from bridgeviz.cli._bar import TrainingBar
    from bridgeviz.datasets import files
    from bridgeviz.experiments import RESULT_FILES

    leads = _join(coordinator, num_processes, process_id)
    folder = check_folder(out, holds=RESULT_FILES)
    checkpoints = folder.with_name(f"{folder.name}.training")
    more = {
        "source_labels": source_labels, "target_labels": target_labels, "source_weights": source_weights,
        "target_weights": target_weights, "forbidden": forbid, "forbidden_classes": forbid_classes,
    }  # fmt: skip
    for path in filter(None, (source, target, pairs, test_pairs, *more.values())):
        if files.location(path).is_relative_to(folder):
            raise InputError(f"The output folder {folder} must not hold the input {path}, which the result replaces.")
    if leads:  # the others would only see its lock
        bv.flows.check_checkpoints(checkpoints)
    config = _config(ctx, cost_option)
    if pairs is None:
        config = _without_pairs(config)
    inputs = files.read_problem(source, target, pairs, **more)
    problem, index = inputs.problem, inputs.pairs
    if test_pairs is not None:
        problem = replace(problem, truth=_test_pairs(test_pairs, inputs))
    mesh = None if devices is None and coordinator is None else bv.flows.mesh(devices)
    if (restart or anew) and leads:
        bv.flows.forget(checkpoints)
    with TrainingBar(config.flow, config.coupling.pace(), shown=leads) as bar:
        try:
            run = bv.run(
                config, problem=problem, pairs=index, on_progress=bar.show, on_recommend=bar.show_choice,
                on_coupling=bar.show_coupling, checkpoints=checkpoints, mesh=mesh,
            )  # fmt: skip
        except bv.flows.Stale as error:
            raise InputError(f"{error} The option --restart deletes it.") from error
    if leads:
        _write(run, out)
        bv.flows.forget(checkpoints)


def _write(run: Run, out: str) -> None:
    """Write the result of a run to the folder `out`, and say what it is."""
    from bridgeviz.cli._bar import transport_bar
    from bridgeviz.experiments import save

    with transport_bar() as moved:
        report = save(run, out, on_transport=moved)
    if run.recommendation is not None:
        click.echo(run.recommendation.reason, err=True)
    if run.plan.effort:
        click.echo(run.plan.effort, err=True)
    if report["advice"]:
        click.echo(f"Warning: {report['advice']}", err=True)
    accuracy, foscttm = report["matching_accuracy"], report["metrics"].get("plan_foscttm")
    judged = [] if accuracy is None else [f"matching accuracy {accuracy:.3f}"]
    judged += [] if foscttm is None else [f"FOSCTTM {foscttm:.3f} of the test pairs"]
    quality = ", ".join(judged) or "no labels and no test pairs to evaluate it with"
    click.echo(f"Aligned {report['n']} x {report['m']} points from {report['l']} pairs: {quality}. Result in {out}")


def _config(ctx: click.Context, cost_option: tuple[str, ...]) -> bv.RunConfig:
    """The settings of the run that the options describe."""
    options = _cost_options(cost_option)
    try:
        config = bv.RunConfig(
            dataset="yours", fraction=1.0, cost_options=options, **({"cost": COST} | flat_values(ctx))
        )
    except InputError as error:  # it names the option instead of the argument of a function
        text = re.sub(r"'(\w+)' of RunConfig\(\)", lambda name: f"'{name[1].replace('_', '-')}' of align()", str(error))
        raise InputError(text) from error
    for name, value in options.items():
        if getattr(config.cost, name) != value:
            raise check.fail("cost-option", "align", "the only option for what it sets", f"{name}={value}")
    refuse_unread(ctx, but=("strategy",))  # so that one set of options serves for a comparison of strategies
    known, passed = known_settings(ctx), passed_settings(ctx)
    texts = {setting.key: passed.get(name, setting.default) for name, setting in known.items()}
    unused = [f"--{name.replace('_', '-')}" for name in passed if not known[name].applies(texts)]
    if unused:
        click.echo(f"Note: the strategy '{config.strategy}' does not use {', '.join(unused)}.", err=True)
    return config


def _without_pairs(config: bv.RunConfig) -> bv.RunConfig:
    """The same settings with no pairs, if they allow that."""
    if config.needs_pairs:
        able = ", ".join(name for name, cost in bv.costs.COSTS.items() if not cost.needs_pairs)
        reason = (
            f"with cost '{config.cost.name}'" if config.coupling.uses_cost else f"with strategy '{config.strategy}'"
        )
        raise InputError(
            f"align() needs --pairs {reason}. Pass rows that are known to correspond. Without any, choose a cost that "
            f"needs none ({able}) and strategy 'global'."
        )
    return config.replace(count=0)


def _cost_options(texts: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE, where the value is an integer, a number, a word, or several of them with commas between."""
    options: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise check.fail("cost-option", "align", "NAME=VALUE, such as k=5", repr(text))
        parts = [_value(part.strip()) for part in value.strip("()[]").split(",")]
        options[name] = parts[0] if len(parts) == 1 else tuple(parts)
    return options


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _test_pairs(path: str, inputs: Inputs) -> np.ndarray:
    """The pairs for evaluation, none of which may be among those to learn from."""
    from bridgeviz.datasets import files

    test = files.read_pairs(path, inputs.problem.shape, names=inputs.names)
    if both := {tuple(pair) for pair in test.tolist()} & {tuple(pair) for pair in inputs.pairs.tolist()}:
        row, column = min(both)
        expected = "without the pairs to learn from"
        raise check.fail("test-pairs", "align", expected, f"({row}, {column}), and {len(both)} in both files")
    return test


def _join(coordinator: str | None, num_processes: int | None, process_id: int | None) -> bool:
    """Join the other processes, if there are any; returns whether this one writes the result."""
    arguments = {"coordinator": coordinator, "num-processes": num_processes, "process-id": process_id}
    missing = [name for name, value in arguments.items() if value is None]
    if len(missing) == len(arguments):
        return True
    if missing:
        raise check.fail(missing[0], "align", "given with the other two options of several processes", None)
    num_processes = check.count(num_processes, "num-processes", "align")
    process_id = check.count(process_id, "process-id", "align", least=0, most=num_processes - 1)
    import jax

    try:
        jax.distributed.initialize(coordinator, num_processes=num_processes, process_id=process_id)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0][:120]
        raise InputError(
            f"The 'coordinator' of align() must be the HOST:PORT of process 0. Got {coordinator!r} instead ({reason})."
        ) from error
    return process_id == 0
