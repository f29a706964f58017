"""How does noise become a target? (Fig. 4, 7, 15)"""

import numpy as np
import streamlit as st

from bridgeviz.ui.cache import stages
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import live, page, result, saved
from bridgeviz.ui.panels.sidebar import sidebar
from bridgeviz.ui.work import slots

page.question(
    "How does noise become a target?",
    "A flow starts each point at random noise and carries it, guided by its source point, into the target space. It "
    "learns the way from the coupling.",
)
config = sidebar()
with guard():
    problem = stages.problem(config)
labels = problem.source.labels
chance = 0.0 if labels is None else float(np.unique(labels, return_counts=True)[1].max() / len(labels))
record, run = slots.snapshot(slots.TRAINING), slots.current_run()
active = record is not None and record.active

left, right = st.columns([1, 5], vertical_alignment="center")
left.button(
    "Train", on_click=live.train_now, type="primary", icon=":material/play_arrow:", disabled=active, width="stretch",
    key="train",
)  # fmt: skip
if active:
    live.panel(chance)
else:
    if run is None:
        saved.interrupted()
    elif run.config != config:
        right.info("The settings have changed since this run. Press **Train** to see what they do.")
    if record is not None and record.state == "failed":
        st.error(record.error, icon=":material/error:")
        if record.run is not None:
            st.caption("Below: what the flow had learned before.")
    if record is not None and record.state == "cancelled":
        what = "Below: what the flow had learned." if record.run else "Nothing was learned yet."
        right.warning(f"Cancelled. {what}")
    if run is None:
        st.info(
            "Nothing is trained yet. Choose on the left how many pairs may be used, then press **Train** and watch the "
            f"flow learn. The {config.flow.steps:,} steps start within seconds.", icon=":material/arrow_upward:",
        )  # fmt: skip
        live.empty_curve(config.flow.steps)
    else:
        result.show(run, record, chance)
    saved.listing()
page.next_page("diagnose", "why did some points fail?")
