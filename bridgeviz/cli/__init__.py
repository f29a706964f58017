"""The command line: `bridgeviz ...`, also `python -m bridgeviz ...`.

Each command imports what it needs when it runs, so that `bridgeviz --help` answers at once.
"""

from __future__ import annotations

import os
import sys

import click

import bridgeviz as bv
from bridgeviz import _interrupt
from bridgeviz._checks import InputError
from bridgeviz.cli._align import align
from bridgeviz.cli._app import app
from bridgeviz.cli._check import check
from bridgeviz.cli._data import features, fetch, list_datasets, pretrain
from bridgeviz.cli._experiments import bench, figure, gallery, sweep
from bridgeviz.cli._transport import transport

_NO_MEMORY = "There is not enough memory. Use a sample of the rows, or --strategy local."

_OF_MEMORY = ("RESOURCE_EXHAUSTED", "Out of memory", "bad_alloc")
"""What JAX says if it cannot allocate an array."""

COMMANDS = (align, check, transport, list_datasets, fetch, pretrain, features, bench, figure, gallery, sweep, app)


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bv.__version__, prog_name="bridgeviz")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Align two latent spaces from a few paired samples, and see why it works or fails."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)


for _command in COMMANDS:
    cli.add_command(_command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; bad input ends with status 2 and one sentence, never with a traceback."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        code = cli.main(arguments, prog_name="bridgeviz", standalone_mode=False)
    except click.ClickException as error:
        code = _report(error.format_message(), 2)
    except InputError as error:
        code = _report(str(error), 2)
    except MemoryError:
        code = _report(_NO_MEMORY, 2)
    except (click.Abort, KeyboardInterrupt):
        code = _report(_interrupt.TEXT, _interrupt.STATUS)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        where = "" if error.filename is None else f": {error.filename}"
        code = _report(f"{reason}{where}. No result was written.", 1)
    except bv.TrainingError as error:
        code = _report(str(error), 1)
    except RuntimeError as error:
        if not any(text in str(error) for text in _OF_MEMORY):
            raise
        code = _report(_NO_MEMORY, 2)
    sys.exit(code if isinstance(code, int) else 0)


def _report(text: str, code: int) -> int:
    """Print one line to stderr; returns the exit status."""
    click.echo("bridgeviz: " + " ".join(text.split()), err=True)
    return code
