"""How a finished flow travels: straight or not, sure or not, and how much mass it lets through."""

from __future__ import annotations

import numpy as np
import streamlit as st

from bridgeviz import Run
from bridgeviz.ui import analysis, doors


@st.fragment
def travel(run: Run) -> None:
    """A panel of numbers, measured when it is opened; only it runs again then."""
    panel = st.expander("How the flow travels", key="travel", on_change="rerun")
    if not panel.open:
        return
    with panel, st.spinner("Following some points …"), doors.guard():
        found = analysis.journey(run)
    columns = panel.columns(4)
    columns[0].metric(
        "Detour", f"{np.median(found.detour):.0%}", help="How much longer the way of the middle point is than the "
        "straight line from its noise to its end. Straight ways need few steps.",
    )  # fmt: skip
    columns[1].metric(
        "Spread of the ends", f"{np.median(found.spread):.2f}", help="How far apart one source point's ends are when "
        "its noise is drawn anew, in standard deviations of the target, for the middle point. 0: the source point "
        "decides where it ends. 1: it says nothing.",
    )  # fmt: skip
    columns[2].metric(
        "Error of the solver", f"{found.error:.3f}", help="Between the ends of 20 Heun steps and of an exact solution, "
        "from the same noise, in standard deviations of the target. It is about the solver, not about the flow.",
    )  # fmt: skip
    if found.mass is not None:
        low, high = np.quantile(found.mass, (0.1, 0.9))
        mass = f"{low:.1f} to {high:.1f}"
    else:
        mass = "1" if run.plan.tau in (None, (1.0, 1.0)) else "not learned"
    columns[3].metric(
        "Mass of a point", mass, help="Where tau is below 1, the plan gives some points more mass than others, and "
        "the flow learns how much. 1: as much as the mean; 8 of 10 points lie between these two.",
    )  # fmt: skip
    panel.caption(f"On {len(found.detour):,} points" + (", which training never saw." if run.problem.test else "."))
