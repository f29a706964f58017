"""A training while it runs: its stage, its losses, its accuracy, and buttons to pause and cancel it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from bridgeviz import Run, RunConfig
from bridgeviz.experiments import Scene
from bridgeviz.experiments import scene as straight_scene
from bridgeviz.ui.cache.results import results
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import charts
from bridgeviz.ui.panels.sidebar import chosen
from bridgeviz.ui.state import values
from bridgeviz.ui.state.summary import summary
from bridgeviz.ui.text import literal
from bridgeviz.ui.work import slots, training
from bridgeviz.ui.work.jobs import Job, Record
from bridgeviz.viz.curves import accuracy_curve, loss_curve
from bridgeviz.viz.ends import ends_map

STRAIGHT, NEIGHBOURHOODS = "Straight (PCA)", "Neighbourhoods (UMAP)"

_MAP, _SCENE, _CANCELLED = "map", "_scene", "_map_cancelled"


def train_now() -> None:
    """Train with the settings that the controls say; a callback."""
    with guard():
        train(chosen(values.current()))


def train(config: RunConfig) -> None:
    """Start a training in this session's slot."""
    slots.start(slots.TRAINING, training.train(config, results()), config)


def train_with(config: RunConfig) -> None:
    """Set the controls to a config and train with it; a callback."""
    values.apply(config)
    train(config)


@st.fragment(run_every=0.5)
def panel(chance: float, config: RunConfig) -> None:
    """The training of this session; refreshes itself while the job runs.

    Args:
        chance: the accuracy of guessing.
        config: what the controls say, which may have changed since the training began.
    """
    job, record = slots.latest(slots.TRAINING), slots.snapshot(slots.TRAINING)
    if job is None or record is None or not record.active:
        st.rerun()
        return
    bar, buttons = st.columns([3, 2], vertical_alignment="center")
    hold, stop = buttons.columns(2)
    bar.progress(record.share, text=record.text)
    if record.state == "paused" or record.pausing:
        hold.button("Resume", key="resume", on_click=job.resume, icon=":material/play_arrow:", width="stretch")
    else:
        hold.button(
            "Pause", key="pause", on_click=job.pause, icon=":material/pause:", width="stretch",
            disabled=record.state != "running",
        )  # fmt: skip
    stop.button("Cancel", key="cancel", on_click=_stop, args=(job,), icon=":material/stop_circle:", width="stretch")
    _settings(slots.work_of(slots.TRAINING), config)
    columns = st.columns(5)
    columns[0].metric("Loss", f"{record.losses[-1]:.3f}" if len(record.losses) else "-")
    columns[1].metric(
        "Held-out error", "-" if record.held_out is None else f"{record.held_out:.3f}",
        help="Mean squared error of the predicted mean on rows that are not learned from; 1 is the error of one and "
        "the same prediction for all. The flow of the smallest is kept.",
    )  # fmt: skip
    columns[2].metric("Test accuracy (sample)", f"{record.accuracy[-1][1]:.0%}" if record.accuracy else "-")
    columns[3].metric("Steps per second", f"{record.speed:.0f}" if record.speed else "-")
    columns[4].metric("Runs on", record.device or "-")
    if record.glimpse is None:
        curves(record, chance, last=record.steps)
    else:
        left, right = st.columns([3, 2])
        with left:
            curves(record, chance, last=record.steps)
        charts.draw(right, ends_map(record.glimpse), key="ends", alt="where the test points end now")
    if record.notice:
        st.warning(literal(record.notice), icon=":material/save:")


def _settings(trained: RunConfig, config: RunConfig) -> None:
    """Which settings a training has, and whether the controls say others by now."""
    changed = "" if trained == config else " The settings on the left have changed since; they do not affect it."
    st.caption(f"This training: {summary(trained)}.{changed}")


def _stop(job: Job) -> None:
    """Cancel, and wait for the current chunk to end, so that the next page already shows the stopped training."""
    job.cancel()
    job.join(timeout=0.8)


def curves(record: Record, chance: float, *, last: int | None = None) -> None:
    """Loss and accuracy side by side."""
    left, right = st.columns(2)
    if len(record.losses):
        charts.draw(left, loss_curve(record.loss_steps, record.losses, last=last), key="losses")
    if record.accuracy:
        charts.draw(right, accuracy_curve(record.accuracy, chance=chance, last=last), key="accuracies")
        if len(record.accuracy) == 1 and not record.active:
            right.caption(
                f"Measured once, at step {record.accuracy[0][0]:,}, on a sample of the test points. A saved run does "
                "not hold the accuracy of earlier steps."
            )


def empty_curve(steps: int) -> None:
    """Where the loss will be drawn. It also makes the browser load its plotting code before the training starts."""
    figure = loss_curve(np.array([1.0]), np.array([np.nan]), last=steps, span=(0.1, 3.0))
    charts.draw(st, figure, key="empty_losses")


def record_of(run: Run) -> Record:
    """The losses of a run whose job is gone."""
    return Record(loss_steps=np.arange(1, len(run.losses) + 1), losses=run.losses)


def scene_of(run: Run, record: Record | None) -> Scene:
    """The scene of a run: the one that its job drew, or a new one, drawn once per session."""
    if record is not None and record.run is run and record.scene is not None:
        return record.scene
    drawn = st.session_state.get(_SCENE)
    if drawn is None or drawn[0] is not run:
        with st.spinner("Drawing the animation …"), guard():
            drawn = st.session_state[_SCENE] = (run, straight_scene(run))
    return drawn[1]


def chosen_map() -> str:
    """The map that the visitor has chosen."""
    if st.session_state.pop(_CANCELLED, False):
        st.session_state[_MAP] = STRAIGHT
    choice = st.segmented_control(
        "Map", [STRAIGHT, NEIGHBOURHOODS], default=STRAIGHT, required=True, key=_MAP,
        help="Straight: exactly linear, so that motion is shown as it is. Neighbourhoods: preserves neighbours better, "
        "but distorts motion; it is fitted in the background, in about half a minute.",
    )  # fmt: skip
    return choice or STRAIGHT


def neighbourhoods(run: Run, straight: Scene) -> Scene | None:
    """The scene on the "Neighbourhoods" map, fitted in the background; None until it is ready."""
    job = slots.find(_MAP, run)
    if job is None or job.snapshot().state == "cancelled":
        slots.start(_MAP, training.neighbourhoods(run, straight), run)
    record = slots.snapshot(_MAP)
    if record is None:
        return None
    if record.active:
        _wait()
    if record.state == "failed":
        st.error(literal(record.error), icon=":material/error:")
    return record.scene


@st.fragment(run_every=1.0)
def _wait() -> None:
    job, record = slots.latest(_MAP), slots.snapshot(_MAP)
    if job is None or record is None or not record.active:
        st.rerun()
        return
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    text = f"{record.text} · {record.seconds:.0f} s. Meanwhile, the straight map plays."
    bar.progress(record.share, text=text)
    if stop.button("Cancel", key="stop_map", icon=":material/stop_circle:", width="stretch"):
        job.cancel()  # it ends at its next check, and the visitor need not wait for it
        st.session_state[_CANCELLED] = True
        st.rerun()
