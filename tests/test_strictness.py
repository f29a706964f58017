"""A strict run must not let a skip pass; the shape checker must see a wrong shape."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float, TypeCheckError, jaxtyped
from shape_checker import check_shapes

import bridgeviz as bv

HERE = Path(__file__).parent

SKIPPING = """
import pytest

def test_passes():
    pass

@pytest.mark.skip(reason="no reason at all")
def test_skips():
    pass

@pytest.mark.data
def test_data():
    assert False, "only with data"
"""

# conftest.py without the library: the rules on skips, and nothing that takes time to import.
RULES = HERE.joinpath("conftest.py").read_text()


def run_pytest(folder: Path, **env: str) -> str:
    folder.joinpath("pytest.ini").write_text("[pytest]\nmarkers =\n    data: larger data\n")
    folder.joinpath("shape_checker.py").write_text(HERE.joinpath("shape_checker.py").read_text())
    library = {"__init__.py": "Problem = object\n", "viz/__init__.py": "", "viz/figure.py": ""}
    for name, text in library.items():
        folder.joinpath("bridgeviz", name).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath("bridgeviz", name).write_text(text)
    folder.joinpath("conftest.py").write_text(RULES)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("BRIDGEVIZ_") and not k.startswith("PYTEST")}
    kept["PYTHONPATH"] = str(folder)
    out = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", str(folder)],
        capture_output=True, text=True, env=kept | env, cwd=folder, check=False,
    )  # fmt: skip
    return out.stdout + out.stderr


def test_skips_are_failures_only_in_a_strict_run(tmp_path):
    tmp_path.joinpath("test_some.py").write_text(SKIPPING)
    assert "1 passed, 2 skipped" in run_pytest(tmp_path)
    strict = run_pytest(tmp_path, BRIDGEVIZ_STRICT="1")
    assert "1 passed, 1 skipped, 1 error" in strict
    assert "this test was skipped: Skipped: no reason at all" in strict
    tmp_path.joinpath("test_module.py").write_text("import pytest\npytest.importorskip('no_such_package_here')\n")
    module = run_pytest(tmp_path, BRIDGEVIZ_STRICT="1", BRIDGEVIZ_DATA=str(tmp_path))
    assert "test_module.py was skipped" in module
    assert "1 error" in module


def test_the_shape_checker_sees_shapes_and_leaves_the_rest():
    @jaxtyped(typechecker=check_shapes)
    def product(
        a: Float[np.ndarray, "n k"], b: Float[np.ndarray, "k m"], times: float = 1.0
    ) -> Float[np.ndarray, "n m"]:
        return np.tile(a @ b, int(times))

    assert product(np.ones((2, 3)), np.ones((3, 4)), "1").shape == (2, 4)
    with pytest.raises(TypeCheckError):
        product(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(TypeCheckError):
        product(np.ones((2, 3)), np.ones((3, 4)), 2.0)


def test_the_shapes_of_the_library_are_checked():
    from bridgeviz.flows._loss import interpolate

    with pytest.raises(TypeCheckError):
        bv.costs.Cost(
            "wrong", np.ones(3), np.ones((4, 5)), lambda a, b: a, *(bv.costs.as_cost(np.ones((3, 4)), "x"),) * 2
        )
    with pytest.raises(TypeCheckError):
        interpolate(np.ones((3, 2)), np.ones((3, 2)), np.ones(4))
