"""What supervision buys: coverage of the classes, the way over one pair, and whether the cost separates classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bridgeviz.metrics.supervision import CostSample
from bridgeviz.viz.maps import Panel, both_maps
from bridgeviz.viz.palette import WRONG, colour

SAME, OTHER = colour(0), colour(1)
_LINE = "#009E73"


def coverage_bars(names: Sequence[str], counts: np.ndarray, *, ranks: Sequence[int] | None = None) -> go.Figure:
    """Pairs a class; a class with none says so, with a cross, in the colour of what is wrong."""
    counts = np.asarray(counts)
    ranks = range(len(names)) if ranks is None else ranks
    figure = go.Figure(
        go.Bar(
            x=list(names),
            y=counts,
            marker_color=[colour(k) for k in ranks],
            text=[f"{c:,}" if c else f"<b style='color:{WRONG}'>✗ none</b>" for c in counts.tolist()],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="class %{x}: %{y} pairs<extra></extra>",
            name="pairs",
        )
    )
    figure.update_xaxes(type="category", title="class")
    figure.update_yaxes(title="pairs", range=[0, 1.15 * max(int(counts.max()), 1)])
    return _plain(figure, 280)


def bridge_route(source: Panel, target: Panel, i: int, j: int, legs: dict[str, Any]) -> go.Figure:
    """The two legs of Eq. 6 across both maps: `x_i -> x_p == y_p -> y_j`, as `bv.costs.legs` found them."""
    figure, left, right = both_maps(source, target, opacity=0.22, legend=False)
    xi, xp, yp, yj = left[i], left[legs["source"]], right[legs["target"]], right[j]
    for name, a, b, dash, colours in (
        (f"leg in the source: {legs['leg_x']:.2f}", xi, xp, "solid", SAME),
        ("the pair", xp, yp, "dot", _LINE),
        (f"leg in the target: {legs['leg_y']:.2f}", yp, yj, "solid", OTHER),
    ):
        figure.add_trace(
            go.Scatter(
                x=[a[0], b[0]],
                y=[a[1], b[1]],
                mode="lines",
                name=name,
                line={"color": colours, "width": 4, "dash": dash},
                hoverinfo="name",
                showlegend=True,
            )
        )
    at = np.stack([xi, xp, yp, yj])
    figure.add_trace(
        go.Scatter(
            x=at[:, 0],
            y=at[:, 1],
            mode="markers+text",
            text=[f"{a}<sub>{b}</sub>" for a, b in ("xi", "xp", "yp", "yj")],
            textposition=["top center", "bottom center", "bottom center", "top center"],
            textfont={"size": 16},
            marker={
                "size": 13,
                "color": [SAME, _LINE, _LINE, OTHER],
                "symbol": ["circle", "diamond", "diamond", "circle"],
                "line": {"width": 2, "color": "white"},
            },
            customdata=np.array([i, legs["source"], legs["target"], j]),
            hovertemplate="row %{customdata}<extra></extra>",
            showlegend=False,
            name="points",
        )
    )
    return figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}, margin_t=60
    )


def cost_histogram(sample: CostSample, *, bins: int = 50) -> go.Figure:
    """The entries of the cost between rows of one class and between the others, as densities on one axis."""
    both = np.concatenate([sample.same, sample.other])
    edges = np.histogram_bin_edges(both, bins)
    middle = (edges[1:] + edges[:-1]) / 2
    figure = go.Figure()
    for name, values, fill, dash in (
        ("same class", sample.same, SAME, "solid"),
        ("other class", sample.other, OTHER, "dot"),
    ):
        if len(values):
            share = np.histogram(values, edges)[0] / len(values)
            figure.add_trace(
                go.Scatter(
                    x=middle,
                    y=share,
                    name=name,
                    mode="lines",
                    line={"shape": "hvh", "color": fill, "dash": dash, "width": 2.5},
                    fill="tozeroy",
                    hovertemplate="cost %{x:.2f}: %{y:.1%} of the entries<extra>" + name + "</extra>",
                )
            )
    figure.update_xaxes(title="cost, in units of its mean", rangemode="tozero")
    figure.update_yaxes(title="share of entries", tickformat=".0%", rangemode="tozero")
    return _plain(figure, 300, legend=True)


def supervision_curve(
    fractions: Sequence[float], accuracy: Sequence[float], now: tuple[float, float], chance: float
) -> go.Figure:
    """How often the cheapest target is of the right class, against the share of pairs used.

    Args:
        fractions, accuracy: where it was measured, and what was found; NaN where it could not be.
        now: fraction and accuracy of the settings as they are.
        chance: of drawing a target at random.
    """
    percent = 100 * np.asarray(fractions)
    figure = go.Figure(
        go.Scatter(
            x=percent,
            y=np.asarray(accuracy),
            mode="lines+markers",
            line={"color": SAME, "width": 2.5},
            marker={"size": 8},
            name="other fractions",
            hovertemplate="%{x:g} % of the pairs: %{y:.1%} right<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[100 * now[0]],
            y=[now[1]],
            mode="markers+text",
            text=["now"],
            textposition="bottom right",
            marker={"size": 16, "symbol": "circle-open", "color": OTHER, "line": {"width": 3}},
            name="now",
            hovertemplate="now, %{x:g} %: %{y:.1%} right<extra></extra>",
        )
    )
    figure.add_hline(
        y=chance,
        line={"dash": "dash", "color": "#8A8A8A"},
        annotation_text=f"chance {chance:.0%}",
        annotation_position="bottom right",
    )
    figure.update_xaxes(type="log", title="paired samples, %", tickvals=percent, ticktext=[f"{p:g}" for p in percent])
    figure.update_yaxes(title="right class", tickformat=".0%", range=[0, 1.04])
    return _plain(figure, 300)


def _plain(figure: go.Figure, height: int, *, legend: bool = False) -> go.Figure:
    return figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 24, "b": 10},
        showlegend=legend,
        bargap=0.25,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.12, "x": 0},
    )
