"""Pick a source and a target point, and see which pair bridges them (Eq. 6)."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

import bridgeviz as bv
from bridgeviz import Problem, RunConfig
from bridgeviz.costs import Cost
from bridgeviz.ui import analysis, doors, thumbnails
from bridgeviz.ui.maps import named, pick, start_value
from bridgeviz.viz.pairing import bridge_route


@st.fragment
def bridge(config: RunConfig, problem: Problem, cost: Cost, names: Mapping[str, str]) -> None:
    """The pickers, the way across both maps, its two legs, and the pictures on it.

    A cost that no single pair decides (kcca, or heat) shows the straight way instead, and says so.
    """
    i, j = _pickers(config, problem)
    source, target = problem.source, problem.target
    with doors.guard():
        if cost.route is not None:
            route = cost.route(i, j)
        else:
            route = bv.costs.legs(source.x, target.x, doors.pairs(config), i, j, metric=config.distance)
    across, told = st.columns([3, 1], vertical_alignment="center")
    with across:
        st.plotly_chart(
            bridge_route(analysis.both_maps(config, legend=False), route),
            key="route",
            config={"displaylogo": False},
            alt="the way from the source point over one pair to the target point",
        )
    if route.share is None:
        unit = "In units of the mean within the space."
        told.metric("Leg in the source", f"{route.leg_x:.3f}", help=f"From x_i to the pair's source. {unit}")
        told.metric("Leg in the target", f"{route.leg_y:.3f}", help=f"From the pair's target to y_j. {unit}")
        said = "The sum of the two legs; 0 for the two ends of a pair."
        told.metric("Bridge cost", f"{route.cost:.3f}", help=said)
    else:
        told.metric("Of x_i's mass", f"{route.leg_x:.1%}", help="The part of what reaches x_i that this pair sent.")
        told.metric("Of y_j's mass", f"{route.leg_y:.1%}", help="The part of what reaches y_j that this pair sent.")
        said = "All pairs bridge two points in this cost; this one carries so much of what the two have in common."
        told.metric("This pair's share", f"{route.share:.1%}", help=said)
    steps = (
        (source, i, "x_i"), (source, route.way_x[-1], "x_p"), (target, route.way_y[0], "y_p"), (target, j, "y_j")
    )  # fmt: skip
    for column, (space, row, letter) in zip(st.columns(4), steps, strict=True):
        said = f"{letter}: row {row}" + named(space, row, names)
        with column:
            if not thumbnails.of_rows(space, [row], [said], size=84):
                st.markdown(f"**{said}**")
    if cost.route is None:
        st.caption(f"No single pair decides the cost '{cost.name}'; this is the straight way of 'bridge'.")
    elif len(route.way_x) + len(route.way_y) > 4:
        st.caption(
            f"The legs go along the cloud of points: {len(route.way_x) - 1} steps in the source, "
            f"{len(route.way_y) - 1} in the target."
        )


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
    return int(st.session_state["pick_source"]), int(st.session_state["pick_target"])


def memory(cost: Cost) -> str:
    """What the cost takes: its factors, and the matrix that is never made."""
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
