"""What the transport decided: plan heatmaps, lines across the maps, mass by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from bridgeviz.metrics.masses import Blocks, Received
from bridgeviz.viz.figure import figure
from bridgeviz.viz.maps import MANY, Maps
from bridgeviz.viz.palette import GREY, WRONG, colour

SCALE = [[0.0, "rgba(0,105,175,0)"], [0.03, "rgba(0,105,175,0.12)"], [1.0, "rgba(0,105,175,1)"]]
"""From nothing to blue: no mass is no ink, on white and on black."""
RIGHT = colour(0)


def class_heatmap(
    shares: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str] | None = None,
    *,
    row_title: str = "source class",
    column_title: str = "is sent to target class",
    counts: np.ndarray | None = None,
    zero_diagonal: bool = False,
    height: int = 430,
) -> go.Figure:
    """A (c, c) array of shares, each cell with its number.

    Args:
        shares: to draw.
        rows, columns: names; columns default to the rows'.
        row_title, column_title: of the axes.
        counts: (c, c) numbers behind the shares, named on hover.
        zero_diagonal: leave the diagonal blank and let the colours span what is beside it.
        height: in pixels.
    """
    shares = np.asarray(shares, float)
    columns = rows if columns is None else columns
    if zero_diagonal:
        shares = np.where(np.eye(len(shares), dtype=bool), np.nan, shares)
    top = max(float(np.nanmax(shares)), 0.01) if zero_diagonal else 1.0
    gap = 1 if len(rows) <= MANY else 0
    hover = "%{y} → %{x}: %{z:.1%}" + ("" if counts is None else " (%{customdata:,})") + "<extra></extra>"
    heat = {
        "type": "heatmap", "z": shares, "x": list(columns), "y": list(rows), "colorscale": SCALE, "zmin": 0,
        "zmax": top, "customdata": counts, "hovertemplate": hover, "xgap": gap, "ygap": gap,
        "colorbar": {"tickformat": ".0%", "thickness": 10, "len": 0.9},
    }  # fmt: skip
    axis = {"type": "category", "showgrid": False, "ticks": ""}
    return figure(
        [heat, *(_numbers(shares, list(rows), list(columns), top) if len(rows) <= 15 else ())], height=height,
        x={"title": column_title, "constrain": "domain", **axis},
        y={"title": row_title, "autorange": "reversed", **axis},
    )  # fmt: skip


def _numbers(shares: np.ndarray, rows: list[str], columns: list[str], top: float) -> list[dict]:
    """The cells' numbers: white on the dark cells, in the theme's own text colour on the others."""
    written, out = shares >= 0.005, []
    for dark, font in ((False, {"size": 12}), (True, {"size": 12, "color": "white"})):
        at = np.argwhere(written & ((shares > 0.7 * top) == dark))
        out.append({
            "x": [columns[c] for _, c in at], "y": [rows[r] for r, _ in at], "mode": "text", "textfont": font,
            "text": [f"{shares[r, c]:.0%}" for r, c in at], "hoverinfo": "skip", "showlegend": False,
        })  # fmt: skip
    return out


def block_heatmap(
    blocks: Blocks, source_names: dict[str, str], target_names: dict[str, str], *, height: int = 430
) -> go.Figure:
    """The plan on its rows, sorted by class, with a line where one class ends."""
    mass = blocks.mass
    heat = {
        "type": "heatmap", "z": np.sqrt(mass), "customdata": mass, "colorscale": SCALE, "zmin": 0, "showscale": False,
        "hovertemplate": "block %{y} → block %{x}: %{customdata:.1%} of its mass<extra></extra>",
    }  # fmt: skip
    lines: list[dict] = []
    axes = {}
    for of, names, axis, other, side in (
        (blocks.target, target_names, "x", "y", "target"), (blocks.source, source_names, "y", "x", "source")
    ):  # fmt: skip
        axes[axis] = {"showgrid": False, "zeroline": False, "ticks": ""}
        if of is None:
            axes[axis] |= {"title": f"{side} rows", "showticklabels": False}
            continue
        ends = np.flatnonzero(of[1:] != of[:-1]) + 0.5
        for end in ends:
            at = {f"{axis}0": end, f"{axis}1": end, f"{other}0": 0, f"{other}1": 1, f"{other}ref": "paper"}
            lines.append({"type": "line", "line": {"width": 0.7, "color": "rgba(128,128,128,0.7)"}, **at})
        starts = np.concatenate([[-0.5], ends, [len(of) - 0.5]])
        labels = [names.get(str(of[int(np.ceil(k))]), str(of[int(np.ceil(k))])) for k in starts[:-1]]
        middle = (starts[1:] + starts[:-1]) / 2
        axes[axis] |= {"tickvals": middle, "ticktext": labels, "title": f"{side} rows, sorted by class"}
        axes[axis]["showticklabels"] = len(labels) <= MANY
    return figure([heat], height=height, x=axes["x"], y={"autorange": "reversed", **axes["y"]}, shapes=lines)


def plan_lines(maps: Maps, i: np.ndarray, j: np.ndarray, *, right: np.ndarray | None = None) -> go.Figure:
    """Lines from source row i[k] to target row j[k] across both maps.

    Args:
        maps: of both spaces, `both_maps`.
        i, j: (k,) row numbers.
        right: (k,) whether the two are of one class: blue and solid if so, red and dashed if not; None draws grey.
    """
    i, j = np.asarray(i), np.asarray(j)
    kinds = (
        [("coupled", np.ones(len(i), bool), GREY, "solid")]
        if right is None
        else [
            (f"same class: {int(right.sum()):,}", right, RIGHT, "solid"),
            (f"another class: {int((~right).sum()):,}", ~right, WRONG, "dash"),
        ]
    )
    lines = []
    for name, at, ink, dash in kinds:  # what is wrong comes last, on top
        ends = np.full((int(at.sum()), 3, 2), np.nan, np.float32)
        ends[:, 0], ends[:, 1] = maps.left[i[at]], maps.right[j[at]]
        wrong = dash == "dash"
        lines.append({
            "x": ends[..., 0].reshape(-1), "y": ends[..., 1].reshape(-1), "mode": "lines", "name": name,
            "line": {"color": ink, "width": 2 if wrong else 1.2, "dash": dash}, "opacity": 0.9 if wrong else 0.6,
            "hoverinfo": "skip",
        })  # fmt: skip
    return maps.drawn(lines)


def received_bars(received: Received, names: Sequence[str], ranks: Sequence[int]) -> go.Figure:
    """The share of mass that each target class receives, and a mark where the uniform marginal would have it."""
    bars = {
        "type": "bar", "x": list(names), "y": received.received, "marker": {"color": [colour(k) for k in ranks]},
        "name": "receives", "hovertemplate": "%{x} receives %{y:.2%}<extra></extra>",
    }  # fmt: skip
    asked = {
        "x": list(names), "y": received.asked, "mode": "markers", "name": "its share of the rows",
        "marker": {"symbol": "line-ew-open", "size": 26, "line": {"width": 3}, "color": GREY},
        "hovertemplate": "%{x} holds %{y:.2%} of the target rows<extra></extra>",
    }  # fmt: skip
    return figure(
        [bars, asked], height=300, bargap=0.25, showlegend=True, legend={"orientation": "h", "y": 1.14, "x": 0},
        x={"type": "category", "title": "target class"},
        y={"title": "share of the mass", "tickformat": ".0%" if len(names) <= MANY else ".1%", "rangemode": "tozero"},
    )  # fmt: skip
