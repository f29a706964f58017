"""Rows that are clicked on a map, and pickers of one row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from bridgeviz import Space


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


def rows_inside(event: Any, points: np.ndarray) -> np.ndarray:
    """The numbers of the points in the boxes and lassos that were drawn on a chart.

    Args:
        event: of the chart.
        points: (n, 2) in the units of its axes, whether or not each has a marker.
    """
    drawn = event.get("selection", {}) if event else {}
    inside = np.zeros(len(points), bool)
    for box in drawn.get("box", ()):
        corners = np.sort(np.array([box["x"], box["y"]], float)).T
        inside |= ((points >= corners[0]) & (points <= corners[1])).all(1)
    for lasso in drawn.get("lasso", ()):
        inside |= _in_polygon(points, np.array([lasso["x"], lasso["y"]], float).T)
    return np.flatnonzero(inside)


def _in_polygon(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Whether a ray from each point to the right crosses an odd number of edges."""
    inside = np.zeros(len(points), bool)
    x, y = points.T
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside


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
