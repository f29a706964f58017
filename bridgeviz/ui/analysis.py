"""Cached numbers of the analysis pages: maps, neighbourhoods, the cost's worth, a run's diagnosis.

As in `doors`, each cache is keyed by the settings that its numbers depend on, is bounded, and is shared by sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from bridgeviz import InputError, Problem, Run, RunConfig, metrics
from bridgeviz.costs.atoms import find_atoms
from bridgeviz.couplings import Coupling, LocalCoupling
from bridgeviz.experiments.run import build_cost, sample_pairs
from bridgeviz.metrics import Journey
from bridgeviz.metrics.diagnosis import DRAWS, Diagnosis, diagnose
from bridgeviz.metrics.neighbours import Neighbourhood, neighbourhood
from bridgeviz.metrics.story import Story, explain_point
from bridgeviz.metrics.supervision import CostSample, cost_accuracy, sample_cost
from bridgeviz.ui import doors, thumbnails
from bridgeviz.viz import maps, projection
from bridgeviz.viz.maps import Maps, Panel, class_names, class_order, prepared, space_map

FRACTIONS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""At which the worth of supervision is measured."""


def spaces(config: RunConfig) -> tuple:
    """What the two spaces depend on, hashable."""
    return doors.problem_key(config)


def near(config: RunConfig, side: str) -> Neighbourhood | None:
    """The neighbourhoods of one side; None without labels."""
    return _near(spaces(config), side, config)


def panel(config: RunConfig, side: str) -> Panel:
    """One side as it is drawn: its map, its badge, and what its markers say."""
    return _panel(spaces(config), side, config)


def names(config: RunConfig) -> tuple[np.ndarray, dict[str, str]]:
    """The classes of both sides together, none without labels, and their names by class as text."""
    problem = doors.problem(config)
    classes = class_order(problem)
    if classes is None:
        return np.zeros(0, int), {}
    return classes, dict(zip(map(str, classes), class_names(classes, problem.source, problem.target), strict=True))


def judged(problem: Problem) -> tuple[np.ndarray, np.ndarray] | None:
    """The labels of both sides, to judge by; None where a side has none."""
    source, target = problem.source.labels, problem.target.labels
    return None if source is None or target is None else (source, target)


def space_figure(config: RunConfig, side: str, *, brush: bool = True) -> go.Figure:
    """The map of one side with nothing selected; to brush, or to click on."""
    return _space_figure(spaces(config), side, brush, config)


def both_maps(config: RunConfig, *, legend: bool) -> Maps:
    """Both sides next to each other, to draw lines on."""
    return maps.both_maps(panel(config, "source"), panel(config, "target"), legend=legend)


def sheet(config: RunConfig, side: str) -> dict | None:
    """The pictures of one side, to be shown under the pointer."""
    return _sheet(spaces(config), side, config)


def cost_sample(config: RunConfig) -> CostSample:
    """Entries of the cost, same class and other."""
    return _cost_sample(doors.cost_key(config), config)


def worth(config: RunConfig) -> list[float]:
    """The accuracy of the cheapest target at each of `FRACTIONS`; NaN where that is less than one pair."""
    return _worth(doors.cost_key(replace(config, fraction=1.0, count=None)), config)


def draws(config: RunConfig, size: int = DRAWS) -> tuple[np.ndarray, np.ndarray]:
    """(i, j) drawn from the plan."""
    return _draws(doors.key(config), config, size)


def class_shares_of(
    plan: Coupling | LocalCoupling,
    labels: tuple[np.ndarray, np.ndarray],
    drawn: tuple[np.ndarray, np.ndarray],
    classes: np.ndarray,
) -> np.ndarray:
    """(c, c) which class is sent where, rows summing to 1: exact where there is a plan, else from draws."""
    if not isinstance(plan, LocalCoupling):
        return metrics.class_plan(plan, *labels)[0]
    counts = metrics.confusion(labels[0][drawn[0]], labels[1][drawn[1]], classes=classes)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


def diagnosis(run: Run) -> Diagnosis:
    """What a finished run got wrong; kept beside the run in the session."""
    return _kept(run, "diagnosis", lambda: diagnose(
        run.problem, run.pairs, run.plan, run.flow, cost=run.cost, metric=run.config.distance,
        near=near(run.config, "source") if run.config.dataset != "yours" else None, seed=run.config.seed,
    ))  # fmt: skip


def story(run: Run, row: int, *, test: bool) -> Story:
    """What happened to one point of a finished run."""
    return _kept(run, f"story {row} {test}", lambda: explain_point(
        run.problem, run.pairs, run.plan, run.flow, row, test=test, metric=run.config.distance, seed=run.config.seed
    ))  # fmt: skip


def journey(run: Run) -> Journey:
    """How the flow of a finished run carries some of the points that the player shows."""
    x = (run.problem.test or run.problem).source.x
    rows = np.random.default_rng(0).permutation(len(x))[:100]
    return _kept(run, "journey", lambda: metrics.journey(run.flow, x[rows], seed=run.config.seed))


def _kept(run: Run, name: str, make: Callable[[], Any]) -> Any:
    """A result that belongs to one run object: forgotten when another run takes its place."""
    kept: dict[str, Any] | None = st.session_state.get("_analysis")
    if kept is None or kept["run"] is not run:
        kept = st.session_state["_analysis"] = {"run": run}
    if name not in kept:
        kept[name] = make()
    return kept[name]


@st.cache_resource(max_entries=12, show_spinner="Finding neighbours …")
def _near(key: tuple, side: str, _config: RunConfig) -> Neighbourhood | None:
    space = getattr(doors.problem(_config), side)
    return None if space.labels is None else neighbourhood(space.x, space.labels)


@st.cache_resource(max_entries=12, show_spinner="Drawing the map …")
def _panel(key: tuple, side: str, _config: RunConfig) -> Panel:
    problem = doors.problem(_config)
    space = getattr(problem, side)
    found = projection.fit_map(space.x)
    points = found.project(space.x)
    distinct = find_atoms(space.x).rows
    trust = projection.trustworthiness(space.x[distinct], points[distinct])
    badge = f"PCA: {found.variance_share:.0%} of the variance, trustworthiness {trust:.2f}"
    close = near(_config, side)
    return prepared(Panel(points, space, badge, class_order(problem), None if close is None else close.overlap))


@st.cache_resource(max_entries=12, show_spinner=False)
def _space_figure(key: tuple, side: str, brush: bool, _config: RunConfig) -> go.Figure:
    return space_map(panel(_config, side), brush=brush)


@st.cache_resource(max_entries=8, show_spinner=False)
def _sheet(key: tuple, side: str, _config: RunConfig) -> dict | None:
    return thumbnails.contact_sheet(getattr(doors.problem(_config), side))


@st.cache_data(max_entries=32, show_spinner="Measuring the cost …")
def _cost_sample(key: tuple, _config: RunConfig) -> CostSample:
    cost, labels = doors.cost(_config), judged(doors.problem(_config))
    assert cost is not None, "the page asks only where there is a cost"
    assert labels is not None, "the page asks only where there are labels"
    return sample_cost(cost, *labels, seed=_config.seed)


@st.cache_data(max_entries=16, show_spinner="Trying other fractions …")
def _worth(key: tuple, _config: RunConfig) -> list[float]:
    problem, out = doors.problem(_config), []
    labels = judged(problem)
    assert labels is not None, "the page asks only where there are labels"
    known = 0 if problem.truth is None else len(problem.truth)
    least = len(np.unique(labels[0])) if _config.cover_classes else 1
    for fraction in FRACTIONS:
        if round(fraction * known) < least:
            out.append(float("nan"))
            continue
        config = replace(_config, fraction=fraction, count=None)
        try:
            cost = build_cost(problem, sample_pairs(problem, config), config)
        except InputError:  # such as kcca, which needs two distinct pairs
            out.append(float("nan"))
            continue
        assert cost is not None, "only the strategy true has no cost"
        out.append(cost_accuracy(cost, *labels, most=500))
    return out


@st.cache_data(max_entries=16, show_spinner="Drawing from the plan …")
def _draws(key: tuple, _config: RunConfig, size: int) -> tuple[np.ndarray, np.ndarray]:
    plan = doors.plan(_config)
    if isinstance(plan, Coupling) and plan.advice and not plan.mass > 0:
        raise InputError(plan.advice)  # what to try says more than that nothing can be drawn
    return plan.sample(_config.seed, size)
