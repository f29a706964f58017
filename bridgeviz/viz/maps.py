"""Maps of the two spaces: one marker a row, or one a distinct point where many rows are equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from bridgeviz.costs.atoms import Atoms, find_atoms
from bridgeviz.problem import Problem, Space
from bridgeviz.viz.figure import figure
from bridgeviz.viz.palette import GREY, colour, symbol

MOST = 10_000
"""Markers in one map: a browser still brushes that many within a second."""
_SVG = 1500
_BEHIND = 600
MANY = 24
"""Classes above which names and legends would cover the picture; the pointer still names each point."""

_SMALL = 6.5


class Group(NamedTuple):
    """The markers of one class: its name, its rank among the classes, rows, sizes and hover texts."""

    name: str
    rank: int | None
    rows: np.ndarray
    size: np.ndarray
    text: list[str]


class Panel(NamedTuple):
    """One space as it is drawn.

    Attributes:
        points: (n, 2) its rows on the plane.
        space: whose rows they are.
        badge: what the map is worth: how it was made, and how far to trust it.
        classes: in whose order colours and shapes are given out; those of both spaces together.
        overlap: (n,) of each row, for its hover text, or None.
        atoms, parts: the distinct rows and the markers by class, if they are at hand; see `prepared`.
    """

    points: Float[np.ndarray, "n 2"]
    space: Space
    badge: str = ""
    classes: np.ndarray | None = None
    overlap: np.ndarray | None = None
    atoms: Atoms | None = None
    parts: list[Group] | None = None


class Maps(NamedTuple):
    """Both spaces side by side, to draw on.

    Attributes:
        traces, layout: the two maps.
        left, right: (n, 2) and (m, 2) where on its plane the rows of the source and of the target are.
    """

    traces: list[dict[str, Any]]
    layout: dict[str, Any]
    left: np.ndarray
    right: np.ndarray

    def drawn(self, lines: Sequence[Mapping[str, Any]] = (), **layout: Any) -> go.Figure:
        """A figure of both with these traces over them, and what differs in the layout."""
        margin = self.layout["margin"] | layout.pop("margin", {})
        return figure([*self.traces, *lines], **self.layout | layout | {"margin": margin})


def class_order(problem: Problem) -> np.ndarray | None:
    """The classes of both spaces together, sorted; None without labels."""
    known = [space.labels for space in (problem.source, problem.target) if space.labels is not None]
    return np.unique(np.concatenate(known)) if known else None


def class_names(classes: np.ndarray, *spaces: Space) -> list[str]:
    """A name for each class: the first space that has one gives it."""
    found = {
        str(c): str(name)
        for s in reversed(spaces)
        if s.classes is not None and s.names is not None
        for c, name in zip(s.classes, s.names, strict=False)
    }
    return [found.get(str(c), str(c)) for c in classes]


def groups(panel: Panel) -> list[Group]:
    """The markers of a panel, by class: at most `MOST` rows, or the distinct points where rows repeat."""
    if panel.parts is not None:
        return panel.parts
    space = panel.space
    atoms = panel.atoms or find_atoms(space.x)
    shared = 2 * len(atoms) <= len(space)
    if shared:
        shown, many = atoms.rows, atoms.multiplicity
    else:
        shown = np.arange(len(space))
        if len(shown) > MOST:
            shown = np.sort(np.random.default_rng(0).choice(len(space), MOST, replace=False))
        many = np.ones(len(shown), np.int64)
    size = _sizes(many, int(many.max()))
    text = []
    for row, count in zip(shown, many, strict=True):
        said = f"{count:,} equal rows, the first is {row}" if count > 1 else f"row {row}"
        if panel.overlap is not None:
            said += f"<br>overlap {panel.overlap[row]:.0%}"
        text.append(said)
    if space.labels is None:
        return [Group("all rows", None, shown, size, text)]
    classes = np.unique(space.labels) if panel.classes is None else panel.classes
    code = np.searchsorted(classes, space.labels[shown])
    names = class_names(classes, space)
    return [
        Group(names[c], int(c), shown[code == c], size[code == c], [text[k] for k in np.flatnonzero(code == c)])
        for c in np.unique(code)
    ]


def _sizes(many: np.ndarray, most: int) -> np.ndarray:
    """Marker sizes whose area follows the number of rows; single rows keep the smallest."""
    return np.full(len(many), _SMALL) if most <= 1 else _SMALL + 18 * np.sqrt(np.maximum(many, 0) / most)


def prepared(panel: Panel) -> Panel:
    """The same panel with what all its pictures share computed once."""
    panel = panel._replace(atoms=find_atoms(panel.space.x))
    return panel._replace(parts=groups(panel))


def space_map(panel: Panel, *, lit: np.ndarray | None = None, brush: bool = True, legend: bool = True) -> go.Figure:
    """One space on the plane. Each marker's `customdata` is its row number.

    Args:
        panel: what to draw.
        lit: row numbers to light up, the others fade; None lights all.
        brush: dragging draws a lasso. If not it moves the map: beside a lasso Streamlit takes no click.
        legend: whether to name the classes beside the map.
    """
    parts = groups(panel)
    legend = legend and len(parts) <= MANY
    many = sum(len(part.rows) for part in parts)
    kind = "scatter" if many <= _SVG else "scattergl"
    counts = None if lit is None else _onto_shown(panel, parts, np.asarray(lit, np.int64))
    back = 1.0 if counts is None else 0.12
    traces = [_markers(kind, panel, part, back, legend and counts is None) for part in parts]
    if counts is not None:
        for part in parts:
            count = np.array([counts.get(int(row), 0) for row in part.rows])
            if count.any():
                sized = part._replace(size=_sizes(count, max(counts.values())))
                traces.append(_markers(kind, panel, _taken(sized, count > 0), 1.0, legend, count[count > 0]))
    traces += _names(panel, parts)
    style = _style(panel.badge, height=440, legend=legend and panel.space.labels is not None)
    return figure(traces, **style, dragmode="lasso" if brush else "pan")


def _onto_shown(panel: Panel, parts: Sequence[Group], rows: np.ndarray) -> dict[int, int]:
    """How many of the rows each drawn marker stands for."""
    if not any(part.size.max() > _SMALL for part in parts):
        return dict.fromkeys(rows.tolist(), 1)
    atoms = panel.atoms or find_atoms(panel.space.x)
    at, counts = np.unique(atoms.index[rows], return_counts=True)
    return dict(zip(atoms.rows[at].tolist(), counts.tolist(), strict=True))


def _taken(part: Group, at: np.ndarray) -> Group:
    """Some of the markers of a class."""
    return part._replace(rows=part.rows[at], size=part.size[at], text=[part.text[k] for k in np.flatnonzero(at)])


def _markers(kind: str, panel: Panel, part: Group, opacity: float, legend: bool, count=None) -> dict[str, Any]:
    xy = panel.points[part.rows].astype(np.float32)
    text = part.text
    if count is not None:
        text = [
            f"{t}<br>{c:,} of the selected rows" if c > 1 else f"{t}<br>selected"
            for t, c in zip(text, count, strict=True)
        ]
    return {
        "type": kind, "x": xy[:, 0], "y": xy[:, 1], "mode": "markers", "customdata": part.rows.astype(np.int32),
        "text": text, "name": part.name, "hovertemplate": "<b>%{fullData.name}</b><br>%{text}<extra></extra>",
        "opacity": opacity, "legendgroup": part.name, "showlegend": legend,
        "marker": {
            "size": part.size, "color": GREY if part.rank is None else colour(part.rank),
            "symbol": "circle" if part.rank is None else symbol(part.rank),
            "line": {"width": 0.4, "color": "rgba(255,255,255,0.6)"},
        },
    }  # fmt: skip


def _names(panel: Panel, parts: Sequence[Group]) -> list[dict[str, Any]]:
    """Names beside the points that stand for many rows."""
    named = [part for part in parts if part.rank is not None and part.size.max(initial=0) > _SMALL]
    if not named or len(named) > MANY:
        return []
    xy = panel.points[np.concatenate([part.rows for part in named])]
    unseen = {"size": np.concatenate([part.size for part in named]) + 6, "opacity": 0}  # text keeps clear of its own
    return [{
        "x": xy[:, 0], "y": xy[:, 1], "mode": "markers+text", "text": [part.name for part in named for _ in part.rows],
        "textposition": "middle right", "textfont": {"size": 15}, "marker": unseen, "hoverinfo": "skip",
        "showlegend": False,
    }]  # fmt: skip


def _style(badge: str, *, height: int, legend: bool) -> dict[str, Any]:
    """What all maps share: equal scales, no ticks (the axes of a projection mean nothing), the badge underneath."""
    axis = {"visible": False, "showgrid": False, "zeroline": False}
    worth = {
        "text": badge, "xref": "paper", "yref": "paper", "x": 0, "y": 0, "yshift": -14, "yanchor": "top",
        "xanchor": "left", "showarrow": False, "font": {"size": 12}, "opacity": 0.8,
    }  # fmt: skip
    shared: dict[str, Any] = {
        "height": height, "margin": {"l": 4, "r": 4, "t": 8, "b": 34 if badge else 4}, "showlegend": legend,
        "x": axis, "y": axis | {"scaleanchor": "x", "scaleratio": 1}, "uirevision": "map", "hovermode": "closest",
        "legend": {"itemsizing": "constant", "font": {"size": 13}, "tracegroupgap": 0, "y": 0.92},
        "annotations": [worth] if badge else [],
    }  # fmt: skip
    return shared


def side_by_side(source: Panel, target: Panel, *, gap: float = 0.45) -> tuple[np.ndarray, np.ndarray]:
    """Both maps on one plane, each one unit high at most and next to the other, so that lines can cross between."""
    left, right = _unit(source.points), _unit(target.points)
    right[:, 0] += left[:, 0].max() + gap - right[:, 0].min()
    return left.astype(np.float32), right.astype(np.float32)


def both_maps(source: Panel, target: Panel, *, legend: bool = True) -> Maps:
    """Both maps side by side, with or without the legend of the classes."""
    left, right = side_by_side(source, target)
    traces: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    thinned = False
    for panel, at in ((source, left), (target, right)):
        placed = panel._replace(points=at)
        parts = groups(placed)
        share = _BEHIND / sum(len(part.rows) for part in parts)
        if share < 1:  # WebGL would cover the lines: SVG, and fewer rows
            draw, thinned = np.random.default_rng(0), True
            parts = [_taken(part, draw.random(len(part.rows)) < share) for part in parts]
        traces += [_markers("scatter", placed, part, 0.3, False) for part in parts] + _names(placed, parts)
        seen |= {part.name: part.rank for part in parts if part.rank is not None}
    legend = legend and len(seen) <= MANY
    if legend:
        traces += [
            {
                "x": [None], "y": [None], "mode": "markers", "name": name, "legendgroup": name, "hoverinfo": "skip",
                "marker": {"size": 9, "color": colour(rank), "symbol": symbol(rank)},
            }
            for name, rank in seen.items()
        ]  # fmt: skip
    badge = " | ".join(f"{side}: {p.badge}" for side, p in (("source", source), ("target", target)) if p.badge)
    badge += f" | {_BEHIND} rows a map are drawn" if thinned else ""
    layout = _style(badge, height=430, legend=legend and bool(seen))
    layout |= {"dragmode": "pan", "margin": {**layout["margin"], "t": 34}}
    top = float(max(left[:, 1].max(), right[:, 1].max()))
    for panel, at, side in ((source, left, "source"), (target, right, "target")):
        layout["annotations"].append({
            "text": f"<b>{side}</b>: {panel.space.title or 'your points'}", "x": float(at[:, 0].mean()), "y": top,
            "yshift": 22, "showarrow": False, "font": {"size": 13},
        })  # fmt: skip
    return Maps(traces, layout, left, right)


def _unit(points: np.ndarray) -> np.ndarray:
    low, high = points.min(0), points.max(0)
    span = float((high - low).max()) or 1.0
    return (points - (low + high) / 2) / span
