"""Runs side by side: settings and numbers of two, the animations, and the points that changed sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from bridgeviz import Run, RunConfig
from bridgeviz.experiments import remedy, texts_of
from bridgeviz.experiments import scene as straight_scene
from bridgeviz.metrics import changed_sides
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import brushing, live, thumbnails
from bridgeviz.ui.panels.more_runs import interval, of_seeds
from bridgeviz.ui.panels.player import player
from bridgeviz.ui.state import controls, selection, values
from bridgeviz.ui.state.selection import Selection
from bridgeviz.ui.state.summary import summary
from bridgeviz.ui.text import literal
from bridgeviz.ui.work import runs as work_runs
from bridgeviz.viz.changes import NAMES, changes_map
from bridgeviz.viz.words import counted

SHOWN = 12
"""Pictures of points that were won, and of those that were lost."""

NUMBERS = {
    "matching_accuracy": "Coupling: right class",
    "test_accuracy": "Flow: right on new points",
    "plan_foscttm": "Coupling: nearer than the partner",
    "test_foscttm": "Flow: nearer than the partner (new points)",
    "flow_foscttm": "Flow: nearer than the partner",
    "test_prediction_error": "Flow: error per neuron",
}
"""The numbers that are compared, and their names."""

NUMBER = "test_accuracy"
"""The number whose ranges over seeds are compared."""


def others(config: RunConfig) -> None:
    """Buttons that train the same settings with one thing changed."""
    st.header("Try another ...")
    choices = {
        "twice the pairs": remedy("pair", config).config,
        "the global strategy": None if config.strategy == "global" else config.replace(strategy="global"),
        "the pairs alone": None if config.strategy == "true" else config.replace(strategy="true"),
        "the bridge": _cost(config, "bridge"),
        "the diffusion bridge": _cost(config, "diffusion_bridge"),
        "twice the steps": remedy("flow", config).config,
        "another seed": config.replace(seed=config.seed + 1),
    }
    offered = {label: changed for label, changed in choices.items() if changed is not None}
    for column, (label, changed) in zip(st.columns(len(offered)), offered.items(), strict=True):
        column.button(label, key=f"try_{label}", on_click=live.train_with, args=(changed,), width="stretch")
    st.caption(f"Each trains: {literal(summary(config))}, with that one thing changed, and compares the two.")


def _cost(config: RunConfig, name: str) -> RunConfig | None:
    return config.replace(cost=name) if config.coupling.uses_cost and config.cost.name != name else None


def chosen(runs: list[Run]) -> tuple[Run, Run, list[Run]]:
    """The two runs that the visitor compares, at first the latest one with the one before, and further ones to play."""

    def name(place: int) -> str:
        accuracy = runs[place].metrics.get("test_accuracy")
        return ("" if accuracy is None else f"{accuracy:.1%} right: ") + summary(runs[place].config)

    places = list(range(len(runs)))
    left, right = st.columns(2)
    first = left.selectbox("Before", places, index=1, format_func=name, key=f"before_{id(runs[0])}")
    second = right.selectbox("After", places, index=0, format_func=name, key=f"after_{id(runs[0])}")
    more = [place for place in places if place not in (first, second)]
    also = st.multiselect("Play as well", more, format_func=name, key=f"also_{id(runs[0])}") if more else []
    return runs[first], runs[second], [runs[place] for place in also]


def differences(before: Run, after: Run, trained: list[Run]) -> None:
    """The settings that differ, with a warning if several do, and the numbers of both.

    Args:
        before, after: the runs.
        trained: the runs of the session, among which other seeds are looked for.
    """
    texts = [texts_of(run.config) for run in (before, after)]
    read = {one.key: one.label for text in texts for one in controls.shown(values.settings(), text)}
    changed = [key for key in read if texts[0][key] != texts[1][key]]
    left, right = st.columns(2)
    with left:
        st.markdown(f"**{counted(len(changed), 'setting')} {'differs' if len(changed) == 1 else 'differ'}**")
        table = [{"setting": read[key], "before": texts[0][key], "after": texts[1][key]} for key in changed]
        if table:
            st.dataframe(pd.DataFrame(table), hide_index=True, key="changed_settings")
    if len(changed) > 1:
        st.warning(
            "More than one setting differs, so that no change can be put down to any one of them.",
            icon=":material/rule:",
        )
    with right:
        st.markdown("**What became of it**")
        known = [*work_runs.listed(), *trained]
        seeds = {title: of_seeds(run, known) for title, run in (("before", before), ("after", after))}
        numbers = []
        for name, title in NUMBERS.items():
            if name in before.metrics and name in after.metrics:
                one = {"number": title, "before": before.metrics[name], "after": after.metrics[name]}
                one["difference"] = one["after"] - one["before"]
                for side, every in seeds.items():
                    if len(every) > 1:
                        one[f"{side}, over seeds"] = interval([metrics[name] for metrics in every if name in metrics])
                numbers.append(one)
        columns = {name: st.column_config.NumberColumn(format="%.3f") for name in ("before", "after")}
        columns["difference"] = st.column_config.NumberColumn(format="%+.3f")
        st.dataframe(pd.DataFrame(numbers), hide_index=True, key="changed_numbers", column_config=columns)
    if before.config.replace(seed=after.config.seed) != after.config:
        _doubt(*([metrics[NUMBER] for metrics in seeds[side] if NUMBER in metrics] for side in ("before", "after")))


def _doubt(before: list[float], after: list[float]) -> None:
    """Whether seeds alone could make the difference, as far as several were trained."""
    if min(len(before), len(after)) < 2:
        st.caption(
            "Another seed alone also changes the numbers. **another seed** below shows by how much: with two seeds or "
            "more on both sides, their ranges stand here."
        )
        return
    apart = max(before) < min(after) or max(after) < min(before)
    text = "do not overlap: the change does more than a seed does" if apart else "overlap: seeds alone might explain it"
    st.caption(f"Right on new points, {interval(before)} before and {interval(after)} after: the ranges {text}.")


def animations(runs: list[Run], chosen: Selection | None) -> None:
    """The players of several runs; they show the same time and point to the same point.

    They have the same axes if the data are the same.

    Args:
        runs: before, after, and any others.
        chosen: the selection, whose paths are drawn; None unless it is of the data of all.
    """
    rows = None if chosen is None else selection.source_points(runs[1].problem, chosen)
    with guard():
        if chosen is None or rows is None:
            scenes = [analysis.of_run(run, "scene", partial(straight_scene, run)) for run in runs]
        else:
            scenes = [analysis.scene_of_rows(run, rows, test=chosen.tested) for run in runs]
    same = all(same_data(runs[0], run) for run in runs)
    columns = [column for _ in range(0, len(runs), 2) for column in st.columns(2)]
    for place, (column, run) in enumerate(zip(columns, runs, strict=False)):
        with column:
            title = ("Before", "After")[place] if place < 2 else literal(summary(run.config))
            st.markdown(f"**{title}**")
            others = [scene for k, scene in enumerate(scenes) if k != place] if same else []
            player(scenes[place], key=f"compare_{place}", clock="compare", beside=others)


def same_data(before: Run, after: Run) -> bool:
    """Whether both runs are of the same data, so that a row of one is a row of the other."""
    return before.config.key("load") == after.config.key("load")


def sides(before: Run, after: Run) -> np.ndarray | None:
    """What became of each point between two runs; None without labels or of different data."""
    if not same_data(before, after) or analysis.labels_of(before.problem) is None:
        return None
    with guard():
        return changed_sides(analysis.diagnosis(before), analysis.diagnosis(after))


def groups(changed: np.ndarray | None, after: Run) -> dict[str, Callable[[], Selection]]:
    """What can be selected by what became of it, by name."""
    if changed is None:
        return {}
    tested = analysis.diagnosis(after).tested
    rows = {side: np.flatnonzero(changed == side) for side in ("won", "lost", "wrong")}

    def make(side: str) -> Callable[[], Selection]:
        name = {"won": "won by the change", "lost": "lost by the change", "wrong": "wrong in both runs"}[side]
        return partial(Selection, "source", rows[side], name, tested=tested)

    return {
        f"{NAMES[side].capitalize()} ({len(rows[side]):,})": make(side) for side in rows if len(rows[side])
    }  # fmt: skip


def points(before: Run, after: Run, changed: np.ndarray | None, chosen: Selection | None) -> None:
    """The points that were won and lost, on the source map, where they can be selected, and as pictures.

    Args:
        before, after: the runs.
        changed: from `sides`.
        chosen: the selection, which is ringed.
    """
    st.header("Which points changed sides?")
    if not same_data(before, after):
        st.info("The two runs are of different data, so that no point is in both.", icon=":material/difference:")
        return
    if changed is None:
        st.info("Without labels on both sides, no point is right or wrong.", icon=":material/label_off:")
        return
    was, now = analysis.diagnosis(before), analysis.diagnosis(after)
    space = selection.part_of(after.problem, now.tested).source
    _, names = analysis.names(after.config)
    counts = {side: int((changed == side).sum()) for side in ("won", "lost", "right", "wrong")}
    st.markdown(
        f"Of {counted(len(changed), 'point')}, **{counts['won']:,} were won** and **{counts['lost']:,} were lost**; "
        f"{counts['right']:,} are right in both runs, {counts['wrong']:,} wrong in both."
    )
    plane = analysis.plane(after, "source")
    texts = [
        f"row {row}: {names[str(label)]}<br>before: {names[str(a)]}, after: {names[str(b)]}"
        for row, (label, a, b) in enumerate(zip(now.labels, was.predicted, now.predicted, strict=True))
    ]
    left, right = st.columns(2)
    with left:
        brushing.ringed(
            partial(changes_map, plane.project(space.x), changed, texts), after.problem, chosen, key="changes",
            tested=now.tested, alt="points that changed sides, in the source",
        )  # fmt: skip
        st.caption(
            f"PCA of the source: {plane.variance_share:.0%} of the variance. Click a point, or draw a lasso around "
            "several, to see their paths above."
        )
    with right:
        for side in ("won", "lost"):
            rows = np.flatnonzero(changed == side)[:SHOWN]
            if len(rows):
                st.markdown(f"**{side.capitalize()}**")
                _pictures(space, rows, was.predicted, now.predicted, names)


def _pictures(space, rows: np.ndarray, was: np.ndarray, now: np.ndarray, names: Mapping[str, str]) -> None:
    """Pictures of some rows, or their numbers, with the classes in which they arrived."""
    captions = [f"row {row}: {names[str(was[row])]} → {names[str(now[row])]}" for row in rows]
    if not thumbnails.of_rows(space, rows, captions):
        st.caption(literal("; ".join(captions)) + ".")
