"""The jobs of a session: one in each slot ("training", "recommend", "tune", "map"), and the run that it looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st

from bridgeviz import Run
from bridgeviz.ui.work.jobs import Job, Record
from bridgeviz.ui.work.queue import job_queue

TRAINING = "training"
_JOBS, _RUN, _RUNS = "_jobs", "_run", "_runs"
MOST_RUNS = 4
"""Finished runs that a session keeps in memory to compare them."""


class Slot(NamedTuple):
    """A job, and what it works on."""

    job: Job
    key: Any


def start(slot: str, work: Callable[[Job], None], key: Any = None) -> None:
    """Start a job in a slot, after cancelling the one that it may hold.

    Args:
        slot: its name.
        work: what to do.
        key: what the work depends on, if its result is of no use for anything else.
    """
    if slot == TRAINING:
        current_run()  # keeps the result of the job before
    if slot in _jobs():
        _jobs()[slot].job.cancel()
    _jobs()[slot] = Slot(Job(work, job_queue()).start(), key)


def find(slot: str, key: Any = None) -> Job | None:
    """The job of a slot for this key, whatever became of it; a job for another key is cancelled and dropped."""
    held = _jobs().get(slot)
    if held is None:
        return None
    if held.key != key:
        held.job.cancel()
        del _jobs()[slot]
        return None
    return held.job


def latest(slot: str) -> Job | None:
    """The latest job of a slot, whatever it worked on; None before the first."""
    held = _jobs().get(slot)
    return None if held is None else held.job


def work_of(slot: str) -> Any:
    """What the latest job of a slot works on; None before the first."""
    held = _jobs().get(slot)
    return None if held is None else held.key


def snapshot(slot: str) -> Record | None:
    """The record of the latest job of a slot; None before the first."""
    job = latest(slot)
    return None if job is None else job.snapshot()


def current_run() -> Run | None:
    """The latest run that this session trained, finished or cancelled midway; None before the first.

    Its `config` says what it was trained with; the controls may have changed since. A run that was cancelled has a
    flow and empty `metrics`.
    """
    record = snapshot(TRAINING)
    if record is not None and record.run is not None:
        st.session_state[_RUN] = record.run
    run = st.session_state.get(_RUN)
    if run is not None:
        _keep(run)
    return run


def finished_runs() -> list[Run]:
    """The latest runs that this session trained to the end, the latest first; at most one for each config."""
    current_run()
    return list(st.session_state.get(_RUNS, ()))


def _keep(run: Run) -> None:
    kept: list[Run] = st.session_state.setdefault(_RUNS, [])
    if run.metrics and all(one is not run for one in kept):
        st.session_state[_RUNS] = [run, *(one for one in kept if one.config != run.config)][:MOST_RUNS]


def _jobs() -> dict[str, Slot]:
    return st.session_state.setdefault(_JOBS, {})
