"""Maps of the two spaces: one marker per row, or per distinct point where many rows are equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from bridgeviz.problem import Problem, Space
from bridgeviz.viz.figure import figure
from bridgeviz.viz.markers import Markers, markers
from bridgeviz.viz.palette import GREY, colour, symbol

MOST_NAMES = 24
"""The most classes that a legend, or names on a figure, can show without covering it; hovering names every point."""

_MOST_SVG = 1500  # larger maps are drawn with WebGL
_MOST_BEHIND_LINES = 400  # markers per map where lines are drawn over it


class Panel(NamedTuple):
    """What is drawn of one space.

    Attributes:
        points: (n, 2) the positions of its rows on the plane.
        space: the rows.
        badge: a caption that says how the map was made and how far to trust it.
        classes: the classes of both spaces, whose order gives colours and shapes.
        overlap: (n,) the overlap of each row, for its hover text, or None.
        markers: if already computed; see `prepared`.
    """

    points: Float[np.ndarray, "n 2"]
    space: Space
    badge: str = ""
    classes: np.ndarray | None = None
    overlap: np.ndarray | None = None
    markers: Markers | None = None


class Maps(NamedTuple):
    """Both spaces side by side, as a background for lines between them.

    Attributes:
        traces, layout: the two maps.
        left, right: (n, 2) and (m, 2) the positions of the source and target rows.
        caption: what the maps are and how far to trust them. It stands below the figure, where it can wrap.
    """

    traces: list[dict[str, Any]]
    layout: dict[str, Any]
    left: np.ndarray
    right: np.ndarray
    caption: str

    def draw(self, lines: Sequence[Mapping[str, Any]] = (), **layout: Any) -> go.Figure:
        """A figure of both maps with the traces `lines` over them; `layout` replaces attributes of the layout."""
        margin = self.layout["margin"] | layout.pop("margin", {})
        return figure([*self.traces, *lines], **self.layout | layout | {"margin": margin})


def class_order(problem: Problem) -> np.ndarray | None:
    """The classes of both spaces together, sorted; None without labels."""
    labels = [space.labels for space in (problem.source, problem.target) if space.labels is not None]
    return np.unique(np.concatenate(labels)) if labels else None


def class_names(classes: np.ndarray, *spaces: Space) -> list[str]:
    """The name of each class, from the first space that names it; otherwise the class as text."""
    names = {
        str(c): str(name)
        for s in reversed(spaces)
        if s.classes is not None and s.names is not None
        for c, name in zip(s.classes, s.names, strict=False)
    }
    return [names.get(str(c), str(c)) for c in classes]


def prepared(panel: Panel) -> Panel:
    """The same panel with its markers, which all of its figures share, computed once."""
    return panel._replace(markers=_markers_of(panel))


def _markers_of(panel: Panel) -> Markers:
    return panel.markers or markers(panel.space, panel.classes)


def space_map(panel: Panel, *, lit: np.ndarray | None = None, brush: bool = True, legend: bool = True) -> go.Figure:
    """One space on the plane. Each marker's `customdata` is its row number.

    Args:
        panel: what to draw.
        lit: row numbers to highlight while the others fade; None draws all alike.
        brush: whether dragging draws a lasso. Otherwise it moves the map; Streamlit reports no clicks with a lasso.
        legend: whether to name the classes beside the map.
    """
    marks = _markers_of(panel)
    legend = legend and panel.space.labels is not None and len(np.unique(marks.code)) <= MOST_NAMES
    kind = "scatter" if len(marks.rows) <= _MOST_SVG else "scattergl"
    size, text = marks.sizes(marks.counts), _texts(panel, marks)
    every = np.ones(len(marks.rows), bool)
    if lit is None:
        traces = [*_traces(kind, panel, marks, every, size, text, marks.opacity)]
    else:
        drawn = marks.of_row[np.asarray(lit, np.int64)]
        counts = np.bincount(drawn[drawn >= 0], minlength=len(marks.rows))
        traces = [*_traces(kind, panel, marks, every, size, text, 0.12)]
        text = [
            f"{t}<br>{c:,} of the selected rows" if c > 1 else f"{t}<br>selected"
            for t, c in zip(text, counts, strict=True)
        ]
        traces += _traces(kind, panel, marks, counts > 0, marks.sizes(counts), text, 1.0)
    traces += _names(panel, marks, size)
    if legend:
        traces += _legend({_class_names(panel)[c]: int(c) for c in np.unique(marks.code)})
    return figure(traces, **_style(height=400, legend=legend), dragmode="lasso" if brush else "pan")


def _texts(panel: Panel, marks: Markers) -> list[str]:
    """The hover text of each marker."""
    there = np.bincount(marks.place, weights=marks.counts).astype(int)[marks.place]
    text = []
    for row, count, total in zip(marks.rows.tolist(), marks.counts.tolist(), there.tolist(), strict=True):
        among = f" of {total:,}" if count < total else ""
        text.append(f"{count:,}{among} equal rows, first row {row}" if total > 1 else f"row {row}")
    if panel.overlap is not None:
        text = [f"{t}<br>overlap {panel.overlap[r]:.0%}" for t, r in zip(text, marks.rows, strict=True)]
    return text


def _class_names(panel: Panel) -> list[str]:
    """The names of the classes by number."""
    if panel.space.labels is None:
        return ["all rows"]
    return class_names(np.unique(panel.space.labels) if panel.classes is None else panel.classes, panel.space)


def _traces(
    kind: str, panel: Panel, marks: Markers, shown: np.ndarray, size: np.ndarray, text: list[str], opacity: float
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """The markers for which `shown` is True, as one trace per layer and class."""
    names, labelled = _class_names(panel), panel.space.labels is not None
    if not labelled:
        marks = marks._replace(layer=np.zeros(len(marks.rows), np.int64))
    for layer in np.unique(marks.layer[shown]):
        for rank in np.unique(marks.code[shown & (marks.layer == layer)]):
            at = np.flatnonzero(shown & (marks.layer == layer) & (marks.code == rank))
            trace = _markers(kind, panel, marks.rows[at], int(rank) if labelled else None)
            yield trace | {
                "text": [text[k] for k in at], "name": names[rank], "opacity": opacity, "legendgroup": names[rank],
                "showlegend": False, "marker": trace["marker"] | {"size": _one_or_all(size[at], marks)},
            }  # fmt: skip


def _one_or_all(sizes: np.ndarray, marks: Markers) -> np.ndarray | float:
    """The sizes of some markers, as one number where all markers have the same."""
    return sizes if marks.merged else float(sizes[0])


def _background(panel: Panel, marks: Markers, shown: np.ndarray, size: np.ndarray) -> dict[str, Any]:
    """The markers for which `shown` is True, as one faint trace in the order of their layers.

    Every trace costs the browser time, and all of them are redrawn with the lines.
    """
    at = np.flatnonzero(shown)
    at = at[np.argsort(marks.layer[at], kind="stable")]
    text, names = _texts(panel, marks), _class_names(panel)
    trace = _markers("scatter", panel, marks.rows[at], None)
    looks: dict[str, Any] = {"line": {"width": 0}, "size": _one_or_all(size[at], marks)}
    if panel.space.labels is not None:
        codes = marks.code[at].tolist()
        looks |= {"color": [colour(code) for code in codes], "symbol": [symbol(code) for code in codes]}
    return trace | {
        "text": [f"<b>{names[marks.code[k]]}</b><br>{text[k]}" for k in at], "opacity": 0.3, "showlegend": False,
        "hovertemplate": "%{text}<extra></extra>", "marker": trace["marker"] | looks,
    }  # fmt: skip


def _markers(kind: str, panel: Panel, rows: Int[np.ndarray, " k"], rank: int | None) -> dict[str, Any]:
    """Rows of one class as a trace; `rank` is the number of the class among all classes, None without labels."""
    xy = panel.points[rows].astype(np.float32)
    return {
        "type": kind, "x": xy[:, 0], "y": xy[:, 1], "mode": "markers", "customdata": rows.astype(np.int32),
        "hovertemplate": "<b>%{fullData.name}</b><br>%{text}<extra></extra>",
        "marker": {
            "color": GREY if rank is None else colour(rank), "symbol": "circle" if rank is None else symbol(rank),
            "line": {"width": 0.4, "color": "rgba(255,255,255,0.6)"},
        },
    }  # fmt: skip


def _names(panel: Panel, marks: Markers, size: np.ndarray) -> list[dict[str, Any]]:
    """Class names beside the markers that stand for many rows."""
    at = np.flatnonzero(marks.layer == 0)
    if panel.space.labels is None or not marks.merged or len(np.unique(marks.code)) > MOST_NAMES:
        return []
    names = _class_names(panel)
    xy = panel.points[marks.rows[at]]
    # Plotly places text beside the trace's own markers: invisible ones keep it clear of the visible ones.
    return [{
        "x": xy[:, 0], "y": xy[:, 1], "mode": "markers+text", "text": [names[c] for c in marks.code[at]],
        "textposition": _away(xy), "textfont": {"size": 15}, "marker": {"size": size[at] + 6, "opacity": 0},
        "hoverinfo": "skip", "showlegend": False,
    }]  # fmt: skip


def _away(xy: Float[np.ndarray, "k 2"]) -> list[str]:
    """Plotly's position of the name of each point: on the side away from the nearest other point."""
    apart = np.linalg.norm(xy[:, None] - xy, axis=-1)
    np.fill_diagonal(apart, np.inf)
    positions = []
    for point, nearest in zip(xy, xy[apart.argmin(1)], strict=True):
        x, y = (point - nearest) / (np.linalg.norm(point - nearest) or 1.0)
        vertical = "top" if y > 0.38 else "bottom" if y < -0.38 else "middle"
        horizontal = "right" if x > 0.38 else "left" if x < -0.38 else "center"
        positions.append(f"{vertical} {horizontal}".replace("middle center", "middle right"))
    return positions


def _legend(ranks: Mapping[str, int]) -> list[dict[str, Any]]:
    """The legend of the classes: traces without points, so that it is not as faint as theirs may be."""
    return [
        {
            "x": [None], "y": [None], "mode": "markers", "name": name, "legendgroup": name, "hoverinfo": "skip",
            "marker": {"size": 9, "color": colour(rank), "symbol": symbol(rank)},
        }
        for name, rank in ranks.items()
    ]  # fmt: skip


def _style(*, height: int, legend: bool) -> dict[str, Any]:
    """The layout of all maps: equal scales, and no ticks, because the axes of a projection have no units."""
    axis = {"visible": False, "showgrid": False, "zeroline": False}
    return {
        "height": height, "margin": {"l": 4, "r": 4, "t": 8, "b": 4}, "showlegend": legend, "x": axis,
        "y": axis | {"scaleanchor": "x", "scaleratio": 1}, "uirevision": "map", "hovermode": "closest",
        "legend": {"itemsizing": "constant", "font": {"size": 13}, "tracegroupgap": 0, "y": 0.92},
    }  # fmt: skip


def plain_map(traces: Sequence[Mapping[str, Any]], *, legend: bool = True) -> go.Figure:
    """A map of given traces, with a legend below it; dragging moves it, so that clicks are reported."""
    style: dict[str, Any] = _style(height=420, legend=legend) | {"dragmode": "pan"}
    style["legend"] = {"orientation": "h", "y": -0.02, "x": 0, "itemsizing": "constant"}
    return figure(traces, **style)


def ring(points: Float[np.ndarray, "k 2"]) -> dict[str, Any]:
    """Rings around the selected points, as a trace that no click hits."""
    xy = points.astype(np.float32)
    return {
        "x": xy[:, 0], "y": xy[:, 1], "mode": "markers", "hoverinfo": "skip", "name": f"selected ({len(points):,})",
        "marker": {"symbol": "circle-open", "size": 15, "color": GREY, "line": {"width": 2}},
    }  # fmt: skip


def side_by_side(source: Panel, target: Panel, *, gap: float = 0.45) -> tuple[np.ndarray, np.ndarray]:
    """The positions of both spaces on one plane, next to each other and each at most one unit high and wide."""
    left, right = _unit(source.points), _unit(target.points)
    right[:, 0] += left[:, 0].max() + gap - right[:, 0].min()
    return left.astype(np.float32), right.astype(np.float32)


def both_maps(source: Panel, target: Panel, *, legend: bool = True) -> Maps:
    """Both maps side by side, with or without a legend of the classes."""
    left, right = side_by_side(source, target)
    traces: list[dict[str, Any]] = []
    ranks: dict[str, int] = {}
    captions = []
    for side, panel, points in (("source", source, left), ("target", target, right)):
        placed, marks = panel._replace(points=points), _markers_of(panel)
        share = _MOST_BEHIND_LINES / len(marks.rows)
        # WebGL would cover the lines, so these maps are SVG, which is slow with many markers.
        shown = np.random.default_rng(0).random(len(marks.rows)) < share
        size = marks.sizes(marks.counts)
        traces.append(_background(placed, marks, shown, size))
        traces += _names(placed, marks, size)
        if panel.space.labels is not None:
            ranks |= {_class_names(panel)[c]: int(c) for c in np.unique(marks.code)}
        captions.append(_caption(side, panel, f"about {_MOST_BEHIND_LINES} rows are drawn" if share < 1 else ""))
    top = float(max(left[:, 1].max(), right[:, 1].max()))
    traces.append({  # as points above the maps, so that there is room for them and for names below them
        "x": [float(points[:, 0].mean()) for points in (left, right)], "y": [top + 0.35] * 2, "mode": "text",
        "text": ["<b>source</b>", "<b>target</b>"], "textfont": {"size": 13}, "hoverinfo": "skip", "showlegend": False,
    })  # fmt: skip
    legend = legend and len(ranks) <= MOST_NAMES
    if legend:
        traces += _legend(ranks)
    layout: dict[str, Any] = _style(height=430, legend=legend and bool(ranks)) | {"dragmode": "pan"}
    layout["legend"] |= {"orientation": "h", "x": 0, "y": 0, "yanchor": "top"}  # beside the maps, it would shrink them
    return Maps(traces, layout, left, right, " ".join(captions))


def _caption(side: str, panel: Panel, more: str) -> str:
    """What one of the two maps is, as one sentence."""
    parts = [panel.space.title or "your points", panel.badge, more]
    return f"{side.capitalize()}: {'; '.join(part for part in parts if part)}."


def _unit(points: np.ndarray) -> np.ndarray:
    """The points, centred and scaled to a square of side 1."""
    low, high = points.min(0), points.max(0)
    span = float((high - low).max()) or 1.0
    return (points - (low + high) / 2) / span
