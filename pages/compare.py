"""What did the change do? (Fig. 8 to 11)"""

import streamlit as st

from bridgeviz.ui.cache import analysis
from bridgeviz.ui.panels import compare, formula, live, more_runs, page, selecting
from bridgeviz.ui.panels.sidebar import sidebar
from bridgeviz.ui.work import slots

page.question(
    "What did the change do?",
    "Two runs side by side, at the same time and on the same map. Change one thing at a time, and see which points it "
    "wins and which it loses.",
)
config = sidebar()
record, runs = slots.snapshot(slots.TRAINING), slots.finished_runs()
if record is not None and record.active:
    live.panel(0.0, config)
    st.stop()
if len(runs) < 2:
    text = "Train a first run here, with the settings on the left." if not runs else "One run is trained."
    st.info(f"{text} Then try it with one thing changed: the two are compared here.", icon=":material/compare_arrows:")
    if not runs:
        st.button("Train now", on_click=live.train_now, type="primary", icon=":material/play_arrow:", key="train")
else:
    before, after, more = compare.chosen(runs)
    changed, here = compare.sides(before, after), config.key("load")
    chosen = None
    with page.place():
        if all(run.config.key("load") == here for run in (before, after, *more)):  # the selection names rows of these
            chosen = selecting.bar(config, after.problem, analysis.names(config)[1], compare.groups(changed, after))
    compare.differences(before, after, runs)
    compare.animations([before, after, *more], chosen)
    compare.points(before, after, changed, chosen)
more_runs.offer(runs)
if runs:
    compare.others(runs[0].config)
formula.of_page("compare")
page.next_page("diagnose", "why did some points fail?")
