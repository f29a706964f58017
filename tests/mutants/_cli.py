"""Mutants of the command line."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "command line: bad input ends with 1",
        "bridgeviz/cli/__init__.py",
        "    except InputError as error:\n        code = _report(str(error), 2)",
        "    except InputError as error:\n        code = _report(str(error), 1)",
        "cli",
    ),
    Mutant(
        "command line: alpha of the linear solver is accepted silently",
        "bridgeviz/cli/_align.py",
        'refuse_unread(ctx, but=("strategy",))',
        "pass",
        "cli",
    ),
    Mutant(
        "command line: every process writes the result",
        "bridgeviz/cli/_align.py",
        "    if leads:\n        _write",
        "    if True:\n        _write",
        "flows/test_parallel.py",
    ),
    Mutant(
        "command line: the checkpoints stay",
        "bridgeviz/cli/_align.py",
        "        _write(run, out)\n        bv.flows.forget(checkpoints)",
        "        _write(run, out)",
        "cli/test_align.py",
    ),
    Mutant(
        "command line: both taus are the source's",
        "bridgeviz/cli/_settings.py",
        "pair[setting.part] = value",
        "pair[0] = value",
        "cli",
    ),
    Mutant(
        "command line: auto replaces each cost's own metric",
        "bridgeviz/cli/_settings.py",
        "if setting.varies and text == setting.word:",
        "if False:",
        "cli",
    ),
    Mutant(
        "command line: options of another ODE solver are accepted",
        "bridgeviz/cli/_transport.py",
        "    refuse_unread(ctx)\n",
        "",
        "cli",
    ),
    Mutant(
        "command line: an unused option is not mentioned",
        "bridgeviz/cli/_align.py",
        "    if unused:",
        "    if False:",
        "cli",
    ),
]
