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
