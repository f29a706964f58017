"""What all tests share: shapes checked at every call, skips that count in strict runs, and a few small problems."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

# Programs that XLA has compiled once are found by all workers, subprocesses and later modules of this run.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="bridgeviz-compiled-")
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores: threads of XLA would only wait for each other
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import jax
import jaxtyping
import numpy as np
import pytest
from hypothesis import settings

# Before bridgeviz is imported: every function of these rooms checks the shapes in its annotations (shape_checker.py).
CHECKED = [f"bridgeviz.{room}" for room in ("costs", "couplings", "flows", "metrics", "baselines")]
jaxtyping.install_import_hook(CHECKED, "shape_checker.check_shapes")

import bridgeviz as bv  # noqa: E402
import bridgeviz.viz.figure  # noqa: E402

bridgeviz.viz.figure.VALIDATE = True  # Plotly checks every figure that a test draws

settings.register_profile("bridgeviz", deadline=None, derandomize=True, max_examples=25, database=None)
settings.load_profile("bridgeviz")

STRICT = bool(os.environ.get("BRIDGEVIZ_STRICT"))
DATA = os.environ.get("BRIDGEVIZ_DATA")
MOST_MAPS = 20_000
MOST_BYTES = 2 * 2**30


def pytest_collection_modifyitems(items):
    """Tests marked `data` need the larger data; without it they say so."""
    if DATA:
        return
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(pytest.mark.skip(reason="BRIDGEVIZ_DATA is not set: the larger data is not here"))


def _refuse(report, what: str) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"BRIDGEVIZ_STRICT is set, and {what} was skipped: {reason}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """In a strict run a skipped test is a failed one, unless it is for data that was never promised."""
    outcome = yield
    report = outcome.get_result()
    excused = item.get_closest_marker("data") and not DATA
    if STRICT and report.skipped and not excused and not hasattr(report, "wasxfail"):
        _refuse(report, "this test")


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    """The same for a whole module that skips itself while it is collected."""
    outcome = yield
    report = outcome.get_result()
    if STRICT and report.outcome == "skipped":
        _refuse(report, collector.nodeid)


@pytest.fixture(scope="module", autouse=True)
def few_programs():
    """Drop compiled programs before they use up the memory, or the 65,530 memory maps that Linux allows a process."""
    yield
    maps, pages = Path("/proc/self/maps"), Path("/proc/self/statm")
    if not maps.is_file():
        return
    resident = int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if resident > MOST_BYTES or len(maps.read_bytes().splitlines()) > MOST_MAPS:
        jax.clear_caches()
        gc.collect()


@pytest.fixture(scope="session")
def digits() -> bv.Problem:
    return bv.load("digits")


@pytest.fixture(scope="session")
def blobs() -> bv.Problem:
    return bv.load("blobs", n=120, classes=3, overlap=0.2)


@pytest.fixture(scope="module")
def small_networks():
    """The default network in a size that compiles and trains within a moment, where no test asks how good it is."""
    from bridgeviz.flows import VELOCITIES, AdaLN

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(VELOCITIES, "adaln-small", AdaLN(d=32, blocks=1))
        yield


@pytest.fixture(scope="module")
def few_draws():
    """A tenth of the draws from which a local plan estimates its numbers, where no test asks how exact they are."""
    from bridgeviz.couplings import _local_coupling

    with pytest.MonkeyPatch.context() as patch:
        for name in ("DRAWS", "SAMPLES"):
            patch.setattr(_local_coupling, name, getattr(_local_coupling, name) // 10)
        yield


@pytest.fixture
def few_costs(monkeypatch):
    """A cost is chosen between the fallback and one other, where no test asks how many are compared."""
    from bridgeviz.experiments import _recommend

    every = _recommend.candidates
    monkeypatch.setattr(_recommend, "candidates", lambda *about: every(*about)[:2])


@pytest.fixture(scope="module")
def one_search():
    """Streamlit reads the metadata of every installed package for each page that a test opens; here it does so once."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="module")
def tiny_velocity():
    """A velocity field small enough to compile and train within a test, under the name "tiny"."""
    from bridgeviz.flows import VELOCITIES, AdaLN

    VELOCITIES["tiny"] = AdaLN(d=32, blocks=2)
    yield
    del VELOCITIES["tiny"]


def make_spaces(seed: int, n: int, m: int, p: int, q: int, pairs: int):
    """Random (x, y, pairs), float64, with distinct pairs."""
    rng = np.random.default_rng(seed)
    flat = rng.choice(n * m, size=min(pairs, n * m), replace=False)
    return rng.normal(size=(n, p)), rng.normal(size=(m, q)), np.stack([flat // m, flat % m], axis=1)


@pytest.fixture(scope="session")
def spaces():
    """The function `make_spaces`."""
    return make_spaces
