"""Pick a source and a target point, and see which pair bridges them (Eq. 6)."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

import bridgeviz as bv
from bridgeviz import Problem, RunConfig
from bridgeviz.costs import Cost, Route
from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import thumbnails
from bridgeviz.ui.state.selection import class_suffix, pick, start_value
from bridgeviz.ui.text import literal
from bridgeviz.viz.pairing import bridge_route


@st.fragment
def bridge(config: RunConfig, problem: Problem, cost: Cost, names: Mapping[str, str]) -> None:
    """The pickers, the route across both maps, its two legs, and the pictures along it.

    For a cost that does not come from a single pair (kcca, or heat), the route of the plain bridge is shown instead.
    """
    i, j = _pickers(config, problem)
    source, target = problem.source, problem.target
    with guard():
        if cost.route is not None:
            route = cost.route(i, j)
        else:
            route = bv.costs.legs(source.x, target.x, stages.pairs(config), i, j, metric=config.cost.metric)
    chart, numbers = st.columns([3, 1], vertical_alignment="center")
    both = analysis.both_maps(config, legend=False)
    with chart:
        st.plotly_chart(
            bridge_route(both, route), key="route", config={"displaylogo": False},
            alt="the route from the source point over one pair to the target point",
        )  # fmt: skip
        st.caption(literal(both.caption))
    with numbers:
        _numbers(route)
    stops = (
        (source, i, "x_i"), (source, route.way_x[-1], "x_p"), (target, route.way_y[0], "y_p"), (target, j, "y_j")
    )  # fmt: skip
    for column, (space, row, letter) in zip(st.columns(4), stops, strict=True):
        caption = f"{letter}: row {row}{class_suffix(space, row, names)}"
        with column:
            if not thumbnails.of_rows(space, [row], [caption], size=84):
                st.markdown(f"**{literal(caption)}**")
    if cost.route is None:
        st.caption(f"No single pair decides the cost '{cost.name}'. This is the route of the cost 'bridge'.")
    elif len(route.way_x) + len(route.way_y) > 4:
        st.caption(
            f"The legs follow the cloud of points: {len(route.way_x) - 1} steps in the source, "
            f"{len(route.way_y) - 1} in the target."
        )


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


def _pickers(config: RunConfig, problem: Problem) -> tuple[int, int]:
    first = (0, 0) if problem.truth is None or len(problem.truth) < 2 else problem.truth[1]
    start_value("pick_source", int(first[0]), len(problem.source))
    start_value("pick_target", int(first[1]), len(problem.target))
    for column, side, letter in zip(st.columns(2), ("source", "target"), "ij", strict=True):
        last = len(getattr(problem, side)) - 1
        column.number_input(f"{side.capitalize()} row {letter}", min_value=0, max_value=last, key=f"pick_{side}")
        click = column.expander(
            f"Click on the {side} map", icon=":material/ads_click:", key=f"map_{side}", on_change="rerun"
        )
        if click.open:  # a closed map would be sent and drawn with every move of a slider
            click.plotly_chart(
                analysis.space_figure(config, side, brush=False),
                key=f"click_{side}",
                selection_mode="points",
                on_select=lambda side=side: pick(f"click_{side}", f"pick_{side}"),
                alt=f"map of the {side} space",
            )
            click.caption(analysis.panel(config, side).badge)
    return int(st.session_state["pick_source"]), int(st.session_state["pick_target"])


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
