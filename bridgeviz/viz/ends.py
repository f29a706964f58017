"""Where points end while a flow trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from bridgeviz.viz.figure import figure
from bridgeviz.viz.maps import MOST_NAMES
from bridgeviz.viz.palette import COLOURS, GREY, WRONG, colour, symbol

if TYPE_CHECKING:
    from bridgeviz.experiments import Glimpse


def ends_map(glimpse: Glimpse) -> go.Figure:
    """The ends of some points on the map of the target, over some of the target's own points.

    A point that decodes to another class than its own has a red ring. The axes are those of the target's points, which
    do not move while a flow trains.
    """
    several = len(glimpse.names) > 1
    low, high = glimpse.targets.min(0), glimpse.targets.max(0)
    room = 0.2 * float((high - low).max() or 1.0)
    shown = colour if several else (lambda _: COLOURS[0])
    behind = {
        "x": glimpse.targets[:, 0], "y": glimpse.targets[:, 1], "mode": "markers", "hoverinfo": "skip",
        "name": "the target", "marker": {
            "size": 9, "opacity": 0.25, "color": [shown(k) for k in glimpse.target_labels] if several else GREY,
        },
    }  # fmt: skip
    ways = [f"{glimpse.names[a]} → {glimpse.names[b]}" for a, b in zip(glimpse.labels, glimpse.decoded, strict=True)]
    points = {
        "x": glimpse.ends[:, 0], "y": glimpse.ends[:, 1], "mode": "markers", "name": "points",
        "text": ways if several else None, "hoverinfo": "text" if several else "skip",
        "marker": {
            "size": 6, "color": [shown(k) for k in glimpse.labels], "symbol": [symbol(k) for k in glimpse.labels],
        },
    }  # fmt: skip
    traces: list[dict[str, Any]] = [behind, points]
    wrong = np.flatnonzero(glimpse.labels != glimpse.decoded)
    if several:
        traces.append({
            "x": glimpse.ends[wrong, 0], "y": glimpse.ends[wrong, 1], "mode": "markers", "hoverinfo": "skip",
            "name": "wrong", "marker": {"size": 10, "symbol": "circle-open", "color": WRONG, "line": {"width": 1}},
        })  # fmt: skip
    if several and len(glimpse.names) <= MOST_NAMES:
        traces.append(_names(glimpse))
    axis = {"visible": False, "showgrid": False, "zeroline": False}
    ranges = [[float(low[k] - room), float(high[k] + room)] for k in (0, 1)]
    return figure(
        traces, height=470, margin={"l": 4, "r": 4, "t": 30, "b": 4}, showlegend=False, uirevision="ends",
        x=axis | {"range": ranges[0]}, y=axis | {"range": ranges[1], "scaleanchor": "x"},
        title={"text": f"where the test points end, step {glimpse.step:,}", "font": {"size": 14}},
    )  # fmt: skip


def _names(glimpse: Glimpse) -> dict[str, Any]:
    """The names of the classes at the middle of their target points."""
    there = np.unique(glimpse.target_labels)
    middle = np.stack([glimpse.targets[glimpse.target_labels == k].mean(0) for k in there])
    return {
        "x": middle[:, 0], "y": middle[:, 1], "mode": "text", "text": [f"<b>{glimpse.names[k]}</b>" for k in there],
        "textposition": "top center", "textfont": {"size": 14}, "hoverinfo": "skip",
    }  # fmt: skip
