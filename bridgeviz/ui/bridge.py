"""Pick a source and a target point, and see which pair bridges them (Eq. 6)."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

import bridgeviz as bv
from bridgeviz import Problem, RunConfig
from bridgeviz.ui import analysis, doors, thumbnails
from bridgeviz.ui.maps import named, pick, start_value
from bridgeviz.viz.pairing import bridge_route


@st.fragment
def bridge(config: RunConfig, problem: Problem, names: Mapping[str, str]) -> None:
    """The pickers, the way across both maps, its two lengths, and the pictures on it."""
    i, j = _pickers(config, problem)
    source, target = problem.source, problem.target
    with doors.guard():
        legs = bv.costs.legs(source.x, target.x, doors.pairs(config), i, j, metric=config.distance)
    across, told = st.columns([3, 1], vertical_alignment="center")
    with across:
        st.plotly_chart(
            bridge_route(analysis.both_maps(config, legend=False), i, j, legs),
            key="route",
            config={"displaylogo": False},
            alt="the way from the source point over one pair to the target point",
        )
    unit = "In units of the mean distance within the space."
    told.metric("Leg in the source", f"{legs['leg_x']:.3f}", help=f"From x_i to the pair's source. {unit}")
    told.metric("Leg in the target", f"{legs['leg_y']:.3f}", help=f"From the pair's target to y_j. {unit}")
    told.metric("Bridge cost", f"{legs['cost']:.3f}", help="The sum of the two legs; 0 for the two ends of a pair.")
    steps = ((source, i, "x_i"), (source, legs["source"], "x_p"), (target, legs["target"], "y_p"), (target, j, "y_j"))
    for column, (space, row, letter) in zip(st.columns(4), steps, strict=True):
        said = f"{letter}: row {row}" + named(space, row, names)
        with column:
            if not thumbnails.of_rows(space, [row], [said], size=84):
                st.markdown(f"**{said}**")
    if config.cost != "bridge":
        st.caption(f"The chosen cost, '{config.cost}', adds up all pairs along all paths; this is the straight way.")


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
