"""The errors of a run: by class, and one point at a time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from bridgeviz import Run, Space
from bridgeviz.metrics import Diagnosis
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import charts, story, thumbnails
from bridgeviz.viz.diagnosis import confusion_heatmap, overlap_against_error

_PICTURES, _WORST, _OTHERS = 16, 200, 300
"""How many of the worst points are shown and listed, and how many of the others are listed."""


def by_class(diagnosis: Diagnosis, names: Mapping[str, str]) -> None:
    """Where the points of each class arrive, and whether overlapping classes fail."""
    known = [names[str(c)] for c in diagnosis.classes]
    left, right = st.columns(2)
    left.header("Where do they arrive?")
    charts.draw(left, confusion_heatmap(diagnosis, known), key="confusion", alt="confusion of classes")
    right.header("Do overlapping classes fail?")
    charts.draw(
        right, overlap_against_error(diagnosis, known), key="overlap_error", alt="overlap against error by class"
    )


def story_key(run: Run) -> str:
    """The key of the control that picks the point whose story is told."""
    return f"point_{id(run)}"


def one_point(
    run: Run, diagnosis: Diagnosis, points: Space, classes: np.ndarray, names: Mapping[str, str], listed: np.ndarray
) -> None:  # fmt: skip
    """The worst points, and the story of one that the visitor picks.

    Args:
        run: that was evaluated.
        diagnosis: of the run.
        points: the points that were evaluated.
        classes: of both sides, whose order gives the colours.
        names: of the classes.
        listed: rows that can be picked, beside the worst and some others.
    """
    wrong = np.flatnonzero(diagnosis.labels != diagnosis.predicted)
    worst = np.argsort(diagnosis.margin)[:1]
    if len(wrong):
        worst = wrong[np.argsort(diagnosis.margin[wrong], kind="stable")]
        st.markdown("The worst points, furthest from their own class:")
    else:
        st.markdown("Nothing went wrong. The least certain point:")
    shown = worst[:_PICTURES]
    captions = [f"{_way(diagnosis, names, row)}, row {row}" for row in shown]
    thumbnails.of_rows(points, shown, captions, wrong=(diagnosis.labels != diagnosis.predicted)[shown])
    thumbnails.note(points)
    _picked_story(run, diagnosis, points, worst, classes, names, listed)


@st.fragment
def _picked_story(
    run: Run, diagnosis: Diagnosis, points: Space, worst: np.ndarray, classes: np.ndarray, names: Mapping[str, str],
    listed: np.ndarray,
) -> None:  # fmt: skip
    """Only this part of the page runs again when another point is picked."""
    others = np.setdiff1d(np.arange(len(points)), worst)[:_OTHERS]
    options = dict.fromkeys([*worst[:_WORST].tolist(), *others.tolist(), *listed.tolist()])
    row = st.selectbox(
        "Point", list(options), key=story_key(run),
        format_func=lambda row: f"row {row}: {_way(diagnosis, names, row)}",
    )  # fmt: skip
    row = int(worst[0]) if row is None else row
    with guard():
        result = analysis.story(run, row, test=diagnosis.tested)
        story.show(run, result, points, row, classes, names)
    if result.right is not False and diagnosis.predicted[row] != diagnosis.labels[row]:
        others = "most draws do not" if result.right else "other draws do not"
        st.caption(f"The draw of the noise that was evaluated above went wrong; {others}.")


def _way(diagnosis: Diagnosis, names: Mapping[str, str], row: int) -> str:
    """A point's class and the one in which it arrived."""
    return f"{names[str(diagnosis.labels[row])]} → {names[str(diagnosis.predicted[row])]}"
