"""All pairs on both maps; pick a source and a target point, and see which pair bridges them (Eq. 6)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import streamlit as st

import bridgeviz as bv
from bridgeviz import Pairs, Problem, RunConfig, metrics
from bridgeviz.costs import Cost, Route
from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import charts, editing, page, thumbnails
from bridgeviz.ui.state import selection
from bridgeviz.ui.state.picks import Brush, class_suffix, start_value
from bridgeviz.ui.state.selection import Selection
from bridgeviz.ui.text import literal
from bridgeviz.viz.maps import Maps
from bridgeviz.viz.pairing import MOST_PAIRS, pair_map
from bridgeviz.viz.words import counted


@st.fragment
def bridge(
    config: RunConfig, problem: Problem, cost: Cost | None, names: Mapping[str, str], chosen: Selection | None
) -> None:  # fmt: skip
    """Both maps with all pairs, the pickers of two points, the route between them, and buttons that change the pairs.

    For a cost that does not come from a single pair (kcca, or heat), the route of the plain bridge is shown instead.

    Args:
        config: of the page.
        problem: whose maps.
        cost: the route's; None shows the pairs alone.
        names: of the classes.
        chosen: the selection: only its pairs are drawn, with the legs from its rows.
    """
    selection.follow(chosen)
    i, j = _pickers(problem)
    pairs, labels = stages.pairs(config), analysis.labels_of(problem)
    route = None
    with guard():
        if cost is not None and len(pairs):
            find = cost.route or partial(
                bv.costs.legs, problem.source.x, problem.target.x, pairs, metric=config.cost.metric
            )
            route = find(i, j)
    both = analysis.both_maps(config, legend=False)
    side, lit = _lit(config, problem, pairs, chosen)
    right = None if labels is None else labels[0][pairs.source] == labels[1][pairs.target]
    chart, numbers = st.columns([3, 1], vertical_alignment="center")
    with chart:
        charts.draw(
            st, selection.revised(pair_map(both, pairs, route=route, right=right, lit=lit, side=side), "route"),
            key="route", brush=("points", "box", "lasso"), on_brush=partial(_picked, both=both),
            alt="the pairs, and the route from the source point over one of them to the target point",
        )  # fmt: skip
        some = f" {MOST_PAIRS} random ones of {len(pairs):,} pairs are drawn." if len(pairs) > MOST_PAIRS else ""
        st.caption(literal(both.caption) + some)
    with numbers:
        if route is not None:
            _numbers(route)
        editing.buttons(config, problem, pairs, i, j)
    with page.place():
        if chosen is not None and lit is not None:
            st.caption(_about_lit(chosen, problem, pairs, side, lit))
    if route is not None and cost is not None:
        _stops(problem, route, i, j, names)
        if cost.route is None:
            st.caption(f"No single pair decides the cost '{cost.name}'. This is the route of the cost 'bridge'.")
        elif len(route.way_x) + len(route.way_y) > 4:
            st.caption(
                f"The legs follow the cloud of points: {len(route.way_x) - 1} steps in the source, "
                f"{len(route.way_y) - 1} in the target."
            )


def _stops(problem: Problem, route: Route, i: int, j: int, names: Mapping[str, str]) -> None:
    """The pictures along the route."""
    source, target = problem.source, problem.target
    stops = (
        (source, i, "x_i"), (source, route.way_x[-1], "x_p"), (target, route.way_y[0], "y_p"), (target, j, "y_j")
    )  # fmt: skip
    for column, (space, row, letter) in zip(st.columns(4), stops, strict=True):
        caption = f"{letter}: row {row}{class_suffix(space, row, names)}"
        with column:
            if not thumbnails.of_rows(space, [row], [caption], size=84):
                st.markdown(f"**{literal(caption)}**")


def _lit(
    config: RunConfig, problem: Problem, pairs: Pairs, chosen: Selection | None
) -> tuple[str, tuple[np.ndarray, np.ndarray] | None]:  # fmt: skip
    """The side of the selected rows, the rows, and the number of the pair nearest to each."""
    if chosen is None or not len(pairs):
        return "source", None
    rows = selection.aligned(problem, chosen, chosen.side)
    assert rows is not None, "a selection has rows on its own side"
    rows = np.random.default_rng(0).permutation(rows)[:MOST_PAIRS]
    space, ends = getattr(problem, chosen.side), np.asarray(pairs)
    ends = ends if chosen.side == "source" else ends[:, ::-1]
    metric = config.cost.within if chosen.side == "source" else config.cost.metric
    return chosen.side, (rows, metrics.nearest_pairs(space.x, ends, points=space.x[rows], metric=metric)[0])


def _about_lit(
    chosen: Selection, problem: Problem, pairs: Pairs, side: str, lit: tuple[np.ndarray, np.ndarray]
) -> str:  # fmt: skip
    """How many pairs the selected rows share, and how many of the rows are next to a pair of another class."""
    rows, nearest = lit
    space, ends = getattr(problem, side), pairs.source if side == "source" else pairs.target
    text = f"Nearest to {counted(len(rows), 'selected row')}: {counted(len(np.unique(nearest)), 'pair')}."
    if space.labels is not None:
        other = int((space.labels[rows] != space.labels[ends[nearest]]).sum())
        text += f" For {other:,} of them, that pair is of another class."
    if chosen.tested:
        text += " For test points, their nearest aligned rows are shown."
    return text


def _numbers(route: Route) -> None:
    """The two legs and what they amount to."""
    if route.share is None:
        unit = "In units of the mean distance within the space."
        st.metric("Leg in the source", f"{route.leg_x:.3f}", help=f"From x_i to the source of the pair. {unit}")
        st.metric("Leg in the target", f"{route.leg_y:.3f}", help=f"From the target of the pair to y_j. {unit}")
        st.metric("Bridge cost", f"{route.cost:.3f}", help="The sum of the two legs; 0 for the two ends of a pair.")
        return
    st.metric("Share of x_i's mass", f"{route.leg_x:.1%}", help="The share of the mass at x_i that this pair sent.")
    st.metric("Share of y_j's mass", f"{route.leg_y:.1%}", help="The share of the mass at y_j that this pair sent.")
    st.metric(
        "This pair's share", f"{route.share:.1%}",
        help="In this cost, all pairs together bridge two points. Shown is the one with the largest share of what the "
        "two points have in common.",
    )  # fmt: skip


def _pickers(problem: Problem) -> tuple[int, int]:
    """The two points, by number."""
    first = (0, 0) if problem.truth is None or len(problem.truth) < 2 else problem.truth[1]
    start_value("pick_source", int(first[0]), len(problem.source))
    start_value("pick_target", int(first[1]), len(problem.target))
    for column, side, letter in zip(st.columns(2), ("source", "target"), "ij", strict=True):
        last = len(getattr(problem, side)) - 1
        column.number_input(f"{side.capitalize()} row {letter}", min_value=0, max_value=last, key=f"pick_{side}")
    return int(st.session_state["pick_source"]), int(st.session_state["pick_target"])


def _picked(brush: Brush, *, both: Maps) -> None:
    """The map's callback: select what is brushed, or pick the clicked row of the side on which it lies."""
    if selection.surrounded(brush, chart="route", left=both.left, right=both.right):
        return
    if len(brush.rows) and brush.x is not None:
        st.session_state["pick_source" if brush.x <= both.left[:, 0].max() else "pick_target"] = int(brush.rows[0])


def memory(cost: Cost) -> str:
    """How much memory the factors of a cost take, and the matrix that is never computed."""
    n, m = cost.shape
    u, v = cost.atom_shape
    merged = f" Equal rows are merged: {u:,} x {v:,}." if (u, v) != (n, m) else ""
    return (
        f"Kept as two factors of {_size(cost.nbytes_factors)} in all; the {n:,} x {m:,} matrix would take "
        f"{_size(cost.nbytes_dense)}.{merged}"
    )


def _size(count: int) -> str:
    for unit, size in (("GB", 2**30), ("MB", 2**20)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 2**10:.0f} kB"
