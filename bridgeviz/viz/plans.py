"""Figures of a coupling: heatmaps, lines across the maps, and mass by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from bridgeviz.viz.figure import figure
from bridgeviz.viz.maps import MOST_NAMES, Maps
from bridgeviz.viz.palette import GREY, WRONG, colour

if TYPE_CHECKING:
    from bridgeviz.metrics import Blocks, Received

SCALE = [[0.0, "rgba(0,105,175,0)"], [0.03, "rgba(0,105,175,0.12)"], [1.0, "rgba(0,105,175,1)"]]
"""From transparent to blue, so that zero mass is invisible on white and on black."""
CELLS = [
    [0.0, "rgba(0,105,175,0)"], [0.03, "rgba(0,105,175,0.12)"], [0.5, "rgba(0,105,175,0.7)"],
    [0.5, "rgba(0,105,175,0.9)"], [1.0, "rgba(0,105,175,1)"],
]  # fmt: skip
"""The same for cells with a number. It steps at one half, so that no cell is both too dark for the theme's text and too
light for white text; from there on, the text is white."""
RIGHT = colour(0)
_LEAST_TOP = 10
"""The scale of a plan in blocks ends no lower than at this multiple of a flat plan, which therefore looks flat."""
_TURNS = 12
"""Lines of two kinds are drawn in this many alternating turns, so that neither covers the other."""


def class_heatmap(
    shares: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str] | None = None,
    *,
    row_title: str = "source class",
    column_title: str = "target class",
    counts: np.ndarray | None = None,
    zero_diagonal: bool = False,
    numbers: bool | None = None,
    height: int = 430,
) -> go.Figure:
    """A heatmap of a (c, c) array of shares, with the number in each cell.

    Args:
        shares: (c, c) in [0, 1].
        rows, columns: (c,) names; the columns have the rows' names by default.
        row_title, column_title: of the axes.
        counts: (c, c) the counts behind the shares, shown on hover.
        zero_diagonal: whether to leave the diagonal blank and scale the colours to the other cells.
        numbers: whether the cells show their numbers; None shows them if there are at most 15 rows.
        height: in pixels.
    """
    shares = np.asarray(shares, float)
    columns = rows if columns is None else columns
    if zero_diagonal:
        shares = np.where(np.eye(len(shares), dtype=bool), np.nan, shares)
    top = max(float(np.nanmax(shares)), 0.01) if zero_diagonal else 1.0
    numbers = len(rows) <= 15 if numbers is None else numbers
    gap = 1 if len(rows) <= MOST_NAMES else 0
    hover = "%{y} → %{x}: %{z:.1%}" + ("" if counts is None else " (%{customdata:,})") + "<extra></extra>"
    heat = {
        "type": "heatmap", "z": shares, "x": list(columns), "y": list(rows), "colorscale": CELLS, "zmin": 0,
        "zmax": top, "customdata": counts, "hovertemplate": hover, "xgap": gap, "ygap": gap,
        "colorbar": {"tickformat": ".0%", "thickness": 10, "len": 0.9},
    }  # fmt: skip
    axis = {"type": "category", "showgrid": False, "ticks": ""}
    return figure(
        [heat, *(_numbers(shares, list(rows), list(columns), top) if numbers else ())], height=height,
        x={"title": column_title, "constrain": "domain", **axis},
        y={"title": row_title, "autorange": "reversed", **axis},
    )  # fmt: skip


def _numbers(shares: np.ndarray, rows: list[str], columns: list[str], top: float) -> list[dict]:
    """The numbers of the cells: white on dark cells, in the text colour of the theme on light ones."""
    visible, traces, size = shares >= 0.005, [], 12 if len(rows) <= 10 else 9
    for dark, font in ((False, {"size": size}), (True, {"size": size, "color": "white"})):
        cells = np.argwhere(visible & ((shares >= 0.5 * top) == dark))
        traces.append({
            "x": [columns[c] for _, c in cells], "y": [rows[r] for r, _ in cells], "mode": "text", "textfont": font,
            "text": [f"{shares[r, c]:.0%}" for r, c in cells], "hoverinfo": "skip", "showlegend": False,
        })  # fmt: skip
    return traces


def block_heatmap(
    blocks: Blocks, source_names: dict[str, str], target_names: dict[str, str], *, height: int = 430
) -> go.Figure:
    """The plan in blocks of rows sorted by class, in multiples of a flat plan, with lines between the classes.

    Args:
        blocks: of the plan.
        source_names, target_names: of the classes, by class as text.
        height: in pixels.
    """
    times = blocks.mass / blocks.even  # blocks differ in size, so that the shares of a flat plan would show stripes
    top = max(_LEAST_TOP, float(times.max()))
    ticks = [0, 1, *(t for t in (3, 10, 30, 100, 300, 1000) if t <= top)]
    heat = {
        "type": "heatmap", "z": np.sqrt(times), "customdata": np.stack([blocks.mass, times], axis=-1),
        "colorscale": SCALE, "zmin": 0, "zmax": np.sqrt(top),
        "colorbar": {
            "thickness": 10, "len": 0.9, "tickvals": np.sqrt(ticks), "ticktext": [f"{t}x" for t in ticks],
        },
        "hovertemplate": "source block %{y} → target block %{x}: %{customdata[0]:.1%} of its mass, "
        "%{customdata[1]:.2g} times as in a flat plan<extra></extra>",
    }  # fmt: skip
    lines: list[dict] = []
    axes = {}
    for classes, names, axis, other, side in (
        (blocks.target, target_names, "x", "y", "target"), (blocks.source, source_names, "y", "x", "source")
    ):  # fmt: skip
        axes[axis] = {"showgrid": False, "zeroline": False, "ticks": ""}
        if classes is None:
            axes[axis] |= {"title": f"{side} rows", "showticklabels": False}
            continue
        ends = np.flatnonzero(classes[1:] != classes[:-1]) + 0.5
        for end in ends:
            place = {f"{axis}0": end, f"{axis}1": end, f"{other}0": 0, f"{other}1": 1, f"{other}ref": "paper"}
            lines.append({"type": "line", "line": {"width": 0.7, "color": "rgba(128,128,128,0.7)"}, **place})
        edges = np.concatenate([[-0.5], ends, [len(classes) - 0.5]])
        first = [str(classes[int(np.ceil(edge))]) for edge in edges[:-1]]
        labels = [names.get(label, label) for label in first]
        middle = (edges[1:] + edges[:-1]) / 2
        axes[axis] |= {"tickvals": middle, "ticktext": labels, "title": f"{side} rows, sorted by class"}
        axes[axis]["showticklabels"] = len(labels) <= MOST_NAMES
    return figure([heat], height=height, x=axes["x"], y={"autorange": "reversed", **axes["y"]}, shapes=lines)


def plan_lines(maps: Maps, i: np.ndarray, j: np.ndarray, *, right: np.ndarray | None = None) -> go.Figure:
    """Lines from source row i[k] to target row j[k] across both maps.

    Args:
        maps: of both spaces, from `both_maps`.
        i, j: (k,) row numbers.
        right: (k,) whether both rows have the same class: blue and solid if so, red and dashed if not, with the same
            ink and in turns. None draws grey lines.
    """
    ends = np.full((len(i), 3, 2), np.nan, np.float32)
    ends[:, 0], ends[:, 1] = maps.left[np.asarray(i)], maps.right[np.asarray(j)]
    if right is None:
        return maps.draw([_lines(ends, GREY, "solid", 1.5) | {"name": "coupled"}])
    # A dash of 9 in 12 pixels at 4/3 of the width: both kinds have the same ink.
    kinds = (("same", right, RIGHT, "solid", 1.5), ("other", ~right, WRONG, "9px,3px", 2.0))
    traces = []
    for turn in range(_TURNS):
        for name, mask, ink, dash, width in kinds:
            rows = np.flatnonzero(mask)
            legend = {"name": f"{name} class: {len(rows):,}", "legendgroup": name, "showlegend": turn == 0}
            traces.append(_lines(ends[rows[turn::_TURNS]], ink, dash, width) | legend)
    return maps.draw(traces)


def _lines(ends: np.ndarray, ink: str, dash: str, width: float) -> dict[str, Any]:
    """(k, 3, 2) starts, ends and gaps of k lines as one trace."""
    return {
        "x": ends[..., 0].reshape(-1), "y": ends[..., 1].reshape(-1), "mode": "lines", "hoverinfo": "skip",
        "line": {"color": ink, "width": width, "dash": dash}, "opacity": 0.9,
    }  # fmt: skip


def received_bars(received: Received, names: Sequence[str], ranks: Sequence[int]) -> go.Figure:
    """The share of the mass that each target class receives, with a mark at its share of the target rows.

    Args:
        received: by target class.
        names: of the target classes.
        ranks: of the target classes among all classes, which give their colours.
    """
    bars = {
        "type": "bar", "x": list(names), "y": received.received, "marker": {"color": [colour(k) for k in ranks]},
        "name": "receives", "hovertemplate": "%{x} receives %{y:.2%}<extra></extra>",
    }  # fmt: skip
    uniform = {
        "x": list(names), "y": received.expected, "mode": "markers", "name": "its share of the rows",
        "marker": {"symbol": "line-ew-open", "size": 26, "line": {"width": 3}, "color": GREY},
        "hovertemplate": "%{x} has %{y:.2%} of the target rows<extra></extra>",
    }  # fmt: skip
    digits = ".0%" if len(names) <= MOST_NAMES else ".1%"
    return figure(
        [bars, uniform], height=300, bargap=0.25, showlegend=True, legend={"orientation": "h", "y": 1.14, "x": 0},
        x={"type": "category", "title": "target class"},
        y={"title": "share of the mass", "tickformat": digits, "rangemode": "tozero"},
    )  # fmt: skip


def share_bars(shares: np.ndarray, names: Sequence[str], ranks: Sequence[int], *, height: int = 190) -> go.Figure:
    """Shares of some mass by class.

    Args:
        shares: (c,) in [0, 1].
        names: of the classes.
        ranks: of the classes among all classes, which give their colours.
        height: in pixels.
    """
    bars = {
        "type": "bar", "x": list(names), "y": shares, "marker": {"color": [colour(k) for k in ranks]},
        "hovertemplate": "%{x}: %{y:.1%}<extra></extra>", "textposition": "outside", "cliponaxis": False,
        "text": [f"{v:.0%}" if v >= 0.005 else "" for v in shares],
    }  # fmt: skip
    return figure(
        [bars], height=height, margin={"l": 4, "r": 4, "t": 8, "b": 4}, x={"type": "category"},
        y={"tickformat": ".0%", "range": [0, 1.12], "nticks": 4},
    )  # fmt: skip
