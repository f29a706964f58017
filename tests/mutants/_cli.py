"""Mutants of the command line."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "command line: bad input ends with 1",
        "bridgeviz/cli/__init__.py",
        "    except InputError as error:\n        code = _report(str(error), 2)",
        "    except InputError as error:\n        code = _report(str(error), 1)",
        "cli/test_options.py::test_options_that_are_not_read_are_refused",
    ),
    Mutant(
        "command line: alpha of the linear solver is accepted silently",
        "bridgeviz/cli/_align.py",
        'refuse_unread(ctx, but=("strategy",))',
        "pass",
        "cli/test_options.py::test_options_that_are_not_read_are_refused",
    ),
    Mutant(
        "command line: every process writes the result",
        "bridgeviz/cli/_align.py",
        "    if leads:\n        _write(run, out)\n",
        "    _write(run, out)\n    if leads:\n",
        "flows/test_parallel.py::test_two_processes_of_the_command_line_write_the_result_of_one",
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
        "cli/test_options.py::test_each_side_has_its_own_tau_and_auto_is_the_default",
    ),
    Mutant(
        "command line: auto replaces each cost's own metric",
        "bridgeviz/cli/_settings.py",
        "if setting.varies and text == setting.word:",
        "if False:",
        "cli/test_options.py::test_each_side_has_its_own_tau_and_auto_is_the_default",
    ),
    Mutant(
        "command line: options of another ODE solver are accepted",
        "bridgeviz/cli/_transport.py",
        "    refuse_unread(ctx)\n",
        "",
        "cli/test_options.py::test_options_of_another_ode_solver_are_refused",
    ),
    Mutant(
        "command line: an unused option is not mentioned",
        "bridgeviz/cli/_align.py",
        "    if unused:",
        "    if False:",
        "cli/test_options.py::test_the_strategy_may_leave_options_unread_and_says_so",
    ),
]
