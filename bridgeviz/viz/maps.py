"""Maps of the two spaces: one marker per row, or per distinct point where many rows are equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from bridgeviz.costs import Atoms, find_atoms
from bridgeviz.problem import Problem, Space
from bridgeviz.viz.figure import figure
from bridgeviz.viz.palette import GREY, colour, symbol

MOST = 10_000
"""The most markers in one map; a browser still selects among them with a lasso within a second."""
MOST_NAMES = 24
"""The most classes that a legend, or names on a figure, can show without covering it; hovering names every point."""

_MOST_SVG = 1500  # larger maps are drawn with WebGL
_MOST_BEHIND_LINES = 600  # markers per map where lines are drawn over it
_SMALLEST = 6.5  # size of the marker of a single row, in pixels


class Group(NamedTuple):
    """The markers of one class.

    Attributes:
        name: of the class.
        rank: of the class among all classes, which gives its colour and shape; None without labels.
        rows: (k,) the row number of each marker.
        size: (k,) in pixels.
        text: (k,) hover texts.
    """

    name: str
    rank: int | None
    rows: np.ndarray
    size: np.ndarray
    text: list[str]


class Panel(NamedTuple):
    """What is drawn of one space.

    Attributes:
        points: (n, 2) the positions of its rows on the plane.
        space: the rows.
        badge: a caption that says how the map was made and how far to trust it.
        classes: the classes of both spaces, whose order gives colours and shapes.
        overlap: (n,) the overlap of each row, for its hover text, or None.
        atoms, groups: the distinct rows and the markers by class, if already computed; see `prepared`.
    """

    points: Float[np.ndarray, "n 2"]
    space: Space
    badge: str = ""
    classes: np.ndarray | None = None
    overlap: np.ndarray | None = None
    atoms: Atoms | None = None
    groups: list[Group] | None = None


class Maps(NamedTuple):
    """Both spaces side by side, as a background for lines between them.

    Attributes:
        traces, layout: the two maps.
        left, right: (n, 2) and (m, 2) the positions of the source and target rows.
    """

    traces: list[dict[str, Any]]
    layout: dict[str, Any]
    left: np.ndarray
    right: np.ndarray

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


def groups(panel: Panel) -> list[Group]:
    """The markers of a panel by class: at most `MOST` rows, or the distinct points where rows repeat."""
    if panel.groups is not None:
        return panel.groups
    space = panel.space
    atoms = panel.atoms or find_atoms(space.x)
    if 2 * len(atoms) <= len(space):
        shown, counts = atoms.rows, atoms.multiplicity
    else:
        shown = np.arange(len(space))
        if len(shown) > MOST:
            shown = np.sort(np.random.default_rng(0).choice(len(space), MOST, replace=False))
        counts = np.ones(len(shown), np.int64)
    size = _sizes(counts, int(counts.max()))
    text = [f"{c:,} equal rows, first row {r}" if c > 1 else f"row {r}" for r, c in zip(shown, counts, strict=True)]
    if panel.overlap is not None:
        text = [f"{t}<br>overlap {panel.overlap[r]:.0%}" for t, r in zip(text, shown, strict=True)]
    if space.labels is None:
        return [Group("all rows", None, shown, size, text)]
    classes = np.unique(space.labels) if panel.classes is None else panel.classes
    code = np.searchsorted(classes, space.labels[shown])
    names = class_names(classes, space)
    return [
        Group(names[c], int(c), shown[code == c], size[code == c], [text[k] for k in np.flatnonzero(code == c)])
        for c in np.unique(code)
    ]


def _sizes(counts: np.ndarray, most: int) -> np.ndarray:
    """Marker sizes whose area grows with the number of rows, or the smallest size if no marker has several rows."""
    if most <= 1:
        return np.full(len(counts), _SMALLEST)
    return _SMALLEST + 18 * np.sqrt(np.maximum(counts, 0) / most)


def prepared(panel: Panel) -> Panel:
    """The same panel with its atoms and groups, which all of its figures share, computed once."""
    panel = panel._replace(atoms=find_atoms(panel.space.x))
    return panel._replace(groups=groups(panel))


def space_map(panel: Panel, *, lit: np.ndarray | None = None, brush: bool = True, legend: bool = True) -> go.Figure:
    """One space on the plane. Each marker's `customdata` is its row number.

    Args:
        panel: what to draw.
        lit: row numbers to highlight while the others fade; None draws all alike.
        brush: whether dragging draws a lasso. Otherwise it moves the map; Streamlit reports no clicks with a lasso.
        legend: whether to name the classes beside the map.
    """
    shown = groups(panel)
    legend = legend and len(shown) <= MOST_NAMES
    kind = "scatter" if sum(len(group.rows) for group in shown) <= _MOST_SVG else "scattergl"
    counts = None if lit is None else _rows_per_marker(panel, shown, np.asarray(lit, np.int64))
    opacity = 1.0 if counts is None else 0.12
    traces = [_markers(kind, panel, group, opacity, legend and counts is None) for group in shown]
    if counts is not None:
        for group in shown:
            count = np.array([counts.get(int(row), 0) for row in group.rows])
            if count.any():
                sized = group._replace(size=_sizes(count, max(counts.values())))
                traces.append(_markers(kind, panel, _subset(sized, count > 0), 1.0, legend, count[count > 0]))
    traces += _names(panel, shown)
    style = _style(panel.badge, height=440, legend=legend and panel.space.labels is not None)
    return figure(traces, **style, dragmode="lasso" if brush else "pan")


def _rows_per_marker(panel: Panel, shown: Sequence[Group], rows: np.ndarray) -> dict[int, int]:
    """How many of the rows each marker stands for, by the marker's row number."""
    if not any(group.size.max() > _SMALLEST for group in shown):
        return dict.fromkeys(rows.tolist(), 1)
    atoms = panel.atoms or find_atoms(panel.space.x)
    atom, counts = np.unique(atoms.index[rows], return_counts=True)
    return dict(zip(atoms.rows[atom].tolist(), counts.tolist(), strict=True))


def _subset(group: Group, mask: np.ndarray) -> Group:
    """The markers of a class for which the mask is True."""
    text = [group.text[k] for k in np.flatnonzero(mask)]
    return group._replace(rows=group.rows[mask], size=group.size[mask], text=text)


def _markers(
    kind: str, panel: Panel, group: Group, opacity: float, legend: bool, count: np.ndarray | None = None
) -> dict[str, Any]:
    """One class as a trace; `count` are the numbers of highlighted rows per marker."""
    xy = panel.points[group.rows].astype(np.float32)
    text = group.text
    if count is not None:
        text = [
            f"{t}<br>{c:,} of the selected rows" if c > 1 else f"{t}<br>selected"
            for t, c in zip(text, count, strict=True)
        ]
    return {
        "type": kind, "x": xy[:, 0], "y": xy[:, 1], "mode": "markers", "customdata": group.rows.astype(np.int32),
        "text": text, "name": group.name, "hovertemplate": "<b>%{fullData.name}</b><br>%{text}<extra></extra>",
        "opacity": opacity, "legendgroup": group.name, "showlegend": legend,
        "marker": {
            "size": group.size, "color": GREY if group.rank is None else colour(group.rank),
            "symbol": "circle" if group.rank is None else symbol(group.rank),
            "line": {"width": 0.4, "color": "rgba(255,255,255,0.6)"},
        },
    }  # fmt: skip


def _names(panel: Panel, shown: Sequence[Group]) -> list[dict[str, Any]]:
    """Class names beside the markers that stand for many rows."""
    named = [group for group in shown if group.rank is not None and group.size.max(initial=0) > _SMALLEST]
    if not named or len(named) > MOST_NAMES:
        return []
    xy = panel.points[np.concatenate([group.rows for group in named])]
    # Plotly places text beside the trace's own markers: invisible ones keep it clear of the visible ones.
    invisible = {"size": np.concatenate([group.size for group in named]) + 6, "opacity": 0}
    return [{
        "x": xy[:, 0], "y": xy[:, 1], "mode": "markers+text",
        "text": [group.name for group in named for _ in group.rows], "textposition": "middle right",
        "textfont": {"size": 15}, "marker": invisible, "hoverinfo": "skip", "showlegend": False,
    }]  # fmt: skip


def _style(badge: str, *, height: int, legend: bool) -> dict[str, Any]:
    """The layout of all maps: equal scales, no ticks (the axes of a projection have no units), the badge underneath."""
    axis = {"visible": False, "showgrid": False, "zeroline": False}
    caption = {
        "text": badge, "xref": "paper", "yref": "paper", "x": 0, "y": 0, "yshift": -14, "yanchor": "top",
        "xanchor": "left", "showarrow": False, "font": {"size": 12}, "opacity": 0.8,
    }  # fmt: skip
    shared: dict[str, Any] = {
        "height": height, "margin": {"l": 4, "r": 4, "t": 8, "b": 34 if badge else 4}, "showlegend": legend,
        "x": axis, "y": axis | {"scaleanchor": "x", "scaleratio": 1}, "uirevision": "map", "hovermode": "closest",
        "legend": {"itemsizing": "constant", "font": {"size": 13}, "tracegroupgap": 0, "y": 0.92},
        "annotations": [caption] if badge else [],
    }  # fmt: skip
    return shared


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
    thinned = False
    for panel, points in ((source, left), (target, right)):
        placed = panel._replace(points=points)
        shown = groups(placed)
        share = _MOST_BEHIND_LINES / sum(len(group.rows) for group in shown)
        if share < 1:  # WebGL would cover the lines, so these maps are SVG, which is slow with many markers
            rng, thinned = np.random.default_rng(0), True
            shown = [_subset(group, rng.random(len(group.rows)) < share) for group in shown]
        traces += [_markers("scatter", placed, group, 0.3, False) for group in shown] + _names(placed, shown)
        ranks |= {group.name: group.rank for group in shown if group.rank is not None}
    legend = legend and len(ranks) <= MOST_NAMES
    if legend:
        traces += [
            {
                "x": [None], "y": [None], "mode": "markers", "name": name, "legendgroup": name, "hoverinfo": "skip",
                "marker": {"size": 9, "color": colour(rank), "symbol": symbol(rank)},
            }
            for name, rank in ranks.items()
        ]  # fmt: skip
    badge = " | ".join(f"{side}: {p.badge}" for side, p in (("source", source), ("target", target)) if p.badge)
    badge += f" | about {_MOST_BEHIND_LINES} rows per map are drawn" if thinned else ""
    layout = _style(badge, height=430, legend=legend and bool(ranks))
    layout |= {"dragmode": "pan", "margin": {**layout["margin"], "t": 34}}
    top = float(max(left[:, 1].max(), right[:, 1].max()))
    for panel, points, side in ((source, left, "source"), (target, right, "target")):
        layout["annotations"].append({
            "text": f"<b>{side}</b>: {panel.space.title or 'your points'}", "x": float(points[:, 0].mean()), "y": top,
            "yshift": 22, "showarrow": False, "font": {"size": 13},
        })  # fmt: skip
    return Maps(traces, layout, left, right)


def _unit(points: np.ndarray) -> np.ndarray:
    """The points, centred and scaled to a square of side 1."""
    low, high = points.min(0), points.max(0)
    span = float((high - low).max()) or 1.0
    return (points - (low + high) / 2) / span
