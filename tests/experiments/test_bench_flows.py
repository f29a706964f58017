"""The benchmarks that train, with small settings: their rows, tables and competing loops."""

from __future__ import annotations

from functools import partial
from itertools import islice

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import bridgeviz as bv
from bridgeviz.baselines import _training_loops as loops
from bridgeviz.datasets import Digits, SwissRoll
from bridgeviz.experiments import benchmarks, figures
from bridgeviz.experiments.benchmarks import BENCHMARKS, FirstLight, FlowBenchmark, _first_light, _flow_timings
from bridgeviz.experiments.benchmarks._gromov import GromovFigure
from bridgeviz.experiments.benchmarks._learning_curves import LearningCurves

pytestmark = [
    pytest.mark.usefixtures("tiny_velocity"),
    pytest.mark.filterwarnings("ignore:optax.global_norm is deprecated:DeprecationWarning"),  # ott-jax calls it
]


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "benchmarks.md"
    path.write_text(
        "".join(f"<!-- bench {n} -->\n<!-- end of bench {n} -->\n" for n in ("flows", "figure-15", "first-light"))
    )
    return path


def test_bench_flows_writes_its_rows_and_its_table(tmp_path, document, monkeypatch):
    small = FlowBenchmark(dimensions={"MNIST": (4, 3)}, chunks={"tiny": 2}, rounds=2, rows=300, many_rows=300)
    monkeypatch.setitem(BENCHMARKS, "flows", small)
    row = _flow_timings.row_of("", [1.0], scale=100, unit="%")
    monkeypatch.setattr(_flow_timings, "accuracies", lambda *_, **__: [row])
    lines = list(benchmarks.measure("flows", folder=tmp_path, documents=[document]))
    rows = pd.read_csv(tmp_path / "flows.csv")
    assert {"step", "outside", "second run", "transport", "test accuracy"} == set(rows.group)
    assert (rows[rows.group != "outside"].value > 0).all()
    assert (rows.least <= rows.value).all()
    assert (rows.value <= rows.most).all()
    assert rows[rows.what.str.contains("fit to first", na=False)].note.tolist() == ["no recompilation"]
    assert rows.machine.str.contains("cores").all()
    assert len(lines) == len(rows) + 1
    assert "| step: ott-jax, tiny, MNIST 4 -> 3 |" in document.read_text()


def test_the_precisions_are_compared_on_handwriting(small_networks, monkeypatch):
    precisions, fit = [], bv.flows.fit

    def watched(problem, plan, config):
        precisions.append(config.precision)
        return fit(problem, plan, config)

    monkeypatch.setattr(_flow_timings.flows, "fit", watched)
    tasks = FlowBenchmark(accuracy_steps=700, accuracy_seeds=1).tasks(1)
    rows = [row for task in tasks if task.key == {"group": "test accuracy"} for row in task.measure()]
    assert precisions == ["float32", "bfloat16"]
    assert all(50 < row["value"] < 100 for row in rows)
    assert abs(rows[0]["value"] - rows[1]["value"]) < 10


@pytest.mark.parametrize("compiled", [True, False])
def test_the_loop_of_ott_learns_as_ours_does(compiled, monkeypatch):
    """Its last weights carry noise to the targets as well as ours, so the loops that are timed do the same work."""
    problem, _ = _flow_timings.random_points(2, 2, rows=20)
    points = problem.source.x, problem.target.x, problem.truth
    models = []
    original = loops.OttVelocity

    def watch(field):
        models.append(original(field))
        return models[-1]

    monkeypatch.setattr(loops, "OttVelocity", watch)
    steps = loops.ott_steps(
        points, bv.flows.VELOCITIES["tiny"], batch_size=64, chunk=30, learning_rate=3e-3, compiled_batch=compiled
    )
    rng = np.random.default_rng(0)
    rows, t = rng.integers(20, size=400), rng.random(400).astype(np.float32)
    x, y = (np.asarray(space.x, np.float32)[rows] for space in (problem.source, problem.target))
    z = rng.normal(size=y.shape).astype(np.float32)

    def loss():
        point = t[:, None] * y + (1 - t[:, None]) * z
        return float(((np.asarray(models[0](*map(jnp.asarray, (t, point, x)))) - (y - z)) ** 2).mean())

    next(steps)
    early = loss()
    next(islice(steps, 9, None))
    assert loss() < 0.6 * early


def test_learning_curves_and_their_table(tmp_path, document):
    figure = LearningCurves(dataset=Digits(), steps=(10, 40, 100), velocities=("tiny",), rates={"tiny": 5e-3})
    tasks = list(figure.tasks(1))
    assert [task.key["case"] for task in tasks] == ["linear regression", "tiny"]
    linear, rows = ([{**task.key, **row} for row in task.measure()] for task in tasks)
    assert 0.5 < linear[0]["test_accuracy"] < 1
    assert [row["step"] for row in rows] == [10, 40, 100]
    assert rows[-1]["test_accuracy"] > rows[0]["test_accuracy"]
    more = [rows[-1] | {"step": step, "test_accuracy": 0.9} for step in (300, 1000)]
    table = figure.table(pd.DataFrame(linear + rows + more))
    assert f"(ridge): {linear[0]['test_accuracy']:.3f}." in table
    assert f"| {rows[-1]['test_accuracy']:.3f} | 0.900 | 0.900 | {rows[-1]['loss']:.3f} |" in table
    ledger = figure.ledger(tmp_path)
    ledger.add(linear + rows + more)
    ledger.save()
    measured = list(figure.measure(seeds=1, folder=tmp_path, documents=[document]))
    assert measured == [table]  # nothing is measured twice


def test_figure_15_with_few_points(tmp_path, document, monkeypatch):
    monkeypatch.setitem(figures.FIGURES, 15, partial(GromovFigure, dataset=SwissRoll(n=100), steps=2))
    list(figures.measure(15, seeds=1, folder=tmp_path, documents=[document]))
    rows = pd.read_parquet(tmp_path / "figure_15.parquet")
    assert rows.t.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert ((rows.coefficient >= 0) & (rows.coefficient <= 1) & (rows.p > 0)).all()
    assert "| 0.25 |" in document.read_text()
    measured = list(figures.measure(15, seeds=1, folder=tmp_path, documents=[document]))
    assert len(measured) == 1  # nothing is measured twice
    with pytest.raises(bv.InputError, match="one of 4, 5, 6, 7, 8, 9, 10"):
        next(figures.measure(3))
    with pytest.raises(bv.InputError, match="'dataset' of figure"):
        next(figures.measure(16, dataset="cifar"))


def test_rows_of_first_light_with_other_settings_are_measured_again(tmp_path, document, monkeypatch):
    config = bv.RunConfig(dataset="blobs", options={"n": 60}, fraction=0.2, velocity="tiny", steps=5, batch_size=16)
    monkeypatch.setattr(_first_light, "COLD", "pass")
    keys = {"seeds": 1, "folder": tmp_path, "documents": [document]}
    monkeypatch.setitem(BENCHMARKS, "first-light", FirstLight({"A": config, "B": config}, cold_case="B"))
    list(benchmarks.measure("first-light", **keys))
    assert pd.read_csv(tmp_path / "first_light.csv").seconds_cold_process.notna().tolist() == [False, True]
    assert "| A | " in document.read_text()
    monkeypatch.setitem(BENCHMARKS, "first-light", FirstLight({"A": config, "B": config.replace(steps=6)}))
    lines = list(benchmarks.measure("first-light", **keys))
    assert [line.partition(":")[0] for line in lines[:-1]] == ["B, seed 0"]
    assert len(pd.read_csv(tmp_path / "first_light.csv")) == 2
