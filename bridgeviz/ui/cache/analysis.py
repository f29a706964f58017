"""Cached numbers and figures of the analysis pages, each by the settings of the stage that it depends on."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from bridgeviz import InputError, Problem, Run, RunConfig, metrics
from bridgeviz.baselines import BASELINES
from bridgeviz.costs import find_atoms
from bridgeviz.couplings import RowsWithMass
from bridgeviz.datasets import DATASETS, Yours, keeping
from bridgeviz.experiments import Pipeline, Scene
from bridgeviz.experiments import scene as straight_scene
from bridgeviz.experiments._evaluation import rows_of_all_classes
from bridgeviz.metrics import CostSample, Diagnosis, Failures, Journey, Neighbourhood, Story, projection
from bridgeviz.ui.cache import pictures, stages
from bridgeviz.ui.cache.results import results
from bridgeviz.viz import maps
from bridgeviz.viz.maps import Maps, Panel

FRACTIONS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""The fractions of the known pairs at which the value of supervision is measured."""

DRAWS = 20_000
"""The number of (i, j) drawn from a plan."""


def _by(stage: str, most: int, spinner: str | bool = False, *, copy: bool = False) -> Callable[[Any], Any]:
    """Cache a function of a config by the settings that a stage depends on, and by its other arguments.

    Args:
        stage: whose settings.
        most: the largest number of results kept.
        spinner: what is shown while it is computed.
        copy: whether every caller gets a copy; otherwise all share one object, which must not be changed.
    """
    store = st.cache_data if copy else st.cache_resource
    return store(max_entries=most, show_spinner=spinner, hash_funcs={RunConfig: lambda config: repr(config.key(stage))})


@_by("load", 12, "Finding neighbours …")
def near(config: RunConfig, side: str) -> Neighbourhood | None:
    """The neighbourhoods of one side; None without labels."""
    space = getattr(stages.problem(config), side)
    return None if space.labels is None else metrics.neighbourhood(space.x, space.labels, weights=space.weights)


@_by("load", 12, "Looking at the rows …")
def inspection(config: RunConfig, side: str) -> metrics.Inspection:
    """What one side is like."""
    return metrics.inspect(getattr(stages.problem(config), side))


@_by("load", 12, "Drawing the map …")
def panel(config: RunConfig, side: str) -> Panel:
    """One side as it is drawn: its map, the caption of the map, and the texts of its markers."""
    close = near(config, side)
    return maps.prepared(panel_of(stages.problem(config), side, None if close is None else close.overlap))


def panel_of(problem: Problem, side: str, overlap: np.ndarray | None = None) -> Panel:
    """One side of a problem on its map, which is computed here."""
    space = getattr(problem, side)
    plane = projection.fit_map(space.x)
    points = plane.project(space.x)
    distinct = find_atoms(space.x).rows
    trust = projection.trustworthiness(space.x[distinct], points[distinct])
    badge = f"PCA: {plane.variance_share:.0%} of the variance, trustworthiness {trust:.2f}"
    return Panel(points=points, space=space, badge=badge, classes=maps.class_order(problem), overlap=overlap)


@_by("load", 12)
def space_figure(config: RunConfig, side: str) -> go.Figure:
    """The map of one side with nothing selected."""
    return maps.space_map(panel(config, side))


@_by("load", 8)
def sheet(config: RunConfig, side: str) -> dict[str, Any] | None:
    """The pictures of one side, to be shown under the pointer."""
    return pictures.contact_sheet(getattr(stages.problem(config), side))


@_by("cost", 32, "Measuring the cost …", copy=True)
def cost_sample(config: RunConfig) -> CostSample:
    """Entries of the cost between rows of the same class and of different classes."""
    cost, labels = stages.cost(config), labels_of(stages.problem(config))
    assert cost is not None, "the page asks only if there is a cost"
    assert labels is not None, "the page asks only if there are labels"
    return metrics.sample_cost(cost, *labels, seed=config.seed)


@_by("cost", 32, "Measuring the cost …", copy=True)
def cost_accuracy(config: RunConfig) -> float | None:
    """How often the cheapest target has the right class; None without a cost or without labels."""
    cost, labels = stages.cost(config), labels_of(stages.problem(config))
    return None if cost is None or labels is None else metrics.cost_accuracy(cost, *labels)


def value_of_pairs(config: RunConfig) -> list[float]:
    """The accuracy of the cheapest target at each of `FRACTIONS`; NaN where that is less than one pair."""
    return _value_of_pairs(config.replace(fraction=1.0, count=None, edits=""))


@_by("coupling", 16, "Drawing from the plan …", copy=True)
def draws(config: RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """(i, j) drawn from the plan."""
    plan = stages.plan(config)
    if not plan.estimated and plan.advice and not plan.mass > 0:
        raise InputError(plan.advice)  # what to try says more than that nothing can be drawn
    return plan.sample(config.seed, DRAWS)


@_by("coupling", 16, "Measuring the plan …", copy=True)
def matching(config: RunConfig) -> tuple[float, np.ndarray]:
    """The matching accuracy of the plan, and the (c, c) shares of each class's mass by target class."""
    plan, labels = stages.plan(config), labels_of(stages.problem(config))
    assert labels is not None, "the page asks only if there are labels"
    accuracy = metrics.matching_accuracy(plan, *labels, samples=DRAWS if plan.estimated else None, seed=config.seed)
    return accuracy, metrics.between_classes(plan, *labels, seed=config.seed)[0]


@_by("coupling", 16, "Measuring the plan …", copy=True)
def rows_with_mass(config: RunConfig) -> RowsWithMass:
    """Which rows carry mass, and how many of all rows are sent to their own class."""
    plan, labels = stages.plan(config), labels_of(stages.problem(config))
    assert labels is not None, "the page asks only if there are labels"
    return metrics.rows_with_mass(plan, *labels, seed=config.seed)


@_by("coupling", 16, "Measuring the plan …", copy=True)
def partners(config: RunConfig) -> dict[str, metrics.Partners]:
    """The ranks of true partners by the cost and by the plan, over known pairs that were not used.

    Empty where the known pairs are not one to one, or all of them were used; the plan's is missing where it exists
    only batch by batch, the cost's where there is none.
    """
    problem, plan, cost = stages.problem(config), stages.plan(config).whole, stages.cost(config)
    pairs = stages.pairs(config)
    unused = problem.unused(pairs)
    weights = (problem.source.weights, problem.target.weights)
    if not metrics.carry_weight(unused, weights) or not metrics.is_one_to_one(problem):
        return {}
    sources = {"cost": cost, "plan": plan}
    return {
        name: metrics.partners(match, unused, known=pairs, weights=weights)
        for name, match in sources.items()
        if match is not None
    }


def mass_of(config: RunConfig, side: str, rows: np.ndarray) -> tuple[float, np.ndarray]:
    """The share of the plan's mass on some rows of one side, and the shares of it by class of the other side.

    Without labels on the other side, there is one class. The mass of a plan that is estimated is counted from draws.
    """
    problem, plan = stages.problem(config), stages.plan(config)
    own = np.ones(len(getattr(problem, side)), int)
    own[rows] = 0
    mass = metrics.masses_by_class(problem, plan, side, own, 2, seed=config.seed)
    selected = mass[0].sum()
    return float(selected / (mass.sum() or 1.0)), mass[0] / (selected or 1.0)


def names(config: RunConfig) -> tuple[np.ndarray, dict[str, str]]:
    """The classes of both sides together, none without labels, and their names by class as text."""
    problem = stages.problem(config)
    classes = maps.class_order(problem)
    if classes is None:
        return np.zeros(0, int), {}
    return classes, dict(zip(map(str, classes), maps.class_names(classes, problem.source, problem.target), strict=True))


def row_names(config: RunConfig, side: str, size: int) -> Sequence[str] | None:
    """The names that a visitor's own rows have; None if they have none. It does not read the session.

    Args:
        config: whose data.
        side: "source" or "target".
        size: the number of rows; those of a sample have no names.
    """
    dataset = config.data.dataset
    if not isinstance(dataset, Yours) or not dataset.kept:
        return None
    names = keeping.kept(dataset.kept).rows[(side == "target") != config.reverse]
    return names if names is not None and len(names) == size else None


def labels_of(problem: Problem) -> tuple[np.ndarray, np.ndarray] | None:
    """The labels of both sides; None if a side has none."""
    source, target = problem.source.labels, problem.target.labels
    return None if source is None or target is None else (source, target)


def both_maps(config: RunConfig, *, legend: bool) -> Maps:
    """Both sides next to each other, to draw lines on."""
    return maps.both_maps(panel(config, "source"), panel(config, "target"), legend=legend)


def diagnosis(run: Run) -> Diagnosis:
    """What a finished run got wrong."""
    return of_run(run, "diagnosis", lambda: metrics.diagnose(
        run.problem, run.pairs, run.plan, run.flow, cost=run.cost, metric=run.config.cost.within,
        near=near(run.config, "source") if run.config.dataset in DATASETS else None, seed=run.config.seed,
    ))  # fmt: skip


def story(run: Run, row: int, *, test: bool) -> Story:
    """What happened to one point of a finished run."""
    return of_run(run, f"story {row} {test}", lambda: metrics.explain_point(
        run.problem, run.pairs, run.plan, run.flow, row, cost=run.cost, test=test, metric=run.config.cost.within,
        seed=run.config.seed,
    ))  # fmt: skip


def scene_of_rows(run: Run, rows: np.ndarray, *, test: bool) -> Scene:
    """The animation of a run with some rows lit."""
    return _of_selection(run, "scene", rows, test, lambda: straight_scene(run, lit=rows, test=test))


def failures_of_rows(run: Run, rows: np.ndarray, *, test: bool) -> Failures:
    """The stage at which each of some rows goes wrong."""
    return _of_selection(run, "failures", rows, test, lambda: _failures(run, rows, test=test))


def _of_selection(run: Run, name: str, rows: np.ndarray, test: bool, make: Callable[[], Any]) -> Any:
    """A result that belongs to some rows of a run, kept for the latest ones."""
    key, kept = (test, rows.tobytes()), of_run(run, f"{name} of the selection", dict)
    if key not in kept:
        kept.clear()
        kept[key] = make()
    return kept[key]


MOST_KEPT = 4
"""Runs of which a session keeps results."""

FOLLOWED = 400
"""Points whose stages are found; their flows from eight draws of the noise each take some seconds."""


def failures(run: Run, *, test: bool) -> Failures:
    """The stage at which each of some test points or training rows goes wrong, taken evenly from all classes."""
    points = (run.problem.test if test and run.problem.test is not None else run.problem).source
    rows = rows_of_all_classes(points, FOLLOWED, seed=run.config.seed)
    return of_run(run, "failures", lambda: _failures(run, rows, test=test))


def _failures(run: Run, rows: np.ndarray, *, test: bool) -> Failures:
    return metrics.failures(
        run.problem, run.pairs, run.plan, run.flow, rows, cost=run.cost, test=test, metric=run.config.cost.within,
        seed=run.config.seed,
    )  # fmt: skip


def plane(run: Run, side: str) -> projection.Map:
    """The map of one side of a run's problem."""
    return of_run(run, f"plane {side}", lambda: projection.fit_map(getattr(run.problem, side).x))


def journey(run: Run) -> Journey:
    """How the flow of a finished run carries some of the points that the player shows."""
    return of_run(run, "journey", lambda: metrics.journey(run.flow, _some_points(run), seed=run.config.seed))


def solver_error(run: Run, solver: str) -> float:
    """The error of an ODE solver on some of the points that the player shows."""
    return of_run(run, f"error of {solver}", lambda: metrics.transport_error(
        run.flow, _some_points(run)[:32], seed=run.config.seed, solver=solver
    ))  # fmt: skip


def baseline_accuracy(run: Run, name: str) -> float | None:
    """The test accuracy of a baseline that is fitted to the pairs of a run; None if it can't be fitted to them."""
    test = run.problem.test
    labels = None if test is None else test.source.labels
    assert test is not None, "the page asks only if there are test points"
    assert labels is not None, "the page asks only if they have labels"

    def fitted() -> float | None:
        try:
            baseline = BASELINES[name]().fit(run.problem, run.pairs, seed=run.config.seed)
        except InputError:
            return None
        return baseline.accuracy(test.source.x, labels)

    return of_run(run, f"accuracy of {name}", fitted)


def _some_points(run: Run) -> np.ndarray:
    x = (run.problem.test or run.problem).source.x
    return x[np.random.default_rng(0).permutation(len(x))[:100]]


def of_run(run: Run, name: str, make: Callable[[], Any]) -> Any:
    """A result that belongs to one run, kept in the session for the last runs that were looked at."""
    kept: list[dict[str, Any]] = st.session_state.setdefault("_analysis", [])
    results = next((one for one in kept if one["run"] is run), None)
    if results is None:
        results = {"run": run}
        kept.insert(0, results)
        del kept[MOST_KEPT:]
    if name not in results:
        results[name] = make()
    return results[name]


@_by("cost", 16, "Trying other fractions …", copy=True)
def _value_of_pairs(config: RunConfig) -> list[float]:
    problem, accuracies = stages.problem(config), []
    labels = labels_of(problem)
    assert labels is not None, "the page asks only if there are labels"
    known = 0 if problem.truth is None else len(problem.truth)
    least = len(np.unique(labels[0])) if config.pairs.cover_classes else 1
    for fraction in FRACTIONS:
        accuracies.append(float("nan"))
        if round(fraction * known) >= least:
            try:
                cost = Pipeline(config.replace(fraction=fraction), known=ChainMap({}, results())).result("cost")
            except InputError:  # such as kcca, which needs two distinct pairs
                continue
            accuracies[-1] = metrics.cost_accuracy(cost, *labels, most=500)
    return accuracies
