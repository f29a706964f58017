"""What the library and the command line import before there is something to compute."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "diffrax", "flax", "jax", "jaxlib", "ott", "optax", "orbax", "pandas", "plotly", "pooch", "pyarrow", "sklearn",
    "streamlit", "umap",
)  # fmt: skip

COMMAND = "from bridgeviz import cli\ntry:\n    cli.main({!r})\nexcept SystemExit as stop:\n    assert not stop.code"

PROGRAMS = {
    "import bridgeviz": "import bridgeviz",
    "bridgeviz --help": COMMAND.format(["--help"]),
    "bridgeviz datasets": COMMAND.format(["datasets"]),
    "bridgeviz align --help": COMMAND.format(["align", "--help"]),
    "bridgeviz transport --help": COMMAND.format(["transport", "--help"]),
    "every registry": (
        "import bridgeviz as bv\n"
        "registries = (bv.costs.COSTS, bv.couplings.SOLVERS, bv.couplings.STRATEGIES, bv.flows.VELOCITIES,\n"
        "    bv.flows.ODE_SOLVERS, bv.datasets.DATASETS, bv.baselines.BASELINES, bv.RunConfig().as_dict())\n"
        "assert all(registries)"
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_heavy_is_imported(name):
    """JAX and its company take a second or more to import."""
    report = f"\nimport sys\nprint('imported:', *sorted(set({HEAVY!r}) & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", PROGRAMS[name] + report], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines()[-1].strip() == "imported:"


def test_help_imports_no_room_of_the_library():
    """`bridgeviz --help` imports the command line, the checks and the options."""
    report = "\nimport sys\nprint('imported:', *sorted(m for m in sys.modules if m.startswith('bridgeviz.')))"
    process = subprocess.run(
        [sys.executable, "-c", PROGRAMS["bridgeviz --help"] + report], capture_output=True, text=True
    )
    imported = set(process.stdout.splitlines()[-1].split()[1:])
    allowed = (
        "bridgeviz.cli",
        "bridgeviz._arrays",
        "bridgeviz._checks",
        "bridgeviz._errors",
        "bridgeviz._memory",
        "bridgeviz._files",
        "bridgeviz._interrupt",
        "bridgeviz._lazy",
        "bridgeviz._options",
        "bridgeviz._kinds",
    )
    assert {name for name in imported if not name.startswith(allowed)} == set()
