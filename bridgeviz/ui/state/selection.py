"""What was brushed or clicked on a map, and where its true counterparts are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from bridgeviz import Problem, Space

_BRUSH = "_brush_"


def picked_rows(event: Any) -> np.ndarray:
    """The row numbers of the markers selected on a chart whose `customdata` are row numbers."""
    points = [] if not event else event.get("selection", {}).get("points", [])
    rows = []
    for point in points:
        row = point.get("customdata")
        row = row[0] if isinstance(row, (list, tuple)) else row
        if row is not None:
            rows.append(int(row))
    return np.unique(np.asarray(rows, np.int64))


class Brush(NamedTuple):
    """What was brushed on a chart.

    Attributes:
        of: what the row numbers belong to.
        rows: the brushed rows.
        drawn: those that the chart shows from the start. They stay the same while a visitor is on the page, because
            Plotly forgets what is brushed on a chart when its figure changes.
    """

    of: Any
    rows: np.ndarray
    drawn: np.ndarray


def brush(chart: str, of: Any) -> Brush:
    """What is brushed on a chart, also if that was before a visit to another page.

    Args:
        chart: the key of the chart, before it is drawn; its `on_select` must be `keep_brush`.
        of: what its row numbers belong to, such as the settings of the data.
    """
    kept: Brush | None = st.session_state.get(_BRUSH + chart)
    none = np.zeros(0, np.int64)
    if kept is None or kept.of != of:
        kept = Brush(of, none, none)
    elif chart not in st.session_state:  # it is drawn for the first time since the visitor came
        kept = kept._replace(drawn=kept.rows)
    st.session_state[_BRUSH + chart] = kept
    return kept


def keep_brush(chart: str) -> None:
    """A chart's callback: remember what is brushed on it."""
    kept: Brush = st.session_state[_BRUSH + chart]
    st.session_state[_BRUSH + chart] = kept._replace(rows=picked_rows(st.session_state.get(chart)))


def counterparts(problem: Problem, rows: np.ndarray) -> np.ndarray | None:
    """The target rows known to correspond to some source rows; None if nothing is selected or nothing is known."""
    if not len(rows) or problem.truth is None:
        return None
    return problem.truth[np.isin(problem.truth[:, 0], rows), 1]


def pick(chart: str, into: str) -> None:
    """A chart's callback: put the clicked row into the state of another widget."""
    rows = picked_rows(st.session_state.get(chart))
    if len(rows):
        st.session_state[into] = int(rows[0])


def start_value(key: str, value: int, size: int) -> None:
    """Give a row picker its first value, and a new one if the row that it holds no longer exists."""
    if not 0 <= st.session_state.get(key, -1) < size:
        st.session_state[key] = value


def class_suffix(space: Space, row: int, names: Mapping[str, str]) -> str:
    """The class of a row in brackets after a space, or nothing without labels."""
    return "" if space.labels is None else f" ({names[str(space.labels[row])]})"
