"""A job: long work in a thread of its own, which reports to a small record and can be paused and cancelled.

The page polls the record with `Job.snapshot`. Cancelling sets an event that the work checks. Threads outlive their
session, so a job whose record nobody has read for `PATIENCE` seconds cancels itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bridgeviz import InputError, Run, TrainingError
from bridgeviz.experiments import Glimpse, Scene
from bridgeviz.ui.work.priority import sweep_later
from bridgeviz.ui.work.queue import JobQueue

PATIENCE = 68.0
"""Seconds without a snapshot after which a job is abandoned. A hidden tab polls once per minute."""

ACTIVE = ("queued", "running", "paused")
_log = logging.getLogger(__name__)


class Cancelled(Exception):
    """Raised inside a job that was cancelled or abandoned."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of a job at one moment.

    Attributes:
        state: "queued", "running", "paused", "done", "cancelled" or "failed".
        position: in the queue, from 1; 0 for a job that is not waiting.
        wait: seconds until the next running job ends, before which a waiting job can't start; None if unknown.
        pausing: whether a pause was asked for and the job has not come to its next check yet.
        stage: what it is doing, in words.
        detail: how far that is, in words, or "".
        step, steps: the steps done, and the steps in all.
        loss_steps, losses: the training loss so far.
        held_out: the latest error on held-out rows; None if none are held out.
        accuracy: (step, test accuracy on a sample) so far.
        glimpse: where some points end now.
        speed: training steps per second, lately.
        device: that the training runs on.
        error: one plain sentence, or "".
        notice: what the user should know while the job runs, or "".
        run: the result of a training, also of one that was cancelled after it had begun.
        scene: of the run, ready to play.
        result: of other work than a training.
        seconds: since the job started.
    """

    state: str = "queued"
    position: int = 0
    wait: float | None = None
    pausing: bool = False
    stage: str = "Waiting"
    detail: str = ""
    step: int = 0
    steps: int = 0
    loss_steps: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    losses: np.ndarray = field(default_factory=lambda: np.zeros(0))
    held_out: float | None = None
    accuracy: tuple[tuple[int, float], ...] = ()
    glimpse: Glimpse | None = None
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
        """Whether the job waits, runs or pauses."""
        return self.state in ACTIVE

    @property
    def share(self) -> float:
        """The share of the steps that are done, in [0, 1]."""
        return min(1.0, self.step / max(1, self.steps))

    @property
    def text(self) -> str:
        """What an active job is doing, and how far it is."""
        if self.state == "queued":
            place = "You are next" if self.position == 1 else f"Number {self.position} in the queue"
            if self.wait is None:
                return f"**{place}.** Other work is running on this machine; how long it will take is not known yet."
            when = f"{'about' if self.position == 1 else 'more than'} {self.wait:.0f} s"
            return f"**{place}.** Other work is running on this machine; your turn comes in {when}."
        count = f" · {self.step:,} of {self.steps:,}" if self.steps and not self.detail else ""
        count += f" · {self.detail}" if self.detail else ""
        if self.pausing:
            return f"**Pausing** as soon as this has ended: {self.stage}{count}"
        return f"**{'Paused' if self.state == 'paused' else self.stage}**{count}"


class Job:
    """One piece of work, its thread and its record."""

    def __init__(self, work: Callable[[Job], None], queue: JobQueue):
        self._work, self._queue = work, queue
        self._lock = threading.Lock()
        self._cancel, self._pause = threading.Event(), threading.Event()
        self._record = Record()
        self._created = self._began = self._seen = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="bridgeviz job", daemon=True)

    def start(self) -> Job:
        """Start the thread; returns at once."""
        self._queue.append(self)
        self._thread.start()
        return self

    def snapshot(self) -> Record:
        """The record at this moment. Reading it keeps the job alive."""
        with self._lock:
            self._seen = time.monotonic()
            record = self._record
        if not record.active:
            return record
        position = self._queue.position(self)
        return replace(
            record, position=position, wait=self._queue.wait() if position else None,
            pausing=self._pause.is_set() and record.state == "running", seconds=time.monotonic() - self._created,
        )  # fmt: skip

    def remaining(self) -> float | None:
        """The seconds that it will still run, by its speed so far; None if unknown. It does not keep the job alive."""
        with self._lock:
            record = self._record
        speed = record.speed or record.step / max(1e-9, time.monotonic() - self._began)
        return (record.steps - record.step) / speed if speed and record.steps else None

    def cancel(self) -> None:
        """Ask it to stop; it does so at its next check."""
        self._cancel.set()
        self._queue.wake()

    def pause(self) -> None:
        """Ask it to wait at its next check; meanwhile, another job may run."""
        self._pause.set()

    def resume(self) -> None:
        """Let it continue as soon as it is its turn again."""
        self._pause.clear()

    def check(self) -> None:
        """Called by the work between two steps; returns later if a pause was asked for.

        Raises:
            Cancelled: the job was cancelled or abandoned.
        """
        self.raise_if_cancelled()
        if not self._pause.is_set():
            return
        self.update(state="paused")
        self._queue.leave(self)
        while self._pause.is_set():
            self.raise_if_cancelled()
            self._cancel.wait(0.05)
        self.update(state="queued")
        self._queue.append(self)
        self._queue.enter(self)
        self.update(state="running")

    def raise_if_cancelled(self) -> None:
        """As `check`, but without a pause."""
        if self._cancel.is_set() or time.monotonic() - self._seen > PATIENCE:
            raise Cancelled

    def step(self, done: int, total: int) -> None:
        """Record a step of the work, unless the job was cancelled; a pause is waited for first, as in `check`."""
        self.check()
        self.update(step=done, steps=total)

    def update(self, **changes: Any) -> None:
        """Write to the record."""
        with self._lock:
            self._record = replace(self._record, seconds=time.monotonic() - self._created, **changes)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread ends."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            with self._queue.turn(self):
                self._began = time.monotonic()
                self.update(state="running")
                self._work(self)
            self.update(state="done", stage="Done")
        except Cancelled:
            self.update(state="cancelled", stage="Cancelled")
        except (InputError, TrainingError) as error:
            self.update(state="failed", stage="Failed", error=str(error))
        except MemoryError:
            self.update(state="failed", stage="Failed", error="This machine ran out of memory. Try a smaller setting.")
        except Exception as error:
            _log.exception("A background job failed")
            message = f"Something unexpected went wrong ({type(error).__name__}). The server's log has the details."
            self.update(state="failed", stage="Failed", error=message)
        finally:
            sweep_later()
