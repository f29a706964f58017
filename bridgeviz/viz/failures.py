"""Where points go wrong: on both maps, by stage, and how sure the flow is of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from bridgeviz.viz.figure import figure
from bridgeviz.viz.maps import plain_map, ring
from bridgeviz.viz.palette import COLOURS, GREY, WRONG

if TYPE_CHECKING:
    from bridgeviz.metrics import Failures, Reliability

MARKS: Mapping[str, tuple[str, str]] = {
    "right": (GREY, "circle-open"),
    "found": (GREY, "circle-open"),
    "undecided": (COLOURS[7], "star"),
    "overlap": (COLOURS[0], "circle"),
    "pair": (COLOURS[1], "square"),
    "cost": (COLOURS[2], "diamond"),
    "coupling": (COLOURS[5], "triangle-up"),
    "flow": (COLOURS[3], "x"),
    "wrong": (WRONG, "x"),
}
"""The colour and the shape of a point by its stage, or by whether it is right."""

FINE = ("right", "found")
"""Stages of points with which nothing is wrong; they are drawn smaller."""

BEHIND = 1_500
"""Rows of the space that are drawn behind the points, at most."""


def groups(found: Failures, by: str) -> np.ndarray:
    """(k,) the group of each point: its stage, or "right", "undecided" and "wrong"."""
    if by == "stage":
        return found.stages
    return np.where(np.isin(found.stages, ("right", "undecided")), found.stages, "wrong")


def failure_map(
    behind: Float[np.ndarray, "n 2"], points: Float[np.ndarray, "k 2"], found: Failures, texts: Sequence[str], *,
    by: str = "stage", legend: bool = True, lit: np.ndarray | None = None,
) -> go.Figure:  # fmt: skip
    """The points on the map of one space. Each marker's `customdata` is its row number.

    Args:
        behind: the rows of the space, drawn faintly.
        points: where the points are on the map.
        found: what happened to them.
        texts: (k,) of the hover.
        by: "stage", "error", or "certainty", the share of the draws that end in the own class.
        legend: whether the groups are named.
        lit: rows that are ringed.
    """
    if by != "certainty":
        return stage_map(behind, points, found.rows, groups(found, by), texts, lit=lit, legend=legend)
    marker = {
        "color": found.own, "colorscale": "Viridis", "cmin": 0, "cmax": 1, "size": 8,
        "colorbar": {"title": {"text": "draws in<br>own class"}, "tickformat": ".0%", "thickness": 12},
        "showscale": legend,
    }  # fmt: skip
    traces = [_behind(behind), _at(points, found.rows, texts, np.arange(len(points))) | {"marker": marker}]
    return plain_map([*traces, *_rings(points, found.rows, lit)], legend=False)


def stage_map(
    behind: Float[np.ndarray, "n 2"], points: Float[np.ndarray, "k 2"], rows: np.ndarray, stages: np.ndarray,
    texts: Sequence[str], *, lit: np.ndarray | None = None, legend: bool = True,
) -> go.Figure:  # fmt: skip
    """Points on the map of one space, each with the mark of its stage and its row number as `customdata`.

    Args:
        behind: the rows of the space, drawn faintly.
        points: where the points are on the map.
        rows: (k,) their row numbers.
        stages: (k,) names in `MARKS`.
        texts: (k,) of the hover.
        lit: rows that are ringed.
        legend: whether the stages are named.
    """
    traces = [_behind(behind)]
    for name in (name for name in MARKS if (stages == name).any()):
        at = np.flatnonzero(stages == name)
        colour, symbol = MARKS[name]
        marker = {"color": colour, "symbol": symbol, "size": 6 if name in FINE else 9}
        traces.append(_at(points, rows, texts, at) | {"marker": marker, "name": f"{name} ({len(at):,})"})
    return plain_map([*traces, *_rings(points, rows, lit)], legend=legend)


def _behind(behind: np.ndarray) -> dict[str, Any]:
    shown = np.random.default_rng(0).permutation(len(behind))[:BEHIND]
    return {
        "x": behind[shown, 0], "y": behind[shown, 1], "mode": "markers", "hoverinfo": "skip", "showlegend": False,
        "marker": {"color": GREY, "size": 3, "opacity": 0.25}, "name": "rows of the space",
    }  # fmt: skip


def _rings(points: np.ndarray, rows: np.ndarray, lit: np.ndarray | None) -> list[dict[str, Any]]:
    return [] if lit is None else [ring(points[np.isin(rows, lit)])]


def _at(points: np.ndarray, rows: np.ndarray, texts: Sequence[str], at: np.ndarray) -> dict[str, Any]:
    """Some of the points as a trace."""
    xy = points[at].astype(np.float32)
    return {
        "x": xy[:, 0], "y": xy[:, 1], "customdata": rows[at].astype(np.int32), "text": [texts[int(k)] for k in at],
        "mode": "markers", "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip


def reliability_curve(about: Reliability) -> go.Figure:
    """How often the flow is right, by how sure its draws are; on the diagonal it is calibrated."""
    sizes = 6 + 22 * np.sqrt(about.counts / about.counts.max())
    perfect = {
        "x": [0, 1], "y": [0, 1], "mode": "lines", "line": {"color": GREY, "dash": "dash"}, "name": "calibrated",
        "hoverinfo": "skip",
    }  # fmt: skip
    measured = {
        "x": about.sure, "y": about.right, "mode": "lines+markers", "name": "measured", "customdata": about.counts,
        "marker": {"size": sizes, "color": COLOURS[0]}, "line": {"color": COLOURS[0]},
        "hovertemplate": "%{x:.0%} sure: %{y:.0%} of %{customdata:,} points are right<extra></extra>",
    }  # fmt: skip
    axis = {"tickformat": ".0%", "range": [-0.03, 1.05]}
    return figure(
        [perfect, measured], height=360, x=axis | {"title": {"text": "share of the draws that agree"}},
        y=axis | {"title": {"text": "share of the points that are right"}}, showlegend=True,
        legend={"orientation": "h", "y": 1.02, "x": 0, "yanchor": "bottom"},
    )  # fmt: skip
