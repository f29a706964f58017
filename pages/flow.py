"""How does noise become a target? (Fig. 4, 7, 15)"""

from functools import partial

import numpy as np
import streamlit as st

from bridgeviz.ui import doors, jobs, live, page, saved, settings, training
from bridgeviz.ui.player import player
from bridgeviz.ui.travel import travel
from bridgeviz.viz.scene import scene

page.question(
    "How does noise become a target?",
    "A flow starts each point at random noise and carries it, guided by the source point it belongs to, into the "
    "target space. It learns the way from the coupling.",
)
config = settings.sidebar(training=True)
with doors.guard():
    problem = doors.problem(config)
labels = problem.source.labels
chance = 0.0 if labels is None else float(np.unique(labels, return_counts=True)[1].max() / len(labels))


def press() -> None:
    """Start the job that the controls describe."""
    with doors.guard():
        now = settings.current()
        jobs.start(training.train(now, doors.problem(now)), now)


job = jobs.current_job()
record = job.look() if job is not None else None
active = record is not None and record.active
left, right = st.columns([1, 5], vertical_alignment="center")
left.button(
    "Train", on_click=press, type="primary", icon=":material/play_arrow:", disabled=active, width="stretch", key="train"
)
run = jobs.current_run()
if run is not None and not active and run.config != config:
    right.info("The settings have changed since this run. Press **Train** to see what they do.")
if active:
    live.panel(chance)
elif run is None:
    saved.found_again()
if record is not None and record.state == "failed":
    st.error(record.error, icon=":material/error:")
    if record.run is not None:
        st.caption("Below: what the flow had learned before.")
if record is not None and record.state == "cancelled":
    right.warning("Cancelled. " + ("Below: what the flow had learned." if record.run else "Nothing was learned yet."))
if run is None and not active:
    st.info(
        f"Nothing is trained yet. Choose on the left how many pairs may be used, then press **Train**: "
        f"{config.steps:,} steps on {problem.source.title or 'your points'} start in seconds, and you can watch.",
        icon=":material/arrow_upward:",
    )

    live.to_come(config.steps)

if run is not None and not active:
    shown = record.scene if record is not None and record.scene is not None and record.run is run else None
    if shown is None:
        with st.spinner("Drawing the journey …"), doors.guard():
            shown = jobs.remember(run, scene)
    choice = st.segmented_control(
        "Map", ["Straight (PCA)", "Neighbourhoods (UMAP)"], default="Straight (PCA)", required=True, key="map",
        help="Straight: exactly linear, so motion is shown as it is. Neighbourhoods: keeps neighbours together better "
        "and bends motion; fitted in the background, about half a minute.",
    )  # fmt: skip
    bent = live.neighbourhoods(run, shown) if choice != "Straight (PCA)" else None
    player(bent or shown, key="flow_player")
    page.numbers(run.metrics, pairs=len(run.pairs), known=page.known(run.problem), chance=shown.chance)
    if not run.metrics:
        st.caption("A run that stopped early is not judged: train to the end for its numbers.")
    with st.expander("How the training went"):
        live.curves(record if record is not None and record.run is run else live.of_run(run), chance)
        st.caption(", ".join(f"{stage} {took:.1f} s" for stage, took in run.seconds.items()) + f"; on {run.device}.")
    travel(run)
    one, two, _ = st.columns([1, 1, 2])
    one.download_button(
        "Settings and numbers (.json)", partial(page.report, run), "run.json", "application/json", width="stretch",
        icon=":material/download:",
    )  # fmt: skip
    two.download_button(
        "Transported points (.npy)", partial(page.transported, run), "transported.npy", width="stretch",
        icon=":material/download:",
    )  # fmt: skip
if not active:
    saved.listing()
page.onwards("diagnose", "why did this fail, where it failed?")
