"""The paper's figures, drawn from the rows that were measured here, and methods by number of pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bridgeviz._files import new_file, write_text
from bridgeviz.viz.figure import figure, level
from bridgeviz.viz.palette import colour, symbol

Rows = Any
"""A pandas table, or one of its columns."""

HEIGHT = 420
BELOW = {"legend": {"orientation": "h", "y": -0.22, "x": 0}, "showlegend": True}
"""The legend below the axis."""

PERCENT = {"type": "log", "title": {"text": "known pairs used"}, "tickformat": "~%"}


def middle_and_range(rows: Rows, x: str, y: str) -> tuple[list[Any], dict[str, Any]]:
    """The medians of y by x, and the ranges over seeds as error bars.

    Returns:
        The values of x, and a part of a trace.
    """
    groups = rows.groupby(x, sort=False)[y]
    medians, low, high = groups.median(), groups.min(), groups.max()
    bars = {"type": "data", "array": (high - medians).tolist(), "arrayminus": (medians - low).tolist(), "thickness": 1}
    return medians.index.tolist(), {"y": medians.tolist(), "error_y": bars}


def line(place: int, name: str, x: Iterable[Any], values: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A line with markers; the place decides colour and marker."""
    marker = {"color": colour(place), "symbol": symbol(place), "size": 8}
    style = {"color": colour(place), **more.pop("line", {})}
    return {"x": list(x), "name": name, "mode": "lines+markers", "marker": marker, "line": style, **values, **more}


def _trajectories(rows: Rows) -> go.Figure:
    """Two rows of panels: source, t = 0, .5, 1 and target; those of one row share the map of the target."""
    panels, groups = list(dict.fromkeys(rows.panel)), list(dict.fromkeys(rows.group))
    kinds = {name: kind for kind, name in enumerate(dict.fromkeys(rows.name))}
    traces, axes, titles, listed = [], {}, [], set[str]()
    for row, group in enumerate(groups):
        for column, panel in enumerate(panels):
            place = row * len(panels) + column + 1
            x, y = (f"{axis}{'' if place == 1 else place}" for axis in "xy")
            left, top = column / len(panels), 1 - row / len(groups)
            axes[f"xaxis{x[1:]}"] = {
                "domain": [left, left + 0.92 / len(panels)], "anchor": y, "showticklabels": False, "zeroline": False,
            }  # fmt: skip
            axes[f"yaxis{y[1:]}"] = {
                "domain": [top - 0.86 / len(groups), top - 0.06 / len(groups)], "anchor": x, "showticklabels": False,
                "zeroline": False,
            }  # fmt: skip
            if column > 1:  # the panels of the flow and the target are on one map
                axes[f"xaxis{x[1:]}"]["matches"] = f"x{row * len(panels) + 2}"
                axes[f"yaxis{y[1:]}"]["matches"] = f"y{row * len(panels) + 2}"
            titles.append({
                "x": left, "y": top, "xref": "paper", "yref": "paper", "showarrow": False, "xanchor": "left",
                "yanchor": "top", "text": f"{group}: {panel}" if column == 0 else panel,
            })  # fmt: skip
            part = rows[(rows.group == group) & (rows.panel == panel)]
            for name, points in part.groupby("name", sort=False):
                marker = {"color": colour(kinds[name]), "symbol": symbol(kinds[name]), "size": 5, "opacity": 0.8}
                traces.append({
                    "x": points.u.tolist(), "y": points.v.tolist(), "mode": "markers", "marker": marker, "name": name,
                    "xaxis": x, "yaxis": y, "legendgroup": name, "showlegend": name not in listed,
                })  # fmt: skip
                listed.add(name)
    first = {"x": axes.pop("xaxis"), "y": axes.pop("yaxis")}
    legend = {"orientation": "h", "y": -0.02, "x": 0}
    return figure(traces, height=560, **first, **axes, annotations=titles, showlegend=True, legend=legend)


def _overlap(rows: Rows) -> go.Figure:
    traces = []
    for place, (count, group) in enumerate(rows.groupby("classes")):
        marker = {"color": colour(place), "symbol": symbol(place), "size": 11}
        traces.append({
            "x": group.overlap.tolist(), "y": group.test_accuracy.tolist(), "mode": "markers", "marker": marker,
            "name": f"{count} classes",
        })  # fmt: skip
    x = {"title": {"text": "overlap of the source (Eq. 21)"}, "tickformat": ".0%"}
    return figure(traces, height=HEIGHT, x=x, y=_share("test accuracy"), **BELOW)


def _costs(rows: Rows) -> go.Figure:
    from bridgeviz.experiments._verdicts import PAPERS_COSTS, best_by_cost

    linear, fused = best_by_cost(rows, "linear"), best_by_cost(rows, "fgw")
    ours = [name for name in ("geodesic bridge", "diffusion bridge") if name in linear]
    traces = []
    for place, name in enumerate([*(name for name in PAPERS_COSTS if name in linear), *ours]):
        traces.append(line(place, name, linear.index, {"y": linear[name].tolist()}, legendgroup=name))
        if name in fused:
            values = {"y": fused[name].tolist(), "legendgroup": name, "showlegend": False}
            traces.append(line(place, f"{name}, FGW", fused.index, values, line={"dash": "dot"}))
    return figure(traces, height=HEIGHT, x=PERCENT, y=_share("matching accuracy"), **BELOW)


def _curves(rows: Rows) -> go.Figure:
    traces = []
    shown = rows[rows.step > 0]
    for case, group in shown.groupby("case", sort=False):
        kind, _, size = str(case).partition("-")
        place = ("small", "medium", "large").index(size) if size in ("small", "medium", "large") else 3
        x, values = middle_and_range(group, "step", "test_accuracy")
        traces.append(line(place, str(case), x, values, line={"dash": "solid" if kind == "adaln" else "dot"}))
    linear = rows[rows.step == 0].test_accuracy
    under = level(float(linear.median()), "linear regression", side="right") if len(linear) else {}
    x = {"type": "log", "title": {"text": "training step"}}
    return figure(traces, height=HEIGHT, x=x, y=_share("test accuracy"), **BELOW, **under)


def _neurons(rows: Rows) -> go.Figure:
    traces, last = [], rows.steps.max()
    for place, (case, group) in enumerate(rows.groupby("case", sort=False)):
        steps = last if (group.steps == last).any() else group.steps.max()
        x, values = middle_and_range(group[group.steps == steps], "fraction", "test_error")
        name = f"{case}, {steps:,} steps" if steps else str(case)
        traces.append(line(place, name, x, values))
    x = {"title": {"text": "known pairs used"}, "tickformat": ".0%", "tickvals": sorted(rows.fraction.unique())}
    y = {"title": {"text": "error, each neuron's mean: 1"}}
    return figure(traces, height=HEIGHT, x=x, y=y, **BELOW)


def _spiral(rows: Rows) -> go.Figure:
    x, values = middle_and_range(rows, "t", "coefficient")
    axes = {"x": {"title": {"text": "t"}}, "y": {"title": {"text": "energy coefficient against the spiral"}}}
    return figure([line(0, "medians, with the range over seeds", x, values)], height=HEIGHT, **axes, **BELOW)


def _times(rows: Rows) -> go.Figure:
    parts = rows.case.str.rpartition("; ")
    strategies = list(dict.fromkeys(parts[0]))
    traces = []
    for place, velocity in enumerate(dict.fromkeys(parts[2])):
        seconds = rows[parts[2] == velocity].seconds_a_step
        traces.append({
            "type": "bar", "x": strategies, "y": (1e3 * seconds).tolist(), "name": velocity,
            "marker": {"color": colour(place)},
        })  # fmt: skip
    y = {"type": "log", "title": {"text": "ms per training step"}}
    return figure(traces, height=HEIGHT, y=y, barmode="group", **BELOW)


def _share(title: str) -> dict[str, Any]:
    return {"title": {"text": title}, "tickformat": ".0%", "rangemode": "tozero"}


def _by_fraction(rows: Rows, direction: str, column: str, y: Mapping[str, Any]) -> go.Figure:
    traces = []
    shown = rows[rows.direction == direction].sort_values("fraction")
    for place, case in enumerate(dict.fromkeys(rows[rows.direction == direction].case)):
        x, values = middle_and_range(shown[shown.case == case], "fraction", column)
        ours = case.partition(",")[0] in ("true", "global", "local")
        traces.append(line(place, case, x, values, line={"width": 3 if ours else 1.5}))
    return figure(traces, height=HEIGHT + 60, x=PERCENT, y=y, **BELOW)


def _accuracies(rows: Rows) -> go.Figure:
    learned, upper = rows, rows[:0]
    if "upper" in rows:
        learned, upper = rows[rows.upper.isna()], rows[rows.upper.notna()]
    drawn = _by_fraction(learned, "source to target", "test_accuracy", _share("test accuracy"))
    for row in upper.itertuples():
        lines = level(row.test_accuracy, row.case)
        drawn.add_shape(lines["shapes"][0]).add_annotation(lines["annotations"][0])
    return drawn


def _pictures(rows: Rows) -> go.Figure:
    title = {"title": {"text": "error of the classes' mean pictures (Eq. 24)"}}
    return _by_fraction(rows, "target to source", "test_mse", title)


def _tuning(rows: Rows) -> go.Figure:
    medians = rows.groupby(["tau_x", "tau_y"]).aes.median().unstack()
    x, y = ([f"{tau:g}" for tau in axis] for axis in (medians.columns, medians.index))
    cells = {"type": "heatmap", "z": medians.to_numpy().tolist(), "x": x, "y": y, "colorscale": "Viridis"}
    axes = {name: {"type": "category", "title": {"text": f"tau_{side}"}} for name, side in (("x", "y"), ("y", "x"))}
    return figure([cells | {"colorbar": {"title": {"text": "aes"}}}], height=HEIGHT, **axes)


def _disentanglement(rows: Rows) -> go.Figure:
    traces = []
    for place, (fraction, part) in enumerate(rows.groupby("fraction")):
        marker = {"color": colour(place), "symbol": symbol(place), "size": 10}
        hover = "beta %{text}<br>gap %{x:.3f}<br>accuracy %{y:.1%}<extra></extra>"
        traces.append({
            "x": part.gap.tolist(), "y": part.bridge.tolist(), "mode": "markers", "marker": marker,
            "text": [f"{beta:g}" for beta in part.beta], "hovertemplate": hover,
            "name": f"{100 * float(fraction):g} % of the pairs",
        })  # fmt: skip
    x = {"title": {"text": "mutual information gap of the latents"}}
    return figure(traces, height=HEIGHT, x=x, y=_share("matching accuracy by the bridge"), **BELOW)


PICTURES: Mapping[str, Callable[[Rows], go.Figure]] = {
    "trajectories": _trajectories, "overlap": _overlap, "costs": _costs, "curves": _curves,
    "accuracies": _accuracies, "pictures": _pictures, "neurons": _neurons, "spiral": _spiral,
    "times": _times, "tuning": _tuning, "disentanglement": _disentanglement,
}  # fmt: skip
"""The drawings of the measured rows, by name."""


def save(drawn: go.Figure, path: Path) -> Iterator[str]:
    """Write a picture as an interactive page that needs no network, and as a PNG where Kaleido is installed.

    Args:
        drawn: the picture.
        path: of the files, without their suffix.

    Yields:
        A line per file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    page = path.with_suffix(".html")
    white = go.Figure(drawn).update_layout(paper_bgcolor="white", plot_bgcolor="white")
    write_text(page, white.to_html(include_plotlyjs=True))
    yield str(page)
    try:
        import kaleido  # noqa: F401  # pyright: ignore[reportMissingImports]
    except ImportError:
        yield "No PNG: it needs Kaleido (pip install kaleido) and a Chrome or Chromium."
        return
    with new_file(path.with_suffix(".png")) as draft:
        white.write_image(draft, format="png", width=900, scale=2)
    yield str(path.with_suffix(".png"))


def accuracies_of_runs(rows: Rows) -> go.Figure:
    """The test accuracy of single runs by the share of the pairs that they used; `rows` has their names as well."""
    traces = [
        {
            "x": [run.fraction], "y": [run.test_accuracy], "name": run.name, "mode": "markers",
            "marker": {"color": colour(place), "symbol": symbol(place), "size": 10},
        }
        for place, run in enumerate(rows.itertuples())
    ]  # fmt: skip
    return figure(traces, height=HEIGHT, x=PERCENT, y=_share("test accuracy"), **BELOW)


def methods_by_pairs(rows: Rows, methods: Iterable[str], column: str, title: str, *, percent: bool) -> go.Figure:
    """A figure of merit of several methods by the number of pairs: medians, with the range over seeds.

    Args:
        rows: of one kind of problem, with `pairs`, `method` and the column; in the order of the numbers of pairs.
        methods: which, in the order of their colours.
        column: the figure of merit.
        title: of its axis.
        percent: whether it is a share.
    """
    order = list(dict.fromkeys(rows.pairs))
    traces = []
    for place, method in enumerate(methods):
        part = rows[(rows.method == method)].dropna(subset=[column])
        part = part.sort_values("pairs", key=lambda labels: labels.map(order.index))
        if len(part):
            x, values = middle_and_range(part, "pairs", column)
            width = 3 if method.startswith("automatic") else 1.5
            traces.append(line(place, method, x, values, line={"width": width}))
    axis = {"type": "category", "categoryorder": "array", "categoryarray": order, "title": {"text": "known pairs used"}}
    y = {"title": {"text": title}, **({"tickformat": ".0%"} if percent else {})}
    return figure(traces, height=HEIGHT + 60, x=axis, y=y, **BELOW)


def highest(rows: Rows, column: str, *, higher: bool) -> dict[str, str]:
    """The best method by median at each number of pairs."""
    medians = rows.dropna(subset=[column]).groupby(["pairs", "method"], sort=False)[column].median()
    best = {}
    for pairs in dict.fromkeys(rows.pairs):
        if pairs in medians.index.get_level_values(0):
            of_pairs = medians[pairs]
            best[pairs] = str(of_pairs.index[int(np.argmax(of_pairs if higher else -of_pairs))])
    return best
