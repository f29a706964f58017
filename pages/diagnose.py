"""Why did this fail?"""

import numpy as np
import streamlit as st

from bridgeviz import Run
from bridgeviz.ui import analysis, collisions, doors, jobs, live, page, settings, thumbnails, training
from bridgeviz.ui.story import story
from bridgeviz.viz.diagnosis import confusion_heatmap, overlap_against_error

page.question(
    "Why did this fail?",
    "Follow the errors of a trained flow back through the stages: do the classes overlap, was a pair near, what did "
    "the coupling decide, where did the flow end?",
)
config = settings.sidebar(training=True)


def press() -> None:
    """Start the job that the controls describe."""
    with doors.guard():
        now = settings.current()
        jobs.start(training.train(now, doors.problem(now)), now)


job, run = jobs.current_job(), jobs.current_run()
if job is not None and job.look().active:
    live.panel(0.0)
    st.stop()
if job is not None and job.look().state == "failed":
    st.error(job.look().error, icon=":material/error:")
if run is None:
    st.info(
        "There is no finished run to look into yet. Train one here with the settings on the left, or go to Flow and "
        "watch it learn.", icon=":material/model_training:",
    )  # fmt: skip
    st.button("Train now", on_click=press, type="primary", icon=":material/play_arrow:", key="train")
    page.onwards("flow", "train a flow and watch it")
    st.stop()
if run.config != config:
    st.info("The settings have changed since this run.", icon=":material/history:")
    st.button("Train with the new settings", on_click=press, icon=":material/play_arrow:", key="train")
problem = run.problem
if problem.source.labels is None or problem.target.labels is None:
    st.info("Nothing can be called wrong without labels on both sides. Add labels to both spaces.")
    page.onwards("flow", "back to the flow")
    st.stop()

classes, names = analysis.names(run.config)
with doors.guard():
    found = analysis.diagnosis(run)
points = problem.test.source if found.tested and problem.test is not None else problem.source
what = "test points, which training never saw" if found.tested else "training rows, for want of test points"
wrong = np.flatnonzero(found.labels != found.predicted)
st.markdown(
    f"**{len(wrong):,} of {len(points):,}** {what}, arrive in a wrong class ({len(wrong) / len(points):.1%}). "
    f"Strategy {run.config.strategy}, cost {run.config.cost}, {len(run.pairs):,} pairs, {len(run.losses):,} steps."
)
known = [names[str(c)] for c in found.classes]
left, right = st.columns(2)
left.subheader("Where do they arrive?")
left.plotly_chart(confusion_heatmap(found, known), key="confusion", alt="confusion of classes")
right.subheader("Do overlapping classes fail?")
right.plotly_chart(overlap_against_error(found, known), key="overlap_error", alt="overlap against error by class")
st.subheader("Which classes collide, and why?")
collisions.show(found, points, names, run.config)

st.subheader("One point's story")
order = wrong[np.argsort(found.margin[wrong], kind="stable")] if len(wrong) else np.argsort(found.margin)[:1]
said = [f"{names[str(found.labels[r])]} → {names[str(found.predicted[r])]}, row {r}" for r in order[:16]]
st.markdown(
    "The worst points: furthest from their own class." if len(wrong) else "Nothing went wrong; the least sure point:"
)
thumbnails.of_rows(points, order[:16], said, wrong=found.labels[order[:16]] != found.predicted[order[:16]])
thumbnails.note(points)


@st.fragment
def one_point(run: Run) -> None:
    """Only this part runs again when another point is chosen."""
    others = np.setdiff1d(np.arange(len(points)), order)
    row = st.selectbox(
        "Point", [*order[:200].tolist(), *others[:300].tolist()], key=f"point_{id(run)}",
        format_func=lambda r: f"row {r}: {names[str(found.labels[r])]} → {names[str(found.predicted[r])]}",
    )  # fmt: skip
    with doors.guard():
        row = int(order[0]) if row is None else row
        told = analysis.story(run, row, test=found.tested)
        story(run, told, points, row, classes, names)
    if told.stage == "right" and found.predicted[row] != found.labels[row]:
        st.caption("The draw of noise that was judged above went astray; most draws do not.")


one_point(run)
page.onwards("pairs_and_cost", "change the pairs and try again")
