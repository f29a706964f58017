"""One new file, one line: a cost, a solver, a velocity field, an ODE solver, a data set and a baseline are added here.

Each is a frozen dataclass of its options, as it would stand in a file of its own, and one entry in its room's registry.
No other file knows of it, and yet the library, the command line, `recommend` or the benchmarks, and the app drive it.
docs/architecture.md shows this file as its example.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from flax import nnx
from streamlit.testing.v1 import AppTest

import bridgeviz as bv
from bridgeviz import baselines, cli, costs, couplings, datasets, flows
from bridgeviz._options import Count, Positive, Unit, option
from bridgeviz.experiments import _recommend
from bridgeviz.experiments._held_out import FOSCTTM
from bridgeviz.experiments.benchmarks._costs import baseline_cases, cost_cases

PAGES = Path(__file__).resolve().parents[1] / "pages"
PATIENCE = 120

pytestmark = [
    pytest.mark.usefixtures("small_networks"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


# A cost ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class NearestAnchor(costs.CostOptions):
    """Rows are close if they prefer the same pairs: a distance of softmax weights over the pairs."""

    name = "nearest_anchor"
    summary = "over the pairs that both rows prefer"
    lead = "Two rows are close if they lie near the same pairs."
    sharpness: float = option(
        Positive(), 4.0, label="Sharpness", stops=("1", "4", "16"), limits=(0.1, 100.0), help="How few pairs count."
    )

    def build(self, x, y, pairs) -> costs.Cost:
        x, y, pairs = np.asarray(x), np.asarray(y), np.asarray(pairs)
        metric = costs.METRICS[self.metric]
        weights = []
        for points, side in ((x, 0), (y, 1)):
            distance = metric.matrix(points, points[pairs[:, side]]) / (metric.mean(points) or 1.0)
            weight = np.exp(-self.sharpness * distance)
            weights.append(weight / np.linalg.norm(weight, axis=1, keepdims=True))
        return costs.Cost(
            name=self.name, source_factor=weights[0], target_factor=weights[1], combine=lambda a, b: 1 - a @ b.T,
            source_atoms=costs.every_row(len(x)), target_atoms=costs.every_row(len(y)), anchors=pairs,
        )  # fmt: skip


# A coupling solver ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Cheapest(couplings.SolverOptions):
    """Every source row spreads its mass evenly over its cheapest target rows."""

    name = "cheapest"
    summary = "each row goes to its cheapest targets"
    lead = "**Each source row** goes to its cheapest target rows, and nobody asks what the targets receive."
    neighbours: int = option(
        Count(), 1, label="Cheapest targets", stops=("1", "2", "5"), limits=(1, 50), help="Target rows per source row."
    )

    def steps(self, cost, within=None):
        cost = costs.as_cost(cost, self.name).unmerged()
        yield 1, 0.0
        plan = np.zeros(cost.shape)
        order = np.argsort(cost.on_atoms, axis=1)[:, : self.neighbours]
        np.put_along_axis(plan, order, 1 / order.size, axis=1)
        return couplings.Coupling(
            plan=plan, source_atoms=cost.source_atoms, target_atoms=cost.target_atoms, solver=self.name, iterations=1
        )


# A velocity field -----------------------------------------------------------------------------------------------------


class AffineField(flows.VelocityField):
    def __init__(self, p: int, q: int, *, dtype, rngs: nnx.Rngs):
        self.from_source = nnx.Linear(p, q, dtype=dtype, rngs=rngs)
        self.from_noise = nnx.Linear(q, q, dtype=dtype, rngs=rngs)

    def encode(self, x):
        return self.from_source(x)

    def condition(self, t, encoded):
        return encoded

    def velocity(self, z, condition):
        return (self.from_noise(z) + condition).astype(jnp.float32)


@dataclass(frozen=True, kw_only=True)
class Affine(flows.VelocityOptions):
    """An affine function of noise and source, the same at all times."""

    name = "affine"

    def make(self, p, q, *, dtype=None, rngs):
        return AffineField(p, q, dtype=dtype, rngs=rngs)


# An ODE solver --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Euler(flows.OdeOptions):
    """Euler's method with equal steps."""

    name = "euler"
    where = "transport"
    summary = "Euler's method with equal steps: first order"
    euler_steps: int = option(Count(), 50, label="Steps of Euler's method", help="Number of equal steps.")

    def solve(self, field, x, z, ts):
        encoded, h = field.encode(x), 1 / self.euler_steps

        def step(state, k):
            after = state + h * field.velocity(state, field.condition(jnp.full((1,), k * h), encoded))
            return after, after

        _, states = jax.lax.scan(step, z, jnp.arange(self.euler_steps))
        nearest = jnp.round(ts * self.euler_steps).astype(int)
        return jnp.concatenate([z[None], states])[nearest], jnp.array(True)


# A data set -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TwoMoons(datasets.DatasetOptions):
    """Two half circles, and the same turned by a right angle."""

    name = "two-moons"
    title = "two-moons: two half circles against the same, turned"
    width: float = option(Unit(), 0.1, label="Width of the moons", step=0.05, limits=(0.05, 1.0), help="Their noise.")

    def load(self) -> bv.Problem:
        def problem(n: int, seed: int, test: bv.Problem | None) -> bv.Problem:
            rng = np.random.default_rng(seed)
            labels = np.arange(n) % 2
            angle = np.pi * rng.random(n) + np.pi * labels
            moons = np.stack([np.cos(angle) + labels, np.sin(angle) + labels / 2], axis=1) + 2
            x = (moons + self.width * rng.standard_normal((n, 2))).astype(np.float32)
            y = np.stack([-x[:, 1], x[:, 0]], axis=1)
            pairs = np.stack([np.arange(n)] * 2, axis=1)
            return bv.Problem(bv.Space(x, labels=labels), bv.Space(y, labels=labels), truth=pairs, test=test)

        return problem(200, 0, problem(100, 1, None))


# A baseline -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedNearestPair(baselines.Fitted):
    source: np.ndarray
    paired: np.ndarray

    def transport(self, x):
        return self.paired[costs.sqeuclidean(x, self.source).argmin(1)]


@dataclass(frozen=True, kw_only=True)
class NearestPair(baselines.BaselineOptions):
    """The target of the nearest paired source row."""

    name = "nearest-pair"
    summary = "the target of the nearest paired row"

    def fit(self, problem, pairs, *, seed=0):
        i, j = np.asarray(pairs).T
        return FittedNearestPair(target=problem.target, source=problem.source.x[i], paired=problem.target.x[j])


@pytest.fixture(autouse=True)
def registered(monkeypatch, one_search) -> Iterator[None]:
    """The one line that each of them takes."""
    monkeypatch.setitem(costs.COSTS, "nearest_anchor", NearestAnchor)
    monkeypatch.setitem(couplings.SOLVERS, "cheapest", Cheapest)
    monkeypatch.setitem(flows.VELOCITIES, "affine", Affine())
    monkeypatch.setitem(flows.ODE_SOLVERS, "euler", Euler)
    monkeypatch.setitem(datasets.DATASETS, "two-moons", TwoMoons)
    monkeypatch.setitem(baselines.BASELINES, "nearest-pair", NearestPair)
    monkeypatch.setattr(st, "page_link", lambda *_, **__: None)  # a page that is run by itself has no router
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with two spaces of three classes and their pairs as files."""
    problem = bv.load("blobs", n=60, classes=3, overlap=0.1)
    np.save(tmp_path / "x.npy", problem.source.x)
    np.save(tmp_path / "y.npy", problem.target.x)
    pd.DataFrame({"source": range(12), "target": range(12)}).to_csv(tmp_path / "pairs.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(capsys, *arguments: str) -> str:
    """What a command prints; it must succeed."""
    with pytest.raises(SystemExit) as stop:
        cli.main(list(arguments))
    output = capsys.readouterr()
    assert stop.value.code == 0, output.err
    return output.out


def align(capsys, folder: Path, *options: str) -> dict:
    """The report of an alignment through the command line."""
    files = ("x.npy", "y.npy", "--pairs", "pairs.csv", "--out", "out", "--steps", "20", "--batch-size", "32")
    command(capsys, "align", *files, *options)
    return json.loads((folder / "out" / "report.json").read_text())


def page(name: str, **link: str) -> AppTest:
    """A page of the app, opened by a link."""
    app = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=PATIENCE)
    for key, value in {"dataset": "blobs", "percent": "10", "steps": "20", "batch_size": "64", **link}.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    assert not app.error, app.error[0].value
    return app


def texts(app: AppTest) -> str:
    elements = [*app.markdown, *app.caption, *app.info, *app.success, *app.header, *app.warning]
    return " ".join(str(element.value) for element in elements)


def blobs(**settings) -> bv.Run:
    return bv.run(bv.RunConfig(dataset="blobs", fraction=0.1, steps=20, batch_size=64, **settings))


def test_a_cost(capsys, folder, monkeypatch):
    by_name = blobs(cost="nearest_anchor", cost_options={"sharpness": 8.0})
    by_object = blobs(cost=NearestAnchor(sharpness=8.0))
    assert by_name.config == by_object.config
    assert by_name.cost.name == "nearest_anchor"
    assert by_name.metrics["matching_accuracy"] > 0.5
    np.testing.assert_array_equal(by_name.losses, by_object.losses)

    assert "--sharpness" in command(capsys, "align", "--help")
    report = align(capsys, folder, "--cost", "nearest_anchor", "--sharpness", "8")
    assert (report["cost"], report["cost_options"]) == ("nearest_anchor", {"sharpness": 8.0})

    problem, every = bv.load("blobs", n=60), _recommend.candidates
    compared = [one for one in every(FOSCTTM) if one.cost.name in ("blend", "nearest_anchor")]  # and no other of all
    monkeypatch.setattr(_recommend, "candidates", lambda *_: compared)
    assert "nearest_anchor" in set(bv.recommend(problem, problem.sample_pairs(0.2, seed=0)).table.cost)
    assert "nearest anchor" in cost_cases()  # its row in the benchmark of costs

    app = page("pairs_and_cost", cost="nearest_anchor", sharpness="8")
    assert NearestAnchor.lead in texts(app)
    assert app.select_slider(key="sharpness").label == "Sharpness"
    assert app.select_slider(key="sharpness").value == "8"


def test_a_coupling_solver(capsys, folder):
    run = blobs(solver="cheapest", neighbours=2)
    assert run.config == blobs(coupling=couplings.Global(solver=Cheapest(neighbours=2))).config
    np.testing.assert_allclose(run.plan.marginals()[0], 1 / run.problem.shape[0])
    assert (run.plan.dense() > 0).sum() == 2 * run.problem.shape[0]
    with pytest.raises(bv.InputError, match="'cheapest' can't couple batches"):
        blobs(strategy="local", solver="cheapest")

    assert "--neighbours" in command(capsys, "align", "--help")
    assert align(capsys, folder, "--solver", "cheapest", "--neighbours", "2")["solver"] == "cheapest"

    app = page("coupling", solver="cheapest", neighbours="2")
    assert Cheapest.lead in texts(app)
    assert app.selectbox(key="solver").value == "cheapest"
    assert app.select_slider(key="neighbours").value == "2"
    assert "epsilon" not in [slider.key for slider in app.select_slider]


def test_a_velocity_field(capsys, folder):
    run = blobs(velocity="affine")
    assert run.config == blobs(velocity=Affine()).config
    assert flows.parameter_count("affine", 8, 4) == (8 + 1) * 4 + (4 + 1) * 4

    assert align(capsys, folder, "--velocity", "affine")["velocity"] == "affine"
    assert bv.Flow.load(folder / "out" / "flow").config.velocity == "affine"

    app = page("flow", velocity="affine")
    assert app.selectbox(key="velocity").value == "affine"
    app.button(key="train").click().run()
    app.run()
    assert not app.exception


def test_an_ode_solver(capsys, folder):
    run = blobs()
    x = run.problem.source.x[:20]
    by_name = run.flow.transport(x, solver="euler", euler_steps=400).states[-1]
    np.testing.assert_array_equal(by_name, run.flow.transport(x, solver=Euler(euler_steps=400)).states[-1])
    np.testing.assert_allclose(by_name, run.flow.transport(x).states[-1], atol=0.05)

    align(capsys, folder)
    command(capsys, "transport", "out", "x.npy", "--ode-solver", "euler", "--out", "moved.npy")
    assert np.load("moved.npy").shape == np.load("y.npy").shape

    app = AppTest.from_file(str(PAGES / "flow.py"), default_timeout=PATIENCE)
    app.session_state["_run"] = run
    app.session_state["travel"] = True
    app.run()
    assert not app.exception, app.exception
    assert "euler" in app.selectbox(key="ode_solver").options


def test_a_data_set(capsys):
    assert bv.load("two-moons", width=0.2).shape == bv.load(TwoMoons(width=0.2)).shape == (200, 200)
    run = bv.run(bv.RunConfig(dataset="two-moons", options={"width": 0.2}, fraction=0.1, steps=20, batch_size=64))
    assert run.metrics["matching_accuracy"] > 0.5

    assert TwoMoons.title in command(capsys, "datasets")

    app = page("data", dataset="two-moons", width="0.2")
    assert app.selectbox(key="dataset").value == "two-moons"
    assert app.slider(key="width").value == 0.2


def test_a_baseline():
    problem = bv.load("blobs", n=100, classes=3, overlap=0.1)
    fitted = NearestPair().fit(problem, problem.sample_pairs(0.2, seed=0))
    assert fitted.accuracy(problem.source.x, problem.source.labels) > 0.8

    assert "nearest pair" in baseline_cases()  # its row in the benchmark of costs

    app = AppTest.from_file(str(PAGES / "flow.py"), default_timeout=PATIENCE)
    app.session_state["_run"] = blobs()
    app.session_state["baselines"] = True
    app.run()
    assert not app.exception, app.exception
    assert "nearest pair" in " ".join(str(frame.value.to_dict()) for frame in app.dataframe)
