"""Sweeps: every cell once, whatever dies; the table of a disturbed sweep is that of an undisturbed one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import ModuleType

import dask
import distributed
import pandas as pd
import psutil
import pytest

import bridgeviz as bv
from bridgeviz.experiments.benchmarks._sweep_scale import STEPS, SweepScale
from bridgeviz.experiments.sweeps import TABLE, Grid, Workers, _cluster, _sweep, sweep, table
from bridgeviz.experiments.sweeps._cells import KEPT, Recent, result_path, run_cells
from bridgeviz.experiments.sweeps._cluster import in_order, threads

pytestmark = [
    # Processes of Dask end while sockets and event loops are still open.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SETTINGS = {"dataset": "blobs", "options": {"n": 100}, "steps": 20, "batch_size": 32}
PLANS = Grid(settings=SETTINGS, grid={"fraction": [0.1, 0.2], "seed": [0, 1]}, until="coupling")
TOML = """
    until = "coupling"

    [settings]
    dataset = "blobs"
    options = {n = 100}

    [grid]
    fraction = [0.1, 0.2]
    seed = [0, 1, 2, 3]

    [[case]]
    name = "bridge"
    cost = "bridge"

    [[case]]
    name = "paths"
    cost = "knn"
    epsilon = 0.02
"""


def measured(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without what varies between two runs."""
    varying = [name for name in rows if name.startswith("seconds_")]
    return rows.drop(columns=varying)


def run(grid: Grid, folder: Path, **options) -> pd.DataFrame:
    """The table of a sweep with these workers."""
    *_, last = sweep(grid, folder, workers=Workers(**options))
    assert last.done == last.total == len({cell.key for cell in grid})
    return pd.read_parquet(folder / TABLE)


@pytest.fixture(scope="module", autouse=True)
def main_module():
    """A worker runs the main module of its parent; a test of the app may have left a page there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        yield


@pytest.fixture(scope="module")
def scheduler(main_module):
    """The address of a running scheduler with two workers, which keep what they have compiled."""
    options = {"n_workers": 2, "threads_per_worker": 1, "silence_logs": 50, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options, env=threads(2)) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def swept(tmp_path_factory, scheduler):
    """The folder of a finished sweep."""
    folder = tmp_path_factory.mktemp("swept") / "plans"
    run(PLANS, folder, scheduler=scheduler)
    return folder


def test_there_is_a_row_per_cell_with_its_settings_and_numbers(swept, small_networks):
    rows = pd.read_parquet(swept / TABLE)
    assert rows[["fraction", "seed"]].to_numpy().tolist() == [[0.1, 0], [0.1, 1], [0.2, 0], [0.2, 1]]
    assert {"cost", "matching_accuracy", "converged", "epsilon", "mass", "seconds_coupling", "key"} <= set(rows)
    assert "test_accuracy" not in rows
    result = bv.run(bv.RunConfig(**SETTINGS, fraction=0.2, seed=1))
    assert rows.matching_accuracy.iloc[-1] == pytest.approx(result.metrics["matching_accuracy"], abs=1e-6)
    stored = json.loads(result_path(swept, rows.key[0]).read_text())
    assert stored["config"]["fraction"] == 0.1


def test_a_second_start_runs_nothing_and_a_larger_grid_only_what_is_new(swept, scheduler, monkeypatch):
    before = {path: path.stat().st_mtime_ns for path in swept.glob("cells/*/*.json")}
    assert len(before) == 4
    with monkeypatch.context() as patch:
        patch.setattr(Workers, "client", lambda self: pytest.fail("workers were started"))
        assert len(run(PLANS, swept)) == 4
    larger = Grid(settings=SETTINGS, grid={"fraction": [0.1, 0.2], "seed": [0, 1, 2]}, until="coupling")
    assert len(run(larger, swept, scheduler=scheduler)) == 6
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not list(swept.glob("cells/*/*.lock"))


def test_whole_runs_have_the_numbers_of_the_flow(tmp_path, scheduler):
    grid = Grid(settings=SETTINGS | {"fraction": 0.1}, cases={"global": {}, "true pairs": {"strategy": "true"}})
    rows = run(grid, tmp_path / "runs", scheduler=scheduler)
    assert rows["case"].tolist() == ["global", "true pairs"]
    assert rows.test_accuracy.between(0, 1).all()
    assert (rows.seconds_training > 0).all()


def test_a_cell_that_cannot_run_is_said_and_the_others_go_on(tmp_path, scheduler):
    grid = Grid(settings=SETTINGS, grid={"fraction": [0.0001, 0.1]}, until="coupling")
    reports = list(sweep(grid, tmp_path / "some", workers=Workers(scheduler=scheduler)))
    failed = [line for report in reports for line in report.failed]
    assert len(failed) == 1
    assert "'fraction': 0.0001" in failed[0]
    assert "fraction" in failed[0].split(": ", 2)[2]
    assert table(grid, tmp_path / "some").fraction.tolist() == [0.1]


def children(parent: int) -> list[psutil.Process]:
    """The worker processes of a process."""
    every = psutil.Process(parent).children(recursive=True)
    return [one for one in every if "spawn_main" in " ".join(one.cmdline())]


def test_a_worker_that_is_killed_loses_nothing_and_runs_nothing_twice(swept, tmp_path):
    folder, times, killed = tmp_path / "killed", {}, False
    others = set(children(os.getpid()))
    grid = Grid(settings=SETTINGS, grid=PLANS.grid | {"seed": list(range(6))}, until="coupling")
    for report in sweep(grid, folder, workers=Workers(jobs=2)):
        if report.done >= 2 and not killed:
            killed = True
            times = {path: path.stat().st_mtime_ns for path in folder.glob("cells/*/*.json")}
            worker = next(one for one in children(os.getpid()) if one not in others)
            os.kill(worker.pid, signal.SIGKILL)
    assert killed
    assert report.done == 12
    assert {path: path.stat().st_mtime_ns for path in times} == times
    both = table(PLANS, folder), table(PLANS, swept)
    pd.testing.assert_frame_equal(*map(measured, both))


def command(folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "bridgeviz", "sweep", str(folder / "grid.toml"), *options]


@pytest.fixture
def described(tmp_path):
    """A folder with `grid.toml`, whose results go to `grid`."""
    (tmp_path / "grid.toml").write_text(textwrap.dedent(TOML))
    return tmp_path


def test_kill_9_of_the_client_loses_nothing(described, scheduler):
    process = subprocess.Popen(command(described, "--jobs", "2"), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(described.glob("grid/cells/*/*.json"))) < 3:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    workers = children(process.pid)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive
    finished = {path: path.stat().st_mtime_ns for path in described.glob("grid/cells/*/*.json")}
    assert 3 <= len(finished) < 16
    done = subprocess.run(command(described, "--jobs", "2"), capture_output=True, text=True, check=True, timeout=300)
    assert "16 rows" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    grid = Grid.read(described / "grid.toml")
    undisturbed = run(grid, described / "again", scheduler=scheduler)
    pd.testing.assert_frame_equal(measured(pd.read_parquet(described / "grid" / TABLE)), measured(undisturbed))


def test_a_full_disk_is_one_sentence_and_the_next_start_goes_on(described):
    limits = (
        "import resource, signal, runpy, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600, resource.RLIM_INFINITY)); sys.argv = sys.argv[1:]; "
        "runpy.run_module('bridgeviz', run_name='__main__', alter_sys=True)"
    )
    arguments = [sys.executable, "-c", limits, *command(described, "--jobs", "1")[2:]]
    full = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=300)
    assert full.returncode != 0
    assert "The results before it are kept; the same command goes on." in full.stderr.replace("\n", " ")
    assert "Traceback" not in full.stderr
    assert not list(described.glob("grid/cells/*/*.json"))
    done = subprocess.run(command(described, "--jobs", "1"), capture_output=True, text=True, check=True, timeout=300)
    assert "16 rows" in done.stdout


def test_workers_without_the_folder_give_their_results_to_the_client(tmp_path, scheduler):
    cell = next(iter(PLANS))
    with distributed.Client(scheduler) as client:
        tasks = [([cell], str(tmp_path / "there"), "the identity of a folder elsewhere")]
        (done,) = in_order(client, run_cells, tasks, ["elsewhere"])
    assert not (tmp_path / "there").exists()
    ((key, result),) = done.result
    assert key == cell.key
    folder = tmp_path / "here"
    folder.mkdir()
    assert _sweep._kept(done, [cell], folder) == (1, [])
    assert table(PLANS, folder).matching_accuracy.tolist() == [result["metrics"]["matching_accuracy"]]


def test_a_job_queue_starts_the_workers(tmp_path):
    described = {"cores": 1, "memory": "2GB", "processes": 1, "death-timeout": 60, "log-directory": str(tmp_path)}
    with dask.config.set({f"jobqueue.local.{name}": value for name, value in described.items()}):
        assert len(run(PLANS, tmp_path / "queued", jobqueue="local", jobs=1)) == 4


def test_what_workers_keep_is_bounded():
    recent = Recent()
    for number in range(20):
        for stage in (*KEPT, "training"):
            recent[stage, number] = number
    assert len(recent) == sum(KEPT.values())
    assert ("training", 19) not in recent
    assert recent["coupling", 19] == 19
    del recent["coupling", 19]
    assert ("coupling", 19) not in recent
    assert set(recent) == {(stage, number) for stage, kept in KEPT.items() for number in range(20 - kept, 20)} - {
        ("coupling", 19)
    }


def test_cells_that_share_work_follow_each_other():
    grid = Grid(
        settings=SETTINGS,
        grid={"epsilon": [0.01, 0.1], "seed": [0, 1]},
        cases={"one": {"velocity": "mlp-small"}, "two": {"velocity": "adaln-small"}},
    )
    keys = [cell.config.key("coupling") for cell in grid.cells]
    assert len(keys) == 8
    assert [keys.index(key) for key in keys] == [0, 0, 2, 2, 4, 4, 6, 6]
    seeds = [cell.config.seed for cell in grid.cells]
    assert seeds == [0, 0, 0, 0, 1, 1, 1, 1]


def test_two_combinations_of_the_same_settings_are_one_cell(tmp_path, scheduler):
    settings = SETTINGS | {"strategy": "true", "fraction": 0.1}
    grid = Grid(settings=settings, grid={"epsilon": [0.01, 0.1]}, until="coupling")
    assert len({cell.key for cell in grid}) == 1
    assert run(grid, tmp_path / "same", scheduler=scheduler).epsilon.tolist() == [0.01, 0.1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("until = 3", "'until', which is none of"),
        ("[grids]\nseed = [1]", "'grids', which is none of"),
        ("[grid]\nseed = 1", "'seed' of the grid.. must be a list of values"),
        ("[grid]\nseed = []", "'seed' of the grid.. must be a list of values"),
        ("[grid]\nsede = [1]", "sede"),
        ("[grid]\nfraction = [0.1, -2]", "'fraction' of RunConfig"),
        ("[settings]\nseed = 1\n[grid]\nseed = [1]", "'seed' is given twice"),
        ("[[case]]\ncost = 'knn'", "needs a name of its own"),
        ("until = 'cost'", "'until' of sweep"),
        ("[grid", "can't be read as TOML"),
    ],
)
def test_a_wrong_grid_is_refused_before_anything_runs(tmp_path, text, message):
    (tmp_path / "grid.toml").write_text(text)
    with pytest.raises(bv.InputError, match=message):
        Grid.read(tmp_path / "grid.toml")


def test_a_folder_with_anything_else_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(bv.InputError, match="must be new, empty, or that of a sweep"):
        next(sweep(PLANS, tmp_path))
    with pytest.raises(bv.InputError, match="can't be read as TOML: No such file"):
        Grid.read(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jobs": 0}, "'jobs' of sweep"),
        ({"jobqueue": "papyrus"}, "'jobqueue' of sweep.. must be one of"),
        ({"scheduler": "tcp://localhost:1", "jobs": 2}, "can't be asked for beside it"),
    ],
)
def test_wrong_workers_are_refused(options, message):
    with pytest.raises(bv.InputError, match=message):
        Workers(**options)


def test_nobody_at_the_scheduler_is_one_sentence(monkeypatch):
    monkeypatch.setattr(_cluster, "PATIENCE", 1)
    with (
        pytest.raises(bv.InputError, match="No Dask scheduler answers at tcp://localhost:9"),
        Workers(scheduler="tcp://localhost:9").client(),
    ):
        pass


def test_workers_divide_the_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert threads(1) == {}
    assert threads(2)["OMP_NUM_THREADS"] == "4"
    assert "intra_op_parallelism_threads=1" in threads(8)["XLA_FLAGS"]
    assert threads(16)["OMP_NUM_THREADS"] == "1"


def test_what_a_large_sweep_takes_is_measured(tmp_path):
    document = tmp_path / "page.md"
    document.write_text("<!-- bench sweeps -->\n<!-- end of bench sweeps -->\n")
    *_, text = SweepScale(sizes=(20,)).measure(folder=tmp_path, documents=[document])
    rows = pd.read_csv(tmp_path / "sweeps.csv")
    assert list(rows.step) == list(STEPS)
    assert (rows.seconds > 0).all()
    sizes = rows.set_index("step").bytes
    assert sizes["write"] > 20 * 500  # a result holds its settings
    assert sizes["table"] > 0
    assert "20 cells" in text
    assert text in document.read_text()
