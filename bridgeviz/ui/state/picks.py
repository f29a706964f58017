"""Rows that are clicked on a map, and pickers of one row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from bridgeviz import Space


class Brush(NamedTuple):
    """What a visitor clicked or brushed on a chart.

    Attributes:
        rows: the sorted numbers of the rows whose markers it holds: their `customdata`.
        boxes: (b, 2, 2) corners of boxes, in the units of the axes.
        lassos: (k, 2) corners of each lasso, likewise.
        x: where the first of the markers stands on the first axis; None without one.
    """

    rows: np.ndarray
    boxes: np.ndarray
    lassos: list[np.ndarray]
    x: float | None = None

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> Brush:
        """A brush from the browser's message."""
        corners = [np.array([drawn["x"], drawn["y"]], float).T for drawn in (*event["boxes"], *event["lassos"])]
        boxes = len(event["boxes"])
        rows = np.unique(np.asarray([row for row in event["rows"] if isinstance(row, int)], np.int64))
        return cls(rows, np.sort(np.array(corners[:boxes]).reshape(-1, 2, 2), axis=1), corners[boxes:], event.get("x"))

    @property
    def tool(self) -> str:
        """Plotly's name of the tool that drew it."""
        return "lasso" if self.lassos else "select"

    def inside(self, points: np.ndarray) -> np.ndarray:
        """The numbers of the points in its boxes and lassos.

        Args:
            points: (n, 2) in the units of the axes, whether or not each has a marker.
        """
        inside = np.zeros(len(points), bool)
        for low, high in self.boxes:
            inside |= ((points >= low) & (points <= high)).all(1)
        for lasso in self.lassos:
            inside |= _in_polygon(points, lasso)
        return np.flatnonzero(inside)


def _in_polygon(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Whether a ray from each point to the right crosses an odd number of edges."""
    inside = np.zeros(len(points), bool)
    x, y = points.T
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside


def start_value(key: str, value: int, size: int) -> None:
    """Give a row picker its first value, and a new one if the row that it holds no longer exists."""
    if not 0 <= st.session_state.get(key, -1) < size:
        st.session_state[key] = value


def class_suffix(space: Space, row: int, names: Mapping[str, str]) -> str:
    """The class of a row in brackets after a space, or nothing without labels."""
    return "" if space.labels is None else f" ({names[str(space.labels[row])]})"
