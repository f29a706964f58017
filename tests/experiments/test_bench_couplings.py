"""The benchmark of couplings on tiny problems: its processes, rows and tables."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import bridgeviz as bv
from bridgeviz.experiments import benchmarks
from bridgeviz.experiments.benchmarks import BENCHMARKS, CouplingBenchmark
from bridgeviz.experiments.benchmarks import _coupling_data as data
from bridgeviz.experiments.benchmarks import _coupling_trials as trials
from bridgeviz.experiments.benchmarks import _fresh_process as fresh
from bridgeviz.experiments.benchmarks import _growth as growth
from bridgeviz.experiments.benchmarks import _machine as machines
from bridgeviz.experiments.benchmarks._coupling_cases import GROUPS, MACHINE, Case, Group
from bridgeviz.experiments.benchmarks._coupling_tables import outcome, tables
from bridgeviz.experiments.sweeps import Workers

GB, MB = 2**30, 2**20

MODULE = """
import os, subprocess, sys, time
from collections import namedtuple

Trial = namedtuple("Trial", "call report")

def allocate(n, megabytes):
    print("a library that prints")
    return Trial(lambda: bytearray(megabytes * 2**20), lambda result: {"iterations": n, "bytes": len(result)})

def fail(n):
    raise ValueError(f"{n} is not enough\\n(two lines)")

def die(n):
    os._exit(3)

def wait(n, file):
    nowhere = subprocess.DEVNULL  # it does not keep the pipes of this process open
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = subprocess.Popen(sleep, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    with open(file, "w") as out:
        out.write(str(child.pid))
    time.sleep(60)
"""


@pytest.fixture
def module(tmp_path, monkeypatch) -> ModuleType:
    """A module of trials that imports nothing large."""
    (tmp_path / "tiny_trials.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    import tiny_trials  # pyright: ignore

    return tiny_trials


@pytest.fixture
def groups(module) -> dict[str, Group]:
    """Three groups, of which one takes long."""
    return {
        MACHINE: Group(title="rates", cases=(Case(name="bytes", trial=module.allocate, expected={1: None},
                                                 options={"megabytes": 1}, repeats=2),)),
        "short": Group(title="a problem", cases=(
            Case(name="ours", trial=module.allocate, expected={40: 2.0, 80: 4.0}, options={"megabytes": 1}, repeats=1),
            Case(name="rival", trial=module.fail, expected={40: 1.0}, repeats=1),
        )),
        "slow": Group(title="another", long=True, cases=(Case(name="ours", trial=module.die, expected={40: 1.0}),)),
    }  # fmt: skip


def run(trial, *, seconds=30.0, memory=float(GB), repeats=1, **arguments):
    return fresh.measure_fresh(trial, {"n": 40, **arguments}, repeats=repeats, seconds=seconds, memory=memory)


def is_gone(process: int) -> bool:
    """Whether a process ends within a few seconds."""
    for _ in range(50):
        about = Path(f"/proc/{process}/stat")
        if not about.is_file() or about.read_text().rpartition(")")[2].split()[0] == "Z":  # nobody may wait for it
            return True
        time.sleep(0.1)
    return False


def test_a_larger_array_takes_more_memory(module):
    ballast = np.ones(300 * MB // 8)  # of this process, which is not that of the new one
    small, large = (run(module.allocate, megabytes=size) for size in (10, 200))
    assert 8 < small["gb_over"] * 1024 < 40
    assert 195 < large["gb_over"] * 1024 < 240
    assert large["gb_over"] < large["gb_total"] < 0.29 < ballast.nbytes / GB + 0.01
    assert (small["iterations"], small["bytes"], small["repeats"]) == (40, 10 * MB, 1)
    assert 0 < large["seconds_least"] <= large["seconds"]


def test_errors_and_limits_are_sentences(module, tmp_path):
    assert run(module.fail) == {"failed": "ValueError: 40 is not enough (two lines)"}
    assert run(module.die) == {"failed": "The process ended with status 3: no message"}
    file = tmp_path / "child"
    assert run(module.wait, file=str(file), seconds=1.2) == {"exceeded": "It took longer than 0.02 minutes."}
    assert is_gone(int(file.read_text()))
    waits = run(module.wait, file=str(file), memory=2 * MB)
    assert waits == {"exceeded": "It took more than 0.00195 GB of memory."}


def test_a_first_call_of_minutes_is_not_repeated(monkeypatch):
    monkeypatch.setattr(fresh, "PATIENCE", 0.0)
    monkeypatch.setattr(fresh, "_settle", lambda: 0)  # the peak of the test run is its own
    calls = []
    row = fresh._time(fresh.Trial(lambda: calls.append(1), lambda _: {}), repeats=5)
    assert (len(calls), row["repeats"]) == (1, 0)
    assert row["seconds"] == row["seconds_first"]


def test_what_is_held_is_not_measured_again(groups, tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text("<!-- bench couplings -->\nold\n<!-- end of bench couplings -->\n")
    benchmark = CouplingBenchmark(groups=groups)
    lines = list(benchmark.measure(folder=tmp_path, documents=[document]))
    names = [line.partition(":")[0] for line in lines[:-1]]
    assert names == ["machine, bytes, n 1", "short, ours, n 40", "short, ours, n 80", "short, rival, n 40"]
    text = document.read_text()
    assert "| rival | 40 | ValueError: 40 is not enough (two lines) |" in text
    assert "| ours | 40 | not measured |" in text  # of the long group
    assert "| slow: ours | " not in text
    assert "| short: ours | 40 | 80 |" in text

    again = list(benchmark.measure(folder=tmp_path, documents=[]))
    assert [line.partition(":")[0] for line in again[:-1]] == ["short, rival, n 40"]  # it failed
    slow = list(replace(benchmark, only="slow").measure(folder=tmp_path, documents=[]))
    assert [line.partition(":")[0] for line in slow[:-1]] == ["slow, ours, n 40"]
    assert "| rival | 40 | ValueError: 40 is not enough (two lines) |" in slow[-1]
    table = pd.read_csv(tmp_path / "couplings.csv")
    assert table.machine.str.contains("GB of memory; Python ").all()

    other = Case(name="ours", trial=groups["short"].cases[0].trial, expected={40: 2.0}, options={"megabytes": 2})
    changed = replace(benchmark, groups={**groups, "short": replace(groups["short"], cases=(other,))})
    assert not changed.ledger(tmp_path).holds({"group": "short", "case": "ours"})


def test_groups_are_chosen_by_name(groups):
    def measured(only):
        return replace(CouplingBenchmark(groups=groups), only=only).measured_groups

    assert measured(None) == [MACHINE, "short"]
    assert measured("slow, short") == [MACHINE, "short", "slow"]
    with pytest.raises(bv.InputError, match=r"'only' of bench\(\) must be one of 'machine', 'linear', 'min-plus'"):
        next(benchmarks.measure("couplings", only="linear,minplus"))
    with pytest.raises(bv.InputError, match=r"'workers' of measure\(\) must be left out for 'couplings': only 'costs'"):
        next(benchmarks.measure("couplings", workers=Workers(jobs=2)))
    long = {name for name, group in GROUPS.items() if group.long}
    assert long == {"merged", "factorised", "sharpening", "million", "sparse"}


def test_the_table_compares_with_ours_and_with_the_floor(groups):
    row = {"group": "short", "n": 40, "seconds_first": 9.0, "repeats": 5, "gb_over": 1.0, "gb_total": 2.0,
           "machine": "a machine", "iterations": 100, "marginal_error": 1e-4, "method": "dense"}  # fmt: skip
    rates = {**row, "group": MACHINE, "case": "bytes", "n": 1, "seconds": 3.0, "seconds_least": 2.0, "bytes": 8e9}
    ours = {**row, "case": "ours", "seconds": 2.0, "bytes": 4e9, "also": "own"}
    rival = {**row, "also": "", "case": "rival", "seconds": 5.0, "iterations_needed": 400.0}
    more = {**ours, "n": 80, "seconds": 16.0}
    lines = tables(pd.DataFrame([rates, ours, rival, more]), groups).splitlines()
    assert "| bytes | 4 GB/s |" in lines
    assert "| ours | 40 | 2 s | 1 | 9 s | 5 | 1 GB | 2 GB | 100 | 1.0e-04 | dense | 1 s | 2 | 2 s | own |" in lines
    assert "| rival | 40 | at least 20 s (50 ms per iteration) | 10 | 9 s | 5 | 1 GB | 2 GB | 100 |" in "\n".join(lines)
    assert "| short: ours | 40 | 80 | 3.00 |" in lines
    assert outcome({**rival, "iterations_needed": math.inf}) == "no convergence in 100 iterations of 50 ms"
    elsewhere = tables(pd.DataFrame([{**rates, "machine": "another"}, ours]), groups)
    assert "| dense |  |  | 2 s | own |" in elsewhere


def test_the_growth_is_drawn_where_it_was_measured(groups, tmp_path, monkeypatch):
    row = {"group": "short", "case": "ours", "n": 40, "seconds": 2.0, "gb_over": 1.0, "iterations": 100}
    rows = pd.DataFrame([
        row, {**row, "n": 80, "iterations_needed": 400.0}, {**row, "case": "rival"},
        {**row, "case": "rival", "n": 80, "iterations_needed": math.inf},
    ])  # fmt: skip
    points = growth.measured(rows, groups)
    found = [(point["method"], point["n"], point["seconds"]) for point in points]
    assert found == [("ours", 40, 2.0), ("ours", 80, 8.0)]
    chart = growth.growth_chart(points).to_dict()
    assert [panel["encoding"]["y"]["field"] for panel in chart["hconcat"]] == ["seconds", "gb"]
    assert all(panel["encoding"]["y"]["scale"]["type"] == "log" for panel in chart["hconcat"])

    drawn = SimpleNamespace(vegalite_to_svg=lambda spec: f"<svg>{len(spec['hconcat'])}</svg>", __spec__=object())
    monkeypatch.setitem(sys.modules, "vl_convert", drawn)
    monkeypatch.setattr(growth, "project_documents", lambda: [tmp_path / "benchmarks.md"])
    assert growth.draw_growth(rows, groups) == tmp_path / "couplings.svg"
    assert (tmp_path / "couplings.svg").read_text() == "<svg>2</svg>\n"
    assert growth.draw_growth(rows[:1], groups) is None
    monkeypatch.setattr(growth, "project_documents", list)
    assert growth.draw_growth(rows, groups) is None


def test_the_machine_has_rates():
    for trial, count, work in (
        (machines.memory_bandwidth, "bytes", 24 * 40),
        (machines.matrix_product, "flops", 2 * 40**3),
    ):
        made = trial(40)
        assert made.report(made.call()) == {count: work}
    made = machines.add_and_min(40, chain=5)
    result = made.call()
    np.testing.assert_array_equal(np.asarray(result), np.arange(40))
    assert made.report(result) == {"add_mins": 200}
    rates = machines.Rates.of(
        [{"bytes": 8.0, "seconds_least": 2.0}, {"flops": 6.0, "bytes": math.nan, "seconds_least": 1.0}]
    )
    assert rates.per_second == {"bytes": 4.0, "flops": 6.0}
    assert rates.floor({"bytes": 12.0, "flops": 6.0}) == 3.0
    assert rates.floor({"add_mins": 1.0}) is None
    assert "cores" in machines.machine_and_versions()


def test_all_solve_the_same_linear_problem():
    pytest.importorskip("ot")
    plans = []
    for made in (
        trials.linear(40, "dense"), trials.linear(40, "ott"), trials.pot_linear(40, "sinkhorn_log", 1e7),
        trials.pot_linear(40, "sinkhorn_stabilized", 1e7),
    ):  # fmt: skip
        plan = made.call()
        report = made.report(plan)
        assert report["marginal_error"] <= 2e-3
        assert report.get("iterations_needed", report["iterations"]) == report["iterations"]
        plans.append(plan if isinstance(plan, np.ndarray) else plan.dense())
    assert all(np.abs(plan - plans[0]).sum() < 0.02 for plan in plans)

    limited = trials.pot_linear(40, "sinkhorn_log", 1)
    report = limited.report(limited.call())
    assert report["iterations"] == 40 < report["iterations_needed"]
    assert trials._more_iterations([1e-2, 1e-3], 10, 1e-5) == pytest.approx(20)
    assert trials._more_iterations([1e-3, 1e-3], 10, 1e-5) == math.inf
    assert trials._marginal_error(np.full((2, 2), np.nan)) == math.inf


def test_pot_is_not_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(bv.InputError, match=r"POT is not installed: pip install POT\."):
        trials.pot_linear(40, "sinkhorn_log", 1)


def test_the_other_trials_are_what_they_say():
    ours, scan = trials.min_plus(40), trials.xla_scan(40)
    np.testing.assert_allclose(scan.call(), ours.call(), rtol=1e-5)
    assert ours.report(None)["add_mins"] == 40 * 40 * 4

    pytest.importorskip("ot")
    plans = [made.call() for made in (trials.fgw(40, 2), trials.pot_fgw(40, 2))]
    assert np.abs(plans[0].dense() - plans[1]).sum() < 0.05
    assert trials.pot_fgw(40, 2).report(plans[1])["iterations"] == 2

    made = trials.merged(60, p=8, q=3, classes=4)
    plan = made.call()
    assert plan.plan.shape[1] <= 4
    assert made.report(plan)["marginal_error"] < 2e-3

    trial, rival = trials.factorised(60, whole=True), trials.kernel_in_log_domain(60, whole=False)
    ours, theirs = trial.call(), rival.call()
    assert np.abs(ours.dense() - theirs.dense()).sum() < 4e-3
    assert trial.report(ours)["also"].startswith("own class: mode 0.")
    assert trial.report(ours)["also"].split()[-1] == rival.report(theirs)["also"].split()[-1]

    x, y, pairs = data.points(10_200, 0.01)
    assert (np.unique(x, axis=0).shape, y.shape, len(pairs)) == ((10_200, 16), (10_200, 4), 102)


def test_every_registered_case_can_be_asked_for():
    for group in BENCHMARKS["couplings"].groups.values():
        for case in group.cases:
            assert hasattr(import_module(case.trial.__module__), case.trial.__qualname__)
            json.dumps(case.options)
