"""How a finished flow gets to its ends: how straight, how surely, with which solver error, and with how much mass."""

from __future__ import annotations

import numpy as np
import streamlit as st

from bridgeviz import Run
from bridgeviz.flows import ODE_SOLVERS
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.guard import guard
from bridgeviz.viz.words import counted


@st.fragment
def travel(run: Run) -> None:
    """A panel of numbers, measured when it is opened; only this part of the page runs again then."""
    panel = st.expander("How the flow travels", key="travel", on_change="rerun")
    if not panel.open:
        return
    with panel:
        solver = st.selectbox(
            "ODE solver", list(ODE_SOLVERS), key="ode_solver",
            help="Follows the flow from noise to its end, with its default options. The error below is its own.",
        )  # fmt: skip
        with st.spinner("Following some points …"), guard():
            journey, error = analysis.journey(run), analysis.solver_error(run, solver)
    columns = panel.columns(4)
    columns[0].metric(
        "Detour", f"{np.median(journey.detour):.0%}", help="How much longer the path of the median point is than the "
        "straight line from its noise to its end. Straight paths need few steps.",
    )  # fmt: skip
    columns[1].metric(
        "Spread of the ends", f"{np.median(journey.spread):.2f}", help="How far apart the ends of one source point are "
        "for different draws of the noise, in standard deviations of the target, for the median point. 0: the source "
        "point alone decides where it ends. 1: it decides nothing.",
    )  # fmt: skip
    columns[2].metric(
        "Error of the solver", f"{error:.3g}", help="Distance between the ends of this solver and those of an accurate "
        "solution from the same noise, in standard deviations of the target. It says nothing about the flow.",
    )  # fmt: skip
    if journey.mass is not None:
        low, high = np.quantile(journey.mass, (0.1, 0.9))
        mass = f"{low:.1f} to {high:.1f}"
    else:
        mass = "1" if run.plan.tau in (None, (1.0, 1.0)) else "not learned"
    columns[3].metric(
        "Mass of a point", mass, help="If a tau is below 1, the plan gives some points more mass than others, and the "
        "flow can learn how much. 1 is the average; 8 of 10 points lie in this range.",
    )  # fmt: skip
    unseen = ", which were not used in training" if run.problem.test else ""
    panel.caption(f"Measured on {counted(len(journey.detour), 'point')}{unseen}.")
