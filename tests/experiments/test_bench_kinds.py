"""The benchmark of kinds on tiny problems: what it measures, what it does with failures, and its tables."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import bridgeviz as bv
from bridgeviz.baselines import BASELINES, NearestClassMean, Ridge
from bridgeviz.costs import Bridge
from bridgeviz.datasets import Blobs, DatasetOptions
from bridgeviz.experiments import benchmarks
from bridgeviz.experiments.benchmarks import BENCHMARKS, KindBenchmark, Task, _kind_cases, _kind_tables
from bridgeviz.experiments.benchmarks._benchmark import on_workers
from bridgeviz.experiments.benchmarks._kind import Classes, Draw, Neurons, OneToOne
from bridgeviz.experiments.benchmarks._kind_list import KINDS, Rotated
from bridgeviz.experiments.sweeps import Workers

FEW = (Draw(label="6 pairs", count=6, cover=True),)


@dataclass(frozen=True, kw_only=True)
class Linear(DatasetOptions):
    """A linear map with noise, towards neurons."""

    name = "linear"

    def load(self) -> bv.Problem:
        rng = np.random.default_rng(0)
        w, parts = rng.normal(size=(8, 4)), []
        for n in (60, 30):
            x = rng.normal(size=(n, 8))
            y = x @ w + 0.1 * rng.normal(size=(n, 4))
            parts.append(bv.Problem(bv.Space(x), bv.Space(y, neurons=True), truth=np.stack([np.arange(n)] * 2, 1)))
        return replace(parts[0], test=parts[1])


@dataclass(frozen=True, kw_only=True)
class Missing(DatasetOptions):
    """Files that are not here."""

    name = "missing"

    def load(self) -> bv.Problem:
        raise bv.DataMissing("The files of nothing are not on this machine.")


TINY = {
    kind.name: kind
    for kind in (
        Classes(name="classes", title="blobs", dataset=Blobs(n=60), draws=FEW, taus=(1.0, 0.9), flows=("bridge",)),
        OneToOne(name="one", title="a line", dataset=Linear(), draws=(Draw(label="0 pairs", count=0), 
                 Draw(label="8 pairs", count=8))),
        Neurons(name="cells", title="a line", dataset=Linear(), draws=(Draw(label="50 %", fraction=0.5),),
                flows=("true pairs",)),
        OneToOne(name="missing", title="nothing", dataset=Missing(), draws=(Draw(label="3 pairs", count=3),)),
    )
}  # fmt: skip


@pytest.fixture(autouse=True)
def few_methods(monkeypatch):
    every = dict(BASELINES)
    for name in set(BASELINES) - {"ridge", "nearest-class-mean", "1-nn"}:
        del BASELINES[name]
    bridge = _kind_cases.PlanCase(name="bridge", cost=Bridge())
    monkeypatch.setattr(_kind_cases, "_plans", lambda: [bridge])  # no search for a cost
    monkeypatch.setitem(_kind_cases.FLOWS, "flow", {"steps": 2, "chunk_size": 2, "reweight": False})
    yield
    BASELINES.clear()  # and back in their order, which other tests see
    BASELINES.update(every)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The folder of one run."""
    return tmp_path_factory.mktemp("kinds")


def test_every_kind_has_its_methods_and_figures(measured):
    lines = list(KindBenchmark(kinds=TINY).measure(seeds=1, folder=measured, documents=[]))
    table = pd.read_csv(measured / "kinds.csv")
    of = {name: set(part.method) for name, part in table.groupby("kind")}
    assert of["classes"] == {
        "bridge", "bridge, tau 0.9", "bridge, flow", "bridge, flow, mean", "ridge", "nearest class mean", "1-NN",
    }  # fmt: skip
    assert of["one"] == {"bridge", "ridge", "1-NN"}
    assert of["cells"] == {"true pairs, flow, mean", "ridge", "1-NN"}

    blobs = Blobs(n=60).load()
    pairs = blobs.sample_pairs(count=6, cover_classes=True, seed=0)
    classes = table[table.kind == "classes"].set_index("method")
    plan = bv.couplings.linear(bv.costs.bridge(blobs.source.x, blobs.target.x, pairs), tolerance=1e-2)
    labels = blobs.source.labels, blobs.target.labels
    assert classes.plan["bridge"] == pytest.approx(bv.metrics.matching_accuracy(plan, *labels), abs=1e-5)
    fitted = NearestClassMean().fit(blobs, pairs)
    assert classes.test["nearest class mean"] == pytest.approx(
        fitted.accuracy(blobs.test.source.x, blobs.test.source.labels), abs=1e-5
    )

    line = Linear().load()
    pairs = line.sample_pairs(count=8, seed=0)
    ranked = Ridge().fit(line, pairs).partners(line.source.x, line.unused(pairs), known=pairs)
    row = table[(table.kind == "one") & (table.method == "ridge")].iloc[0]
    assert (row.foscttm, row.recall) == pytest.approx((ranked.foscttm, ranked.recall(1)), abs=1e-5)
    cells = table[table.kind == "cells"].set_index("method")
    y = Ridge().fit(line, line.sample_pairs(0.5, seed=0)).transport(line.test.source.x)
    assert cells.error["ridge"] == pytest.approx(bv.metrics.prediction_error(y, line.test.target.x), abs=1e-5)
    assert any(line.startswith("cells, 50 %, seed 0, ridge: error 0.0") for line in lines)


def test_a_failure_is_on_record_and_measured_again(measured):
    table = pd.read_csv(measured / "kinds.csv")
    failed = table[table.kind == "missing"]
    assert set(failed.failed) == {"DataMissing: The files of nothing are not on this machine."}
    benchmark = KindBenchmark(kinds=TINY)
    ledger = benchmark.ledger(measured)
    missing = [task.key for task in benchmark.tasks(1) if not ledger.holds(task.key)]
    assert {key["kind"] for key in missing} == {"missing"}
    assert len(missing) == len(failed)


def test_the_tables_name_the_best_of_both_sides(measured):
    benchmark = KindBenchmark(kinds=TINY)
    blocks = benchmark.blocks(benchmark.ledger(measured).table(seeds=1))
    table = pd.read_csv(measured / "kinds.csv")
    part = table[(table.kind == "classes") & table.plan.notna()].set_index("method").plan
    rivals = part[["ridge", "nearest class mean", "1-NN"]]
    line = next(line for line in blocks["kinds"].splitlines() if line.startswith("| classes | 6 pairs | plan"))
    best = [name for name, value in rivals.items() if value == rivals.max()]
    assert any(f"| {rivals.max():.3f} {name} |" in line for name in best)
    assert "| a line; FOSCTTM (lower is better) | 8 pairs |" in blocks["kinds-all"]
    assert f"| bridge, tau 0.9 | {part['bridge, tau 0.9']:.3f} |" in blocks["kinds-all"]


def test_the_choice_is_close_within_a_twentieth_of_the_best_candidate():
    kind = {"one": TINY["one"]}
    row = {"kind": "one", "pairs": "8 pairs", "seed": 0, "rival": False}
    for auto, best, close in ((0.104, 0.1, True), (0.106, 0.1, False), (0.0019, 0.001, True)):
        rows = pd.DataFrame([
            {**row, "method": "automatic", "foscttm": auto}, {**row, "method": "bridge", "foscttm": best},
            {**row, "method": "1-NN", "foscttm": 0.0, "rival": True},  # no candidate
        ])  # fmt: skip
        assert _kind_tables.regrets(rows, kind) == [close]
        ridge = pd.DataFrame([{**row, "method": "ridge", "foscttm": best / 2, "rival": True}])
        assert _kind_tables.regrets(pd.concat([rows, ridge]), kind) == [False]


def _environment(name: str, value: int) -> list[dict]:
    return [{"threads": os.environ.get(name), "value": value}]


def test_workers_measure_on_one_core_each(monkeypatch):
    # A worker runs the main module of its parent; a test of the app may have left a page there.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    tasks = [Task({"seed": seed}, partial(_environment, "OMP_NUM_THREADS", seed)) for seed in range(3)]
    before = os.environ.get("OMP_NUM_THREADS")
    results = {task.key["seed"]: rows for task, rows in on_workers(tasks, Workers(jobs=2))}
    share = str(max(1, (os.cpu_count() or 1) // 2))
    assert results == {seed: [{"threads": share, "value": seed}] for seed in range(3)}
    assert os.environ.get("OMP_NUM_THREADS") == before


def test_jobs_and_kinds_are_checked():
    with pytest.raises(bv.InputError, match=r"'only' of bench\(\) must be one of 'mnist', 'two-encoders'"):
        next(benchmarks.measure("kinds", only="mnits"))
    with pytest.raises(bv.InputError, match=r"'workers' of measure\(\) must be left out"):
        next(benchmarks.measure("flows", workers=Workers(jobs=2)))
    assert {task.key["kind"] for task in replace(BENCHMARKS["kinds"], only="v4").tasks(1)} == {"v4"}


def test_the_rotated_copy_is_one(monkeypatch):
    problem = Rotated().load()
    x, y = problem.source.x[problem.truth[:, 0]], problem.target.x[problem.truth[:, 1]]
    fitted = bv.baselines.Procrustes().fit(problem, problem.truth)
    error = np.sqrt(np.mean((fitted.transport(x) - y) ** 2))
    assert error == pytest.approx(0.05 * x.std(), rel=0.05)
    assert set(KINDS) >= {"mnist", "two-encoders", "snare-seq", "v4", "rotated-mnist", "efficientnet-lite0"}
