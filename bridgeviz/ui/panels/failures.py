"""Where a run's errors come from: their stages, what to change, both maps, and whether the flow knows its doubts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from bridgeviz import Run
from bridgeviz.experiments import remedy
from bridgeviz.metrics import Failures, reliability
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.panels import live
from bridgeviz.ui.state import selection
from bridgeviz.ui.text import literal
from bridgeviz.viz.failures import failure_map, reliability_curve
from bridgeviz.viz.words import counted

BY = {"stage": "stage of failure", "error": "right or wrong", "certainty": "certainty"}


def summary(run: Run, found: Failures) -> None:
    """The stages by the number of points that go wrong there, each with what to change."""
    st.subheader("Where do the errors come from?")
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
        text, button = st.columns([3, 2], vertical_alignment="center")
        text.markdown(f"**{count / wrong:.0%} {stage}**: {counted(count, 'point')}. {literal(change.why)}")
        if change.config is not None:
            button.button(
                f"{change.what}, and train again", key=f"mend_{stage}", on_click=live.train_with, args=(change.config,),
                icon=":material/build:", width="stretch",
            )  # fmt: skip


def maps(run: Run, found: Failures, names: Mapping[str, str], story: str) -> None:
    """The points in the source and where they arrive; a click tells the story of one.

    Args:
        run: that was evaluated.
        found: its points.
        names: of the classes.
        story: the key of the control that picks the point whose story is told.
    """
    by = st.segmented_control(
        "Colour by", list(BY), default="stage", required=True, format_func=BY.__getitem__, key="failures_by"
    )
    problem = run.problem
    points = (problem.test if found.tested and problem.test is not None else problem).source
    texts = [
        f"row {row}: {names[str(label)]}, {own:.0%} of the draws arrive there<br>{stage}"
        for row, label, own, stage in zip(found.rows, found.labels, found.own, found.stages, strict=True)
    ]
    sides = {
        "source": (problem.source.x, points.x[found.rows], "In the source"),
        "target": (problem.target.x, found.ends, "Where they arrive"),
    }
    for (side, (space, chosen, title)), column in zip(sides.items(), st.columns(2), strict=True):
        plane = analysis.plane(run, side)
        with column:
            st.markdown(f"**{title}**")
            key = f"failures_{side}"
            st.plotly_chart(
                failure_map(plane.project(space), plane.project(chosen), found, texts, by=by or "stage"), key=key,
                on_select=lambda key=key: selection.pick(key, story), selection_mode="points",
                config={"displaylogo": False}, alt=f"{title.lower()}: points by {BY[by or 'stage']}",
            )  # fmt: skip
            st.caption(
                f"PCA of the {side}: {plane.variance_share:.0%} of the variance. Click a point to read its story."
            )


def calibration(found: Failures) -> None:
    """Whether the flow is as often right as its draws agree."""
    st.subheader("Does the flow know when it is wrong?")
    about = reliability(found)
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.plotly_chart(reliability_curve(about), key="reliability", alt="share of right points by certainty")
    over = float((about.sure - about.right) @ about.counts / about.counts.sum())
    tendency = "more sure than right" if over > 0 else "more often right than sure"
    right.markdown(
        "The draws of the noise from one point may end in different classes. Where most of them agree, is the point "
        f"right? On average the flow is {abs(over):.0%} {tendency}; its expected calibration error is "
        f"{about.error:.0%}."
    )
