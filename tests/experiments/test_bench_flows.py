"""The benchmark of the flows and the figures on them, in small: what they write, and that rivals do the same work."""

from __future__ import annotations

from functools import partial
from itertools import islice

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import bridgeviz as bv
from bridgeviz.experiments import bench, bench_flows, figures, rivals

pytestmark = [
    pytest.mark.usefixtures("tiny_velocity"),
    pytest.mark.filterwarnings("ignore:optax.global_norm is deprecated:DeprecationWarning"),  # ott-jax calls it
]


@pytest.fixture
def readme(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("".join(f"<!-- bench {n} -->\n<!-- end of bench {n} -->\n" for n in ("flows", "figure-15")))
    return path


def test_bench_flows_writes_its_rows_and_its_table(tmp_path, readme, monkeypatch):
    monkeypatch.setattr(bench_flows, "SIZES", {"tiny": 2})
    monkeypatch.setattr(bench_flows, "ROUNDS", 2)
    monkeypatch.setattr(bench_flows, "DIMENSIONS", {"MNIST": (4, 3)})
    monkeypatch.setattr(bench_flows, "points", partial(_few, bench_flows.points))
    row = bench_flows._row("test accuracy", "", [1.0], 100, "%", "")
    monkeypatch.setattr(bench_flows, "_precisions", lambda: [row])
    lines = list(bench.measure("flows", folder=tmp_path, readme=readme))
    rows = pd.read_csv(tmp_path / "flows.csv")
    assert {"step", "outside", "second run", "transport", "test accuracy"} == set(rows.group)
    assert (rows[rows.group != "outside"].value > 0).all()
    assert (rows.least <= rows.value).all()
    assert (rows.value <= rows.most).all()
    assert rows[rows.what.str.contains("fit to first")].note.tolist() == ["no recompilation"]
    assert rows.machine.str.contains("cores").all()
    assert len(lines) == len(rows) + 1
    assert "| step: ott-jax, tiny, MNIST 4 -> 3 |" in readme.read_text()


def test_the_precisions_are_compared_on_handwriting(monkeypatch):
    asked, fit = [], bv.flows.fit

    def watched(problem, plan, config):
        asked.append(config.precision)
        return fit(problem, plan, config)

    monkeypatch.setattr(bench_flows.flows, "fit", watched)
    monkeypatch.setattr(bench_flows, "PRECISION_STEPS", 60)
    monkeypatch.setattr(bench_flows, "PRECISION_SEEDS", range(1))
    rows = list(bench_flows._precisions())
    assert asked == ["float32", "bfloat16"]
    assert all(50 < row["value"] < 100 for row in rows)
    assert abs(rows[0]["value"] - rows[1]["value"]) < 10


def _few(points, p, q, n=2000, seed=0):
    return points(p, q, n=300, seed=seed)


@pytest.mark.parametrize("compiled", [True, False])
def test_the_rival_learns_as_we_do(compiled, monkeypatch):
    """Its last weights carry noise to the targets as well as ours: the work compared is the same work."""
    problem, _ = bench_flows.points(2, 2, n=20)
    given = (problem.source.x, problem.target.x, problem.truth), "tiny"
    seen = []
    real = rivals._Called

    def watch(field):
        seen.append(real(field))
        return seen[-1]

    monkeypatch.setattr(rivals, "_Called", watch)
    steps = rivals.ott_steps(*given, batch_size=64, chunk=30, learning_rate=3e-3, compiled_batch=compiled)
    rng = np.random.default_rng(0)
    rows, t = rng.integers(20, size=400), rng.random(400).astype(np.float32)
    x, y = (np.asarray(space.x, np.float32)[rows] for space in (problem.source, problem.target))
    z = rng.normal(size=y.shape).astype(np.float32)

    def loss():
        point = t[:, None] * y + (1 - t[:, None]) * z
        return float(((np.asarray(seen[0](*map(jnp.asarray, (t, point, x)))) - (y - z)) ** 2).mean())

    next(steps)
    early = loss()
    next(islice(steps, 9, None))
    assert loss() < 0.6 * early


def test_learning_curves_and_their_table(digits, monkeypatch):
    monkeypatch.setattr(figures, "STEPS", (10, 40, 100, 300, 1000)[:3])
    monkeypatch.setattr(figures, "RATES", {"tiny": 5e-3})
    monkeypatch.setattr(figures.flows, "VELOCITIES", {"tiny": bv.flows.VELOCITIES["tiny"]})
    (linear, line), (case, rows) = figures._learning(digits, 1, set())
    assert (linear, case) == ("linear regression", "tiny")
    assert 0.5 < line[0]["test_accuracy"] < 1
    assert [row["step"] for row in rows] == [10, 40, 100]
    assert rows[-1]["test_accuracy"] > rows[0]["test_accuracy"]
    assert list(figures._learning(digits, 1, {("tiny", 0), (linear, 0)})) == []
    more = [rows[-1] | {"step": step, "test_accuracy": 0.9} for step in (300, 1000)]
    said = figures._learning_table(pd.DataFrame(line + rows + more))
    assert f"(ridge): {line[0]['test_accuracy']:.3f}." in said
    assert f"| {rows[-1]['test_accuracy']:.3f} | 0.900 | 0.900 | {rows[-1]['loss']:.3f} |" in said


def test_figure_15_in_small(tmp_path, readme, monkeypatch):
    made = figures.gromov_flow
    monkeypatch.setattr(figures, "gromov_flow", lambda problem, seed: made(problem, steps=2, seed=seed))
    monkeypatch.setattr(figures.datasets, "load", partial(bv.load, n=100))
    list(figures.measure(15, seeds=1, folder=tmp_path, readme=readme))
    rows = pd.read_csv(tmp_path / "figure_15.csv")
    assert rows.t.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert ((rows.coefficient >= 0) & (rows.coefficient <= 1) & (rows.p > 0)).all()
    assert "| 0.25 |" in readme.read_text()
    assert len(list(figures.measure(15, seeds=1, folder=tmp_path, readme=readme))) == 1  # nothing is measured twice
    with pytest.raises(bv.InputError, match="one of 7, 12, 15, 16"):
        next(figures.measure(3))
    with pytest.raises(bv.InputError, match="'dataset' of figure"):
        next(figures.measure(16, dataset="cifar"))
