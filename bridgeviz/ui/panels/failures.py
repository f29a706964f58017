"""Where a run's errors come from: their stages, what to change, both maps, and whether the flow knows its doubts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import streamlit as st

from bridgeviz import Run
from bridgeviz.experiments import remedy
from bridgeviz.metrics import Diagnosis, Failures, reliability
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import brushing, charts, remedies, table
from bridgeviz.ui.state import selection
from bridgeviz.ui.state.selection import Selection
from bridgeviz.ui.text import literal
from bridgeviz.viz.failures import failure_map, reliability_curve
from bridgeviz.viz.words import counted

BY = {"stage": "stage of failure", "error": "right or wrong", "certainty": "certainty"}


def summary(run: Run, found: Failures) -> None:
    """The stages by the number of points that go wrong there, each with what to change."""
    st.header("Where do the errors come from?")
    total, wrong = len(found.rows), sum(found.counts.values())
    undecided = int((found.stages == "undecided").sum())
    st.markdown(
        f"Of {counted(total, 'point')} followed from {counted(found.noises, 'draw')} of the noise each, **{wrong:,} go "
        f"wrong** and {undecided:,} are undecided. A point is counted at the first stage that goes wrong."
    )
    labels = np.asarray(run.problem.source.labels)
    covered = len(np.unique(labels[np.asarray(run.pairs)[:, 0]])) == len(np.unique(labels))
    for stage, count in found.counts.items():
        change = remedy(stage, run.config, uncovered=not covered)
        text = f"**{count / wrong:.0%} {stage}**: {counted(count, 'point')}. {literal(change.why)}"
        remedies.stage(stage, text, change.what, change.config)


def groups(diagnosis: Diagnosis, found: Failures | None) -> dict[str, Callable[[], Selection]]:
    """What can be selected by what became of it, by name.

    Args:
        diagnosis: of a run.
        found: the points that were followed; None without any.
    """

    def make(rows: np.ndarray, name: str) -> Callable[[], Selection]:
        return partial(Selection, "source", np.sort(rows), name, tested=diagnosis.tested)

    wrong = np.flatnonzero(diagnosis.labels != diagnosis.predicted)
    kinds = {f"All {counted(len(wrong), 'point')} in a wrong class": make(wrong, "all wrong")} if len(wrong) else {}
    if found is not None:
        for stage in ("undecided", *found.counts):
            rows = found.rows[found.stages == stage]
            if len(rows):
                what = "undecided" if stage == "undecided" else f"wrong at: {stage}"
                kinds[f"{what[0].upper()}{what[1:]} ({len(rows):,} of those followed)"] = make(rows, what)
    return kinds


def group(run: Run, chosen: Selection) -> None:
    """The story of the selected rows as a group: at which stage they go wrong."""
    rows = selection.source_points(run.problem, chosen)
    if rows is None or not len(run.pairs):
        st.caption("The selected rows have no known counterpart in the source, so that no story can be told of them.")
        return
    rows = np.sort(np.random.default_rng(0).permutation(rows)[: table.MOST])
    with guard(), st.spinner("Following the selected points …"):
        found = analysis.failures_of_rows(run, rows, test=chosen.tested)
    some = f" (random ones of {len(chosen.rows):,})" if len(rows) < len(chosen.rows) else ""
    wrong = [f"{count:,} at the {stage}" for stage, count in found.counts.items()]
    told = [f"{sum(found.counts.values()):,} go wrong{': ' if wrong else ''}{', '.join(wrong)}"]
    told += [f"{int((found.stages == kind).sum()):,} are {kind}" for kind in ("undecided", "right")]
    st.markdown(
        f"**Of the selected {counted(len(rows), 'point')}**{some}, {'; '.join(told)}. On average, "
        f"{found.own.mean():.0%} of the draws end in the own class, and {found.overlap.mean():.0%} of the neighbours "
        "are of another class."
    )


def maps(
    run: Run, found: Failures, names: Mapping[str, str], story: str, chosen: Selection | None = None
) -> None:  # fmt: skip
    """The points in the source and where they arrive; a click selects one and tells its story, a lasso selects many.

    Args:
        run: that was evaluated.
        found: its points.
        names: of the classes.
        story: the key of the control that picks the point whose story is told.
        chosen: the selection, which is ringed.
    """
    by = st.segmented_control(
        "Colour by", list(BY), default="stage", required=True, format_func=BY.__getitem__, key="failures_by"
    )
    problem = run.problem
    points = selection.part_of(problem, found.tested).source
    texts = [
        f"row {row}: {names[str(label)]}, {own:.0%} of the draws arrive there<br>{stage}"
        for row, label, own, stage in zip(found.rows, found.labels, found.own, found.stages, strict=True)
    ]
    sides = {
        "source": (problem.source.x, points.x[found.rows], "In the source"),
        "target": (problem.target.x, found.ends, "Where they arrive"),
    }
    for (side, (space, ends, title)), column in zip(sides.items(), st.columns(2), strict=True):
        plane = analysis.plane(run, side)
        with column:
            st.markdown(f"**{title}**")
            draw = partial(
                failure_map, plane.project(space), plane.project(ends), found, texts, by=by or "stage"
            )  # fmt: skip
            brushing.ringed(
                draw, problem, chosen, key=f"failures_{side}", tested=found.tested, story=story,
                alt=f"{title.lower()}: points by {BY[by or 'stage']}",
            )  # fmt: skip
            st.caption(
                f"PCA of the {side}: {plane.variance_share:.0%} of the variance. Click a point to read its story, or "
                "draw a lasso around several."
            )


def calibration(found: Failures) -> None:
    """Whether the flow is as often right as its draws agree."""
    st.header("Does the flow know when it is wrong?")
    about = reliability(found)
    left, right = st.columns([3, 2], vertical_alignment="center")
    charts.draw(left, reliability_curve(about), key="reliability", alt="share of right points by certainty")
    over = float((about.sure - about.right) @ about.counts / about.counts.sum())
    tendency = "more sure than right" if over > 0 else "more often right than sure"
    right.markdown(
        "The draws of the noise from one point may end in different classes. Where most of them agree, is the point "
        f"right? On average the flow is {abs(over):.0%} {tendency}; its expected calibration error is "
        f"{about.error:.0%}."
    )
