"""How does noise become a target? (Fig. 4, 7, 15)"""

import numpy as np
import streamlit as st

from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import formula, live, page, result, saved, selecting, shipped, table
from bridgeviz.ui.panels.sidebar import sidebar
from bridgeviz.ui.text import literal
from bridgeviz.ui.work import slots

page.question(
    "How does noise become a target?",
    "A flow starts each point at random noise and carries it, guided by its source point, into the target space. It "
    "learns the way from the coupling.",
)
config = sidebar()
with page.place(), guard():
    problem = stages.problem(config)
labels = problem.source.labels
chance = 0.0 if labels is None else float(np.unique(labels, return_counts=True)[1].max() / len(labels))
record, run = slots.snapshot(slots.TRAINING), slots.current_run()
active = record is not None and record.active
names = analysis.names(config)[1]
chosen = selecting.bar(config, problem, names)
table.show(config, problem, chosen, names, run=run if run is not None and run.config == config else None)

left, right = st.columns([1, 5], vertical_alignment="center")
left.button(
    "Train", on_click=live.train_now, type="primary", icon=":material/play_arrow:", disabled=active, width="stretch",
    key="train",
)  # fmt: skip
if active:
    live.panel(chance, config)
else:
    if run is not None and run.config != config:
        right.info("The settings have changed since this run. Press **Train** to see what they do.")
    with page.place():
        offered = (run is None or run.config != config) and saved.offer(config)
        if run is None and not offered:
            saved.interrupted()
        if record is not None and record.state == "failed":
            st.error(literal(record.error), icon=":material/error:")
            if record.run is not None:
                st.caption("Below: what the flow had learned before.")
    if record is not None and record.state == "cancelled":
        what = "Below: what the flow had learned." if record.run else "Nothing was learned yet."
        right.warning(f"Cancelled. {what}")
    if run is not None:
        # The selection names rows of the data that are chosen now, which a run may not be of.
        result.show(run, record, chance, chosen if run.config.key("load") == config.key("load") else None)
    elif offered:
        live.empty_curve(config.flow.steps)
    elif not shipped.show(config):
        st.info(
            "Nothing is trained yet. Choose on the left how many pairs may be used, then press **Train** and watch the "
            f"flow learn. The {config.flow.steps:,} steps start within seconds.", icon=":material/arrow_upward:",
        )  # fmt: skip
        live.empty_curve(config.flow.steps)
    saved.listing()
formula.of_page("flow")
page.next_page("diagnose", "why did some points fail?")
