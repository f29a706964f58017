"""Long work in the background: one job a session, a queue for the whole server, cancelled when nobody looks.

A job runs in a plain thread that never calls streamlit. It fills a small locked record; the page polls it with
`Job.look`. Cancel is an event that the work checks. Threads outlive their session, so a job that nobody has looked at
for `PATIENCE` seconds cancels itself.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import streamlit as st

from bridgeviz import InputError, Run, RunConfig, TrainingError
from bridgeviz.ui import router
from bridgeviz.ui.courtesy import sweep
from bridgeviz.viz.scene import Scene

PATIENCE = 68.0
"""Seconds without a look after which a job is nobody's. A hidden tab looks once a minute."""

LIMIT = max(1, (os.cpu_count() or 2) // 2)
"""Jobs that run at once on this server; the rest wait in line."""

ACTIVE = ("queued", "running", "paused")
_JOB, _RUN, _SCENE = "_job", "_run", "_scene"
_log = logging.getLogger(__name__)


class Cancelled(Exception):
    """Raised inside a job when it was cancelled or abandoned."""


@dataclass(frozen=True)
class Record:
    """What is known of a job at one moment.

    Attributes:
        state: "queued", "running", "paused", "done", "cancelled" or "failed".
        place: in the queue, from 1; 0 when its turn has come.
        stage: what it is doing, in words.
        step, steps: of training.
        loss_steps, losses: so far.
        accuracy: (step, test accuracy on a sample) so far.
        speed: steps a second, lately.
        device: that it runs on.
        error: one plain sentence, or "".
        notice: what the user should know while it goes on, or "".
        run: what came out, also of a cancelled training that had begun.
        scene: of the run, ready to play.
        result: of other work than a training.
        seconds: since it started.
    """

    state: str = "queued"
    place: int = 0
    stage: str = "Waiting"
    step: int = 0
    steps: int = 0
    loss_steps: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    losses: np.ndarray = field(default_factory=lambda: np.zeros(0))
    accuracy: tuple[tuple[int, float], ...] = ()
    speed: float = 0.0
    device: str = ""
    error: str = ""
    notice: str = ""
    run: Run | None = None
    scene: Scene | None = None
    result: Any = None
    seconds: float = 0.0

    @property
    def active(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in ACTIVE


class Job:
    """One piece of work, its thread and its record."""

    def __init__(self, work: Callable[[Job], None], office: Office, config: RunConfig | None = None):
        self.config = config
        self._work, self._office = work, office
        self._lock = threading.Lock()
        self._cancel, self._pause = threading.Event(), threading.Event()
        self._record = Record()
        self._born = self._seen = time.monotonic()
        self._thread = threading.Thread(target=self._go, name="bridgeviz job", daemon=True)

    def start(self) -> Job:
        """Set off; returns at once."""
        self._office.queue(self)
        self._thread.start()
        return self

    def look(self) -> Record:
        """The record as it stands. Looking keeps the job alive."""
        with self._lock:
            self._seen = time.monotonic()
            record = self._record
        if not record.active:
            return record
        return replace(record, place=self._office.place(self), seconds=time.monotonic() - self._born)

    def cancel(self) -> None:
        """Ask it to stop; it does so at its next check."""
        self._cancel.set()
        self._office.wake()

    def pause(self) -> None:
        """Ask it to wait at its next check; meanwhile others may have its place."""
        self._pause.set()

    def resume(self) -> None:
        """Let it go on, as soon as there is a place for it."""
        self._pause.clear()

    def check(self) -> None:
        """Called by the work between two steps. Returns later if somebody asked for a pause.

        Raises:
            Cancelled: somebody asked for it, or nobody looks any more.
        """
        self.wanted()
        if not self._pause.is_set():
            return
        self.tell(state="paused")
        self._office.leave(self)
        while self._pause.is_set():
            self.wanted()
            self._cancel.wait(0.05)
        self.tell(state="queued")
        self._office.queue(self)
        self._office.enter(self)
        self.tell(state="running")

    def wanted(self) -> None:
        """As `check`, without a pause."""
        if self._cancel.is_set() or time.monotonic() - self._seen > PATIENCE:
            raise Cancelled

    def tell(self, **changes: Any) -> None:
        """Write to the record."""
        with self._lock:
            self._record = replace(self._record, seconds=time.monotonic() - self._born, **changes)

    def join(self, timeout: float | None = None) -> None:
        """Wait for the thread; for tests."""
        self._thread.join(timeout)

    def _go(self) -> None:
        try:
            with self._office.turn(self):
                self.tell(state="running")
                self._work(self)
            self.tell(state="done", stage="Done")
        except Cancelled:
            self.tell(state="cancelled", stage="Cancelled")
        except (InputError, TrainingError) as error:
            self.tell(state="failed", stage="Failed", error=str(error))
        except MemoryError:
            self.tell(state="failed", stage="Failed", error="This machine ran out of memory. Try a smaller setting.")
        except Exception as error:
            _log.exception("A background job failed")
            said = f"Something unexpected went wrong ({type(error).__name__}). The server's log has the details."
            self.tell(state="failed", stage="Failed", error=said)
        finally:
            sweep()


class Office:
    """The queue of the whole server: `limit` jobs run at once, first come first served."""

    def __init__(self, limit: int = LIMIT):
        self.limit = limit
        self._change = threading.Condition()
        self._waiting: list[Job] = []
        self._running: set[Job] = set()

    def queue(self, job: Job) -> None:
        """Put a job at the end of the line."""
        with self._change:
            self._waiting.append(job)

    def place(self, job: Job) -> int:
        """1 for the next in line; 0 for a job that is not waiting."""
        with self._change:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def wake(self) -> None:
        """Let everybody in line look whether something changed for them."""
        with self._change:
            self._change.notify_all()

    def enter(self, job: Job) -> None:
        """Wait in line for a place."""
        with self._change:
            try:
                while len(self._running) >= self.limit or self._waiting[0] is not job:
                    job.wanted()
                    self._change.wait(timeout=1.0)
                job.wanted()
                self._running.add(job)
            finally:
                self._waiting.remove(job)
                self._change.notify_all()

    def leave(self, job: Job) -> None:
        """Give the place to the next in line."""
        with self._change:
            self._running.discard(job)
            self._change.notify_all()

    @contextmanager
    def turn(self, job: Job) -> Iterator[None]:
        """Wait in line, then hold a place while the block runs."""
        self.enter(job)
        try:
            yield
        finally:
            self.leave(job)


@st.cache_resource(show_spinner=False)
def office() -> Office:
    """The one queue of this server."""
    return Office()


def start(work: Callable[[Job], None], config: RunConfig | None = None, *, slot: str = _JOB) -> Job:
    """Start this session's job, after cancelling the one it may have."""
    before = st.session_state.get(slot)
    if before is not None:
        current_run()
        before.cancel()
    job = Job(work, office(), config).start()
    st.session_state[slot] = job
    return job


def current_job(slot: str = _JOB) -> Job | None:
    """This session's latest job, whatever became of it."""
    return st.session_state.get(slot)


def current_run() -> Run | None:
    """The latest run that this session trained, finished or cancelled midway; None before the first.

    Its `config` says what it was trained with, which need not be what the controls say now. A run that was cancelled
    has a flow and an empty `metrics`.
    """
    job = st.session_state.get(_JOB)
    run = job.look().run if job is not None else None
    if run is not None:
        st.session_state[_RUN] = run
    return st.session_state.get(_RUN)


def remember(run: Run, draw: Callable[[Run], Scene]) -> Scene:
    """The scene of a run, drawn once a session."""
    kept = st.session_state.get(_SCENE)
    if kept is None or kept[0] is not run:
        kept = st.session_state[_SCENE] = (run, draw(run))
    return kept[1]


def line() -> None:
    """A line in the sidebar while a job runs, on every page but Flow; it also keeps the job alive."""
    job = current_job()
    if router.here() != "flow" and job is not None and job.look().active:
        with st.sidebar:
            _line()


@st.fragment(run_every=2.0)
def _line() -> None:
    job = current_job()
    record = job.look() if job is not None else Record(state="done")
    if not record.active:
        st.rerun()
    st.progress(record.step / max(1, record.steps), text="Paused" if record.state == "paused" else f"{record.stage} …")
