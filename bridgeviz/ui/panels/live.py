"""A training while it runs: its stage, its losses, its accuracy, and buttons to pause and cancel it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from bridgeviz import Run, RunConfig
from bridgeviz.experiments import Scene
from bridgeviz.experiments import scene as straight_scene
from bridgeviz.ui.cache.results import results
from bridgeviz.ui.guard import guard
from bridgeviz.ui.state import values
from bridgeviz.ui.work import slots, training
from bridgeviz.ui.work.jobs import Job, Record
from bridgeviz.viz.curves import accuracy_curve, loss_curve

_MAP, _SCENE = "map", "_scene"


def train_now() -> None:
    """Train with the settings that the controls say; a callback."""
    with guard():
        train(values.current())


def train(config: RunConfig) -> None:
    """Start a training in this session's slot."""
    slots.start(slots.TRAINING, training.train(config, results()))


@st.fragment(run_every=0.5)
def panel(chance: float) -> None:
    """The training of this session; refreshes itself while the job runs."""
    job, record = slots.latest(slots.TRAINING), slots.snapshot(slots.TRAINING)
    if job is None or record is None or not record.active:
        st.rerun()
        return
    bar, hold, stop = st.columns([5, 1, 1], vertical_alignment="center")
    if record.state == "queued":
        place = "You are next" if record.position == 1 else f"Number {record.position} in the queue"
        bar.progress(0.0, text=f"**{place}.** Other trainings are running on this machine.")
    else:
        stage = "Paused" if record.state == "paused" else record.stage
        share = min(1.0, record.step / max(1, record.steps))
        bar.progress(share, text=f"**{stage}** · step {record.step:,} of {record.steps:,}")
    if record.state == "paused":
        hold.button("Resume", key="resume", on_click=job.resume, icon=":material/play_arrow:", width="stretch")
    else:
        hold.button(
            "Pause", key="pause", on_click=job.pause, icon=":material/pause:", width="stretch",
            disabled=record.state != "running",
        )  # fmt: skip
    stop.button("Cancel", key="cancel", on_click=_stop, args=(job,), icon=":material/stop_circle:", width="stretch")
    columns = st.columns(4)
    columns[0].metric("Loss", f"{record.losses[-1]:.3f}" if len(record.losses) else "-")
    columns[1].metric("Test accuracy (sample)", f"{record.accuracy[-1][1]:.0%}" if record.accuracy else "-")
    columns[2].metric("Steps per second", f"{record.speed:.0f}" if record.speed else "-")
    columns[3].metric("Runs on", record.device or "-")
    curves(record, chance, last=record.steps)
    if record.notice:
        st.warning(record.notice, icon=":material/save:")


def _stop(job: Job) -> None:
    """Cancel, and wait for the current chunk to end, so that the next page already shows the stopped training."""
    job.cancel()
    job.join(timeout=0.8)


def curves(record: Record, chance: float, *, last: int | None = None) -> None:
    """Loss and accuracy side by side."""
    left, right = st.columns(2)
    if len(record.losses):
        left.plotly_chart(
            loss_curve(record.loss_steps, record.losses, last=last), key="losses", config={"displayModeBar": False}
        )
    if record.accuracy:
        right.plotly_chart(
            accuracy_curve(record.accuracy, chance=chance, last=last), key="accuracies",
            config={"displayModeBar": False},
        )  # fmt: skip


def empty_curve(steps: int) -> None:
    """Where the loss will be drawn. It also makes the browser load its plotting code before the training starts."""
    figure = loss_curve(np.array([1.0]), np.array([np.nan]), last=steps, span=(0.1, 3.0))
    st.plotly_chart(figure, key="empty_losses", config={"displayModeBar": False})


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


def neighbourhoods(run: Run, straight: Scene) -> Scene | None:
    """The scene on the "Neighbourhoods" map, fitted in the background; None until it is ready."""
    if slots.find(_MAP, run) is None:
        slots.start(_MAP, training.neighbourhoods(run, straight), run)
    record = slots.snapshot(_MAP)
    if record is None:
        return None
    if record.active:
        _wait()
    if record.state == "failed":
        st.error(record.error, icon=":material/error:")
    return record.scene


@st.fragment(run_every=1.0)
def _wait() -> None:
    record = slots.snapshot(_MAP)
    if record is None or not record.active:
        st.rerun()
        return
    stage = f"Number {record.position} in the queue" if record.state == "queued" else record.stage
    st.info(f"{stage} … {record.seconds:.0f} s. Meanwhile, the straight map plays.", icon=":material/hourglass_top:")
