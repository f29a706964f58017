"""The command line: `bridgeviz ...`, also `python -m bridgeviz ...`."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

import bridgeviz as bv
from bridgeviz import _checks as check
from bridgeviz import datasets
from bridgeviz._checks import InputError
from bridgeviz._files import check_array_path, check_folder, write_array
from bridgeviz.costs import COSTS, METRICS
from bridgeviz.datasets import files
from bridgeviz.experiments import AUTO, SOLVERS, STRATEGIES, report
from bridgeviz.flows import PRECISIONS, VELOCITIES
from bridgeviz.flows.transport import SOLVERS as ODE_SOLVERS


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bv.__version__, prog_name="bridgeviz")
def cli() -> None:
    """Align two latent spaces from a few paired samples, and see why it works or fails."""


@cli.command()
@click.argument("source", type=click.Path())
@click.argument("target", type=click.Path())
@click.option("--pairs", required=True, type=click.Path(), help="CSV with columns source,target, or .npy (l, 2).")
@click.option("--source-labels", type=click.Path(), help="One label a row: .npy, .txt or .csv.")
@click.option("--target-labels", type=click.Path(), help="One label a row: .npy, .txt or .csv.")
@click.option("--strategy", default="global", show_default=True, help=", ".join(STRATEGIES))
@click.option("--cost", default="bridge", show_default=True, help=", ".join((*COSTS, AUTO)))
@click.option("--cost-option", multiple=True, metavar="NAME=VALUE", help="Of the cost, such as k=5; repeatable.")
@click.option("--metric", help=", ".join(METRICS) + "; the cost's own if left out.")
@click.option("--solver", default="linear", show_default=True, help=", ".join(SOLVERS))
@click.option("--alpha", type=float, help="Of fgw, in [0, 1]: 0 is linear, 1 is Gromov-Wasserstein; 0.5 if left out.")
@click.option("--epsilon", type=float, help="Entropy regularisation, > 0; the cost's own default if left out.")
@click.option("--tau-x", type=float, default=1.0, show_default=True, help="In (0, 1]; 1 keeps the source's marginal.")
@click.option("--tau-y", type=float, default=1.0, show_default=True, help="In (0, 1]; 1 keeps the target's marginal.")
@click.option("--ot-batch-size", type=int, help="Of strategy local: rows a batch's transport is solved on.")
@click.option("--velocity", default="adaln-small", show_default=True, help=", ".join(VELOCITIES))
@click.option("--steps", type=int, default=4000, show_default=True, help="Training steps.")
@click.option("--batch-size", type=int, default=256, show_default=True)
@click.option("--learning-rate", type=float, default=1e-3, show_default=True)
@click.option("--ema", type=float, help="Decay of an average of the weights, such as 0.999; off if left out.")
@click.option("--reweight/--no-reweight", default=None, help="Learn the mass each point keeps; on if tau is below 1.")
@click.option("--precision", default="float32", show_default=True, help=", ".join(PRECISIONS) + " (for GPUs)")
@click.option("--reverse", is_flag=True, help="Carry TARGET to SOURCE instead.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--devices", type=int, help="Share each batch among so many devices of each process; one if left out.")
@click.option("--coordinator", help="HOST:PORT of the first of several processes that train together.")
@click.option("--process-id", type=int, help="Which of them this is, from 0; the first one writes the result.")
@click.option("--num-processes", type=int, help="How many there are.")
@click.option("--anew", is_flag=True, help="Forget the checkpoints of an earlier try that did not come to its end.")
@click.option("--out", required=True, type=click.Path(), help="Folder for the result.")
def align(source: str, target: str, pairs: str, out: str, **given: Any) -> None:
    """Couple SOURCE with TARGET (.npy, .npz, .csv or .parquet, one row a sample) and learn the flow between them.

    The state of the training is kept in OUT.training until the result is written: the same command after a crash goes
    on from there.
    """
    together = {name: given.pop(name) for name in ("coordinator", "process_id", "num_processes")}
    devices, anew = given.pop("devices"), given.pop("anew")
    leads = _join(together)
    check_folder(out, holds=report.HOLDS)
    kept = Path(f"{Path(out).resolve()}.training")
    alpha = given.pop("alpha")
    if given["solver"] == "linear" and alpha:
        raise InputError(
            f"The 'alpha' must be 0 with solver 'linear', which has no Gromov-Wasserstein term. Got {alpha}."
        )
    if given["solver"] == "fgw" and alpha is not None:
        given["alpha"] = alpha
    given["cost_options"] = _options(given.pop("cost_option"))
    labels = {side: given.pop(f"{side}_labels") for side in ("source", "target")}
    tau = (given.pop("tau_x"), given.pop("tau_y"))
    config = bv.RunConfig(dataset="yours", fraction=1.0, tau=tau, **given)
    spaces = {}
    for side, path in (("source", source), ("target", target)):
        x = files.read_matrix(path)
        spaces[side] = bv.Space(x, labels=None if labels[side] is None else files.read_labels(labels[side], len(x)))
    problem = bv.Problem(**spaces)
    index = files.read_pairs(pairs, problem.shape)
    mesh = None
    if devices is not None or together["coordinator"] is not None:
        mesh = bv.flows.mesh(devices)
    quiet = None if leads else True
    if anew and leads:
        bv.flows.forget(kept)
    with tqdm(total=config.steps, desc="training", unit="step", disable=quiet, leave=False) as bar:
        told: set[str] = set()

        def show(progress: Any) -> None:
            if not told and len(progress.losses) > config.flow().chunk_size:
                bar.write(f"Goes on at step {progress.step:,} of an earlier try.", file=sys.stderr)
            if progress.notice not in (*told, ""):
                bar.write(progress.notice, file=sys.stderr)
            told.add(progress.notice)
            bar.set_description("training", refresh=False)
            bar.update(progress.step - bar.n)
            bar.set_postfix(loss=f"{progress.losses.mean():.3f}", refresh=False)

        def count(done: int, total: int) -> None:
            bar.set_description(f"choosing a cost, {done} of {total}", refresh=True)

        try:
            run = bv.run(
                config, problem=problem, pairs=index, on_progress=show, on_recommend=count, checkpoints=kept, mesh=mesh
            )
        except bv.flows.Stale as error:
            raise InputError(f"{error} The option --anew deletes it.") from error
    if not leads:
        return
    contents = report.save(run, out)
    bv.flows.forget(kept)
    if run.recommendation is not None:
        click.echo(run.recommendation.reason, err=True)
    if contents["advice"]:
        click.echo(f"Warning: {contents['advice']}", err=True)
    accuracy = contents["matching_accuracy"]
    judged = "no labels to judge by" if accuracy is None else f"matching accuracy {accuracy:.3f}"
    click.echo(
        f"Aligned {contents['n']} x {contents['m']} points from {contents['l']} pairs: {judged}. Result in {out}"
    )


def _join(together: dict[str, Any]) -> bool:
    """Join the other processes, if there are any; whether this one writes the result."""
    given = [name for name, value in together.items() if value is not None]
    if not given:
        return True
    if len(given) < len(together):
        missing = next(name for name in together if name not in given).replace("_", "-")
        raise InputError(f"The '{missing}' of align() must be given with the other two of several processes. Got None.")
    check.count(together["num_processes"], "num-processes", "align")
    check.count(together["process_id"], "process-id", "align", least=0, most=together["num_processes"] - 1)
    import jax

    try:
        jax.distributed.initialize(
            together["coordinator"], num_processes=together["num_processes"], process_id=together["process_id"]
        )
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0][:120]
        raise InputError(
            f"The 'coordinator' of align() must be the HOST:PORT of process 0. Got {together['coordinator']!r} instead "
            f"({reason})."
        ) from error
    return together["process_id"] == 0


def _options(given: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE, the value a whole number, a number or a word."""
    found: dict[str, Any] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not (name and equals and text):
            raise InputError(f"The 'cost-option' of align() must be NAME=VALUE, such as k=5. Got {one!r} instead.")
        value: Any = text
        for kind in (int, float):
            with suppress(ValueError):
                value = kind(text)
                break
        found[name] = value
    return found


@cli.command()
@click.argument("directory", type=click.Path())
@click.argument("new_source", type=click.Path())
@click.option("--seed", type=int, default=0, show_default=True, help="Of the noise.")
@click.option("--ode-solver", default="heun", show_default=True, help=", ".join(ODE_SOLVERS))
@click.option("--ode-steps", type=int, default=20, show_default=True, help="Of heun and rk4.")
@click.option("--samples", type=int, help="Draw each point so often: the file is then (samples, rows, dimensions).")
@click.option("--out", required=True, type=click.Path(), help="A .npy file.")
def transport(
    directory: str, new_source: str, seed: int, ode_solver: str, ode_steps: int, samples: int | None, out: str
) -> None:
    """Carry the rows of NEW_SOURCE to the target space with the flow that `align` left in DIRECTORY."""
    check_array_path(out)
    flow = bv.Flow.load(Path(directory) / "flow")
    x = files.read_matrix(new_source)
    how: dict[str, Any] = {"seed": seed, "solver": ode_solver, "steps": ode_steps}
    moved = flow.transport(x, **how).states[-1] if samples is None else flow.draws(x, samples=samples, **how).points
    write_array(out, moved.astype("float32"))
    click.echo(f"Carried {moved.shape[-2]} points to {moved.shape[-1]} dimensions: {out}")


@cli.command(name="datasets")
def list_datasets() -> None:
    """List the datasets that `load` knows, and their options."""
    for name, title, options in datasets.describe():
        listed = ", ".join(f"{k}={v!r}" for k, v in options.items())
        click.echo(f"{name:<12}{title}\n{'':<12}options: {listed}")


@cli.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Download the raw files of a dataset, or find them in BRIDGEVIZ_DATA, and check their contents."""
    folder = datasets.fetch(name)
    click.echo(f"{name}: complete in {folder}" if folder else f"{name}: nothing to fetch, it comes with bridgeviz")


@cli.command()
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="Folder; the project's data/ or the cache if left out.")
def pretrain(name: str, out: Path | None) -> None:
    """Train the frozen models of a dataset; write weights, latents and model card."""
    bar: tqdm | None = None
    for what, step, steps, loss in datasets.pretrain(name, out):
        if bar is None or bar.desc != what:
            if bar is not None:
                bar.close()
            bar = tqdm(total=steps, unit="step")
            bar.desc = what
        bar.update(step - bar.n)
        bar.set_postfix(loss=f"{loss:.2f}", refresh=False)
    if bar is not None:
        bar.close()
    click.echo(f"{name}: written to {out or datasets.paths.home(name)}")


@cli.command()
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="Folder; the project's data/ or the cache if left out.")
def features(name: str, out: Path | None) -> None:
    """Run the frozen encoders of a dataset: the sentences of tiny-imagenet's class names."""
    for line in datasets.features(name, out):
        click.echo(line)
    click.echo(f"{name}: written to {out or datasets.paths.home(datasets.DATASETS[name])}")


@cli.command()
@click.argument("name")
@click.option("--seeds", type=int, default=5, show_default=True)
def bench(name: str, seeds: int) -> None:
    """Measure a named benchmark, write it to data/benchmarks/ and its table to the README."""
    from bridgeviz.experiments import bench as benchmarks

    for line in benchmarks.measure(name, seeds=seeds):
        click.echo(line)


@cli.command()
@click.argument("number", type=int)
@click.option("--dataset", default="mnist", show_default=True, help="mnist, tiny-imagenet; Fig. 15 has its own.")
@click.option("--seeds", type=int, default=5, show_default=True)
def figure(number: int, dataset: str, seeds: int) -> None:
    """Measure one of the paper's figures, write it to data/benchmarks/ and its table to the README."""
    from bridgeviz.experiments import figures

    for line in figures.measure(number, dataset=dataset, seeds=seeds):
        click.echo(line)


@cli.command()
@click.argument("names", nargs=-1)
def gallery(names: tuple[str, ...]) -> None:
    """Make the finished alignments that the app opens on (all of them, or NAMES)."""
    from bridgeviz.viz import gallery as pictures

    for line in pictures.make_all(names=list(names) or None):
        click.echo(line)


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("streamlit_options", nargs=-1, type=click.UNPROCESSED)
def app(streamlit_options: tuple[str, ...]) -> None:
    """Open the app in a browser. Further options go to `streamlit run`, such as --server.port 8600."""
    home = datasets.paths.shipped().parent
    script = home / "app.py" if (home / "app.py").is_file() else home / "_app" / "app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(script), *streamlit_options]
    sys.exit(subprocess.call(command, cwd=script.parent))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; bad input ends with status 2 and one sentence, never with a traceback."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        code = cli.main(arguments, prog_name="bridgeviz", standalone_mode=False)
    except click.ClickException as error:
        code = _say(error.format_message(), 2)
    except InputError as error:
        code = _say(str(error), 2)
    except bv.TrainingError as error:
        code = _say(str(error), 1)
    except MemoryError:
        code = _say("There is not enough memory for this. Give a sample of the rows, or --strategy local.", 2)
    except (click.Abort, KeyboardInterrupt):
        code = _say("Stopped: no result was written. A training goes on when asked again.", 130)
    except OSError as error:
        code = _say(f"{error.strerror or type(error).__name__}: {error.filename or ''}. No result was written.", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _say(text: str, code: int) -> int:
    click.echo("bridgeviz: " + " ".join(text.split()), err=True)
    return code
