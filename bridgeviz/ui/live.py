"""The live panel of a training job: what it is doing, its losses, its accuracy, and Cancel."""

from __future__ import annotations

import numpy as np
import streamlit as st

from bridgeviz import Run
from bridgeviz.ui import jobs, training
from bridgeviz.viz.curves import accuracy_curve, loss_curve
from bridgeviz.viz.scene import Scene

_MAP = "_map_job"


def panel(chance: float) -> None:
    """Draw the panel of this session's job; it refreshes itself while the job runs."""
    _panel(chance)


@st.fragment(run_every=0.5)
def _panel(chance: float) -> None:
    job = jobs.current_job()
    record = job.look() if job is not None else None
    if job is None or record is None or not record.active:
        st.rerun()
        return
    words, hold, button = st.columns([5, 1, 1], vertical_alignment="center")
    if record.state == "queued":
        ahead = "You are next" if record.place == 1 else f"Number {record.place} in line"
        words.progress(0.0, text=f"**{ahead}.** Other trainings run on this machine.")
    else:
        share = record.step / max(1, record.steps)
        stage = "Paused" if record.state == "paused" else record.stage
        words.progress(min(1.0, share), text=f"**{stage}** · step {record.step:,} of {record.steps:,}")
    if record.state == "paused":
        hold.button("Resume", key="resume", on_click=job.resume, icon=":material/play_arrow:", width="stretch")
    else:
        hold.button(
            "Pause", key="pause", on_click=job.pause, icon=":material/pause:", width="stretch",
            disabled=record.state != "running",
        )  # fmt: skip
    button.button("Cancel", key="cancel", on_click=_stop, args=(job,), icon=":material/stop_circle:", width="stretch")
    columns = st.columns(4)
    columns[0].metric("Loss", f"{record.losses[-1]:.3f}" if len(record.losses) else "-")
    columns[1].metric("Test accuracy (sample)", f"{record.accuracy[-1][1]:.0%}" if record.accuracy else "-")
    columns[2].metric("Steps a second", f"{record.speed:.0f}" if record.speed else "-")
    columns[3].metric("Runs on", record.device or "-")
    curves(record, chance, last=record.steps)
    if record.notice:
        st.warning(record.notice, icon=":material/save:")


def _stop(job: jobs.Job) -> None:
    """Cancel, and wait the moment that the chunk under way takes, so that the next picture is already the idle one."""
    job.cancel()
    job.join(timeout=0.8)


def curves(record: jobs.Record, chance: float, *, last: int | None = None) -> None:
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


def to_come(steps: int) -> None:
    """Where the loss will be drawn. It also has the browser load its plotting code before anybody waits for it."""
    figure = loss_curve(np.array([1.0]), np.array([np.nan]), last=steps, span=(0.1, 3.0))
    st.plotly_chart(figure, key="losses_to_come", config={"displayModeBar": False})


def of_run(run: Run) -> jobs.Record:
    """The curves of a run whose job is forgotten."""
    return jobs.Record(loss_steps=np.arange(1, len(run.losses) + 1), losses=run.losses)


def neighbourhoods(run: Run, made: Scene) -> Scene | None:
    """The scene on the "Neighbourhoods" map, fitted in the background; None until it is there."""
    kept = st.session_state.get(_MAP)
    if kept is None or kept[0] is not run:
        if kept is not None:
            kept[1].cancel()
        kept = st.session_state[_MAP] = (run, jobs.Job(training.neighbourhoods(run, made), jobs.office()).start())
    record = kept[1].look()
    if record.active:
        _wait()
    if record.state == "failed":
        st.error(record.error, icon=":material/error:")
    return record.scene


@st.fragment(run_every=1.0)
def _wait() -> None:
    record = st.session_state[_MAP][1].look()
    if not record.active:
        st.rerun()
    said = f"Number {record.place} in line" if record.state == "queued" else record.stage
    st.info(f"{said} … {record.seconds:.0f} s. The straight map plays meanwhile.", icon=":material/hourglass_top:")
