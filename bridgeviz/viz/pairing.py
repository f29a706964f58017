"""Figures of supervision: pairs per class, the route over one pair, and how well the cost separates classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from bridgeviz.viz.figure import figure, level
from bridgeviz.viz.maps import Maps
from bridgeviz.viz.palette import WRONG, colour
from bridgeviz.viz.words import counted

if TYPE_CHECKING:
    from bridgeviz.costs import Route
    from bridgeviz.metrics import CostSample

SAME, OTHER = colour(0), colour(1)
_PAIR = colour(2)


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


def bridge_route(maps: Maps, route: Route) -> go.Figure:
    """The route from x_i over a pair to y_j across both maps, `x_i -> x_p == y_p -> y_j`, with all stops of its legs.

    Args:
        maps: of both spaces.
        route: from `costs.legs` or `Cost.route`.
    """
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
            (stops[1:3], "the pair", "dot", _PAIR),
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
    legend = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}
    return maps.draw([*legs, marks], showlegend=True, legend=legend, margin={"t": 60})


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
