"""Figures of supervision: pairs per class, all pairs, the route over one, and how well the cost separates classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from bridgeviz.viz.figure import figure, level
from bridgeviz.viz.maps import Maps
from bridgeviz.viz.palette import WRONG, colour
from bridgeviz.viz.words import counted

if TYPE_CHECKING:
    from bridgeviz.costs import Route
    from bridgeviz.metrics import CostSample
    from bridgeviz.problem import Pairs

SAME, OTHER = colour(0), colour(1)
_PAIR = colour(2)
MOST_PAIRS = 300
"""The most pairs that are drawn as lines."""


def coverage_bars(names: Sequence[str], counts: np.ndarray, *, ranks: Sequence[int] | None = None) -> go.Figure:
    """The number of pairs per class, with a red cross on classes without any.

    Args:
        names: (c,) of the classes.
        counts: (c,) pairs of each class.
        ranks: (c,) of the classes among all classes, which give their colours; None numbers them from 0.
    """
    counts = np.asarray(counts)
    ranks = range(len(names)) if ranks is None else ranks
    bars = {
        "type": "bar", "x": list(names), "y": counts, "marker": {"color": [colour(k) for k in ranks]}, "name": "pairs",
        "text": [f"{c:,}" if c else f"<b style='color:{WRONG}'>✗ none</b>" for c in counts.tolist()],
        "textposition": "outside", "cliponaxis": False, "customdata": [counted(c, "pair") for c in counts.tolist()],
        "hovertemplate": "class %{x}: %{customdata}<extra></extra>",
    }  # fmt: skip
    top = 1.15 * max(int(counts.max()), 1)
    return figure(
        [bars], height=280, bargap=0.25, x={"type": "category", "title": "class"},
        y={"title": "pairs", "range": [0, top]},
    )  # fmt: skip


def pair_map(
    maps: Maps, pairs: Pairs, *, route: Route | None = None, right: np.ndarray | None = None,
    lit: tuple[np.ndarray, np.ndarray] | None = None, side: str = "source",
) -> go.Figure:  # fmt: skip
    """Both maps with a line for each pair, and the route from one point to another.

    Args:
        maps: of both spaces.
        pairs: at most `MOST_PAIRS` of them are drawn.
        route: from x_i over a pair to y_j, from `costs.legs` or `Cost.route`; None draws none.
        right: (l,) whether both ends of a pair have the same class; None draws all alike.
        lit: (k,) selected rows, and (k,) the number of the pair that is nearest to each. Only these pairs are drawn,
            with a line from each row to its pair.
        side: of the selected rows.
    """
    shown = np.sort(np.random.default_rng(0).permutation(len(pairs))[:MOST_PAIRS]) if lit is None else np.unique(lit[1])
    traces: list[dict[str, Any]] = []
    ends = np.full((len(shown), 3, 2), np.nan, np.float32)
    ends[:, 0], ends[:, 1] = maps.left[pairs.source[shown]], maps.right[pairs.target[shown]]
    wrong = np.zeros(len(shown), bool) if right is None else ~right[shown]
    for name, mask, ink, dash in (("pairs", ~wrong, _PAIR, "solid"), ("pairs of two classes", wrong, WRONG, "6px,3px")):
        if mask.any():
            traces.append({
                "x": ends[mask, :, 0].reshape(-1), "y": ends[mask, :, 1].reshape(-1), "mode": "lines",
                "line": {"color": ink, "width": 1.2, "dash": dash}, "opacity": 0.45 if route is None else 0.3,
                "name": f"{name} ({int(mask.sum()):,})", "hoverinfo": "skip",
            })  # fmt: skip
    for points, rows in ((maps.left, pairs.source[shown]), (maps.right, pairs.target[shown])):
        xy = points[rows]
        traces.append({
            "x": xy[:, 0], "y": xy[:, 1], "mode": "markers", "customdata": rows.astype(np.int32), "showlegend": False,
            "marker": {"size": 8, "color": _PAIR, "symbol": "diamond", "line": {"width": 1, "color": "white"}},
            "hovertemplate": "row %{customdata}, an end of a pair<extra></extra>",
        })  # fmt: skip
    if lit is not None:
        traces += _legs_of_rows(maps, pairs, *lit, side)
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}
    if route is not None:
        traces += _route(maps, route)
    return maps.draw(traces, showlegend=True, legend=legend, margin={"t": 60})


def _legs_of_rows(maps: Maps, pairs: Pairs, rows: np.ndarray, nearest: np.ndarray, side: str) -> list[dict[str, Any]]:
    """The selected rows, each with a line to the end of its nearest pair."""
    points, ends = (maps.left, pairs.source) if side == "source" else (maps.right, pairs.target)
    legs = np.full((len(rows), 3, 2), np.nan, np.float32)
    legs[:, 0], legs[:, 1] = points[rows], points[ends[nearest]]
    ink = SAME if side == "source" else OTHER
    return [
        {
            "x": legs[..., 0].reshape(-1), "y": legs[..., 1].reshape(-1), "mode": "lines", "hoverinfo": "skip",
            "line": {"color": ink, "width": 1.2}, "opacity": 0.7, "name": "legs of the selected rows",
        },
        {
            "x": legs[:, 0, 0], "y": legs[:, 0, 1], "mode": "markers", "customdata": rows.astype(np.int32),
            "marker": {"size": 9, "color": ink, "line": {"width": 1, "color": "white"}}, "showlegend": False,
            "hovertemplate": "row %{customdata}, selected<extra></extra>",
        },
    ]  # fmt: skip


def _route(maps: Maps, route: Route) -> list[dict[str, Any]]:
    """The route `x_i -> x_p == y_p -> y_j`, with all stops of its legs."""
    i, source, target, j = route.way_x[0], route.way_x[-1], route.way_y[0], route.way_y[-1]
    stops = np.stack([maps.left[i], maps.left[source], maps.right[target], maps.right[j]])
    unit = ".2f" if route.share is None else ".0%"
    legs = [
        {
            "x": line[:, 0], "y": line[:, 1], "mode": "lines", "name": name, "hoverinfo": "name",
            "line": {"color": ink, "width": 4, "dash": dash},
        }
        for line, name, dash, ink in (
            (maps.left[route.way_x], f"leg in the source: {route.leg_x:{unit}}", "solid", SAME),
            (stops[1:3], "its pair", "dot", _PAIR),
            (maps.right[route.way_y], f"leg in the target: {route.leg_y:{unit}}", "solid", OTHER),
        )
    ]  # fmt: skip
    marks = {
        "x": stops[:, 0], "y": stops[:, 1], "mode": "markers+text", "name": "points", "showlegend": False,
        "text": [f"{a}<sub>{b}</sub>" for a, b in ("xi", "xp", "yp", "yj")], "textfont": {"size": 16},
        "textposition": [*_apart(stops[0], stops[1]), *_apart(stops[2], stops[3])],
        "marker": {
            "size": 13, "color": [SAME, _PAIR, _PAIR, OTHER], "symbol": ["circle", "diamond", "diamond", "circle"],
            "line": {"width": 2, "color": "white"},
        },
        "customdata": np.array([i, source, target, j]),
        "hovertemplate": "row %{customdata}<extra></extra>",
    }  # fmt: skip
    return [*legs, marks]


def _apart(first: np.ndarray, second: np.ndarray) -> tuple[str, str]:
    """Where the names of two points stand, so that one is not printed over the other."""
    above, below = "top center", "bottom center"
    return (above, below) if first[1] >= second[1] else (below, above)


def cost_histogram(sample: CostSample, *, bins: int = 50) -> go.Figure:
    """Histograms of the cost between rows of one class and between rows of different classes, on one axis."""
    edges = np.histogram_bin_edges(np.concatenate([sample.same, sample.other]), bins)
    middle = (edges[1:] + edges[:-1]) / 2
    lines = [
        {
            "x": middle, "y": np.histogram(values, edges)[0] / len(values), "name": name, "mode": "lines",
            "line": {"shape": "hvh", "color": ink, "dash": dash, "width": 2.5}, "fill": "tozeroy",
            "hovertemplate": "cost %{x:.2f}: %{y:.1%} of the entries<extra>" + name + "</extra>",
        }
        for name, values, ink, dash in (
            ("same class", sample.same, SAME, "solid"), ("other class", sample.other, OTHER, "dot")
        )
        if len(values)
    ]  # fmt: skip
    return figure(
        lines, height=300, showlegend=True, legend={"orientation": "h", "y": 1.12, "x": 0},
        x={"title": "cost, in units of its mean", "rangemode": "tozero"},
        y={"title": "share of entries", "tickformat": ".0%", "rangemode": "tozero"},
    )  # fmt: skip


def supervision_curve(
    fractions: Sequence[float], accuracy: Sequence[float], now: tuple[float, float], chance: float
) -> go.Figure:
    """How often the cheapest target has the right class, against the fraction of the known pairs that is used.

    Args:
        fractions: (k,) fractions of the known pairs.
        accuracy: (k,) measured at each fraction; NaN where it could not be measured.
        now: fraction and accuracy of the current settings.
        chance: accuracy of a random target.
    """
    percent = 100 * np.asarray(fractions)
    line = {
        "x": percent, "y": np.asarray(accuracy), "mode": "lines+markers", "line": {"color": SAME, "width": 2.5},
        "marker": {"size": 8}, "name": "other fractions",
        "hovertemplate": "%{x:g}% of the pairs: %{y:.1%} right<extra></extra>",
    }  # fmt: skip
    current = {
        "x": [100 * now[0]], "y": [now[1]], "mode": "markers+text", "text": ["now"], "textposition": "bottom right",
        "marker": {"size": 16, "symbol": "circle-open", "color": OTHER, "line": {"width": 3}}, "name": "now",
        "hovertemplate": "now, %{x:g}% of the pairs: %{y:.1%} right<extra></extra>",
    }  # fmt: skip
    ticks = {"tickvals": percent, "ticktext": [f"{p:g}" for p in percent]}
    return figure(
        [line, current], height=300, x={"type": "log", "title": "known pairs used, %", **ticks},
        y={"title": "cheapest target is right", "tickformat": ".0%", "range": [0, 1.04]},
        **level(chance, f"chance {chance:.0%}", side="right", above=False),
    )  # fmt: skip
