"""Why did this fail?"""

import numpy as np
import streamlit as st

from bridgeviz.ui.cache import analysis
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import (
    collisions,
    doubt,
    errors,
    failures,
    formula,
    live,
    lost,
    others,
    page,
    saved,
    selecting,
    table,
)
from bridgeviz.ui.panels.sidebar import sidebar
from bridgeviz.ui.text import literal
from bridgeviz.ui.work import slots
from bridgeviz.viz.words import counted

page.question(
    "Why did this fail?",
    "Follow the errors of a trained flow back through the stages: do the classes overlap, was a pair near, what did "
    "the coupling decide, where did the flow end?",
)
config = sidebar()
record, run = slots.snapshot(slots.TRAINING), slots.current_run()
if record is not None and record.active:
    live.panel(0.0, config)
    st.stop()
with page.place():
    if record is not None and record.state == "failed":
        st.error(literal(record.error), icon=":material/error:")
if run is None:
    if not saved.offer(config):
        st.info(
            "There is no finished run to examine yet. Train one here with the settings on the left, or go to Flow and "
            "watch it learn.", icon=":material/model_training:",
        )  # fmt: skip
        st.button("Train now", on_click=live.train_now, type="primary", icon=":material/play_arrow:", key="train")
    page.next_page("flow", "train a flow and watch it")
    st.stop()
with page.place():
    if run.config != config:
        st.info("The settings have changed since this run.", icon=":material/history:")
        if not saved.offer(config):
            st.button("Train with the new settings", on_click=live.train_now, icon=":material/play_arrow:", key="train")
    if run.stopped:
        st.warning(
            f"This run was stopped after {len(run.losses):,} of {run.config.flow.steps:,} steps. Its flow had not "
            "learned all that it could, so what goes wrong below may be due to that alone.",
            icon=":material/front_hand:",
        )
problem = run.problem
same = run.config.key("load") == config.key("load")  # the selection names rows of the data that are chosen now
if analysis.labels_of(problem) is None:
    with guard(), st.spinner("Following points through the stages …"):
        lost_rows = lost.measured(run)
    with page.place():
        kinds = {} if lost_rows is None else lost.groups(lost_rows)
        chosen = selecting.bar(config, problem, {}, kinds) if same else None
    table.show(run.config, problem, chosen, {}, run=run)
    if lost_rows is not None:
        lost.show(run, lost_rows, chosen)
    doubt.show(run)
    others.show(run)
    formula.of_page("partners")
    page.next_page("flow", "back to the flow")
    st.stop()

classes, names = analysis.names(run.config)
with guard():
    diagnosis = analysis.diagnosis(run)
points = problem.test.source if diagnosis.tested and problem.test is not None else problem.source
wrong = np.flatnonzero(diagnosis.labels != diagnosis.predicted)
unseen = "test points (not used in training)" if diagnosis.tested else "training rows (there is no test split)"
cost = f"cost {run.config.cost.name}, " if run.config.coupling.uses_cost else ""
st.markdown(
    f"**{len(wrong):,} of {len(points):,}** {unseen} arrive in a wrong class ({len(wrong) / len(points):.1%}). "
    f"Strategy {run.config.coupling.name}, {cost}{counted(len(run.pairs), 'pair')}, {counted(len(run.losses), 'step')}."
)
if len(slots.finished_runs()) > 1:
    st.page_link("pages/compare.py", label="Compare with the run before", icon=":material/compare_arrows:")
with guard(), st.spinner("Following points from several draws of noise …"):
    found = analysis.failures(run, test=diagnosis.tested) if len(run.pairs) else None
with page.place():
    chosen = selecting.bar(config, problem, names, failures.groups(diagnosis, found)) if same else None
    if chosen is not None:
        failures.group(run, chosen)
table.show(run.config, problem, chosen, names, run=run)
if found is not None:
    failures.summary(run, found)
    failures.maps(run, found, names, errors.story_key(run), chosen)
errors.by_class(diagnosis, names)
st.header("Which classes collide, and why?")
collisions.show(diagnosis, points, names, run.config)
st.header("One point's story")
listed = [] if found is None else [found.rows]
if chosen is not None and chosen.side == "source" and chosen.tested == diagnosis.tested:
    listed.append(chosen.rows)
errors.one_point(run, diagnosis, points, classes, names, np.concatenate([np.zeros(0, int), *listed]))
if found is not None:
    failures.calibration(found)
others.show(run)
formula.of_page("diagnose")
page.next_page("pairs_and_cost", "change the pairs and try again")
