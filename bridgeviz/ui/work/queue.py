"""The queue of jobs of a server."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import streamlit as st

LIMIT = max(1, (os.cpu_count() or 2) // 2)
"""How many jobs run at once on this server; the others wait."""


class Waiting(Protocol):
    """A job, as far as the queue knows it."""

    def raise_if_cancelled(self) -> None: ...

    def remaining(self) -> float | None: ...


class JobQueue:
    """`limit` jobs run at once; the others wait in the order of their arrival."""

    def __init__(self, limit: int = LIMIT):
        self.limit = limit
        self._change = threading.Condition()
        self._waiting: list[Waiting] = []
        self._running: set[Waiting] = set()

    def append(self, job: Waiting) -> None:
        """Put a job at the end of the queue."""
        with self._change:
            self._waiting.append(job)

    def position(self, job: Waiting) -> int:
        """1 for the next job in the queue; 0 for a job that is not waiting."""
        with self._change:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def wait(self) -> float | None:
        """The seconds until the next running job ends, as far as is known; None if nothing is."""
        with self._change:
            running = list(self._running)
        return min((left for job in running if (left := job.remaining()) is not None), default=None)

    def wake(self) -> None:
        """Let every waiting job check whether it was cancelled."""
        with self._change:
            self._change.notify_all()

    def enter(self, job: Waiting) -> None:
        """Wait until a job that is in the queue may run."""
        with self._change:
            try:
                while len(self._running) >= self.limit or self._waiting[0] is not job:
                    job.raise_if_cancelled()
                    self._change.wait(timeout=1.0)
                job.raise_if_cancelled()
                self._running.add(job)
            finally:
                self._waiting.remove(job)
                self._change.notify_all()

    def leave(self, job: Waiting) -> None:
        """Let the next job run instead of this one."""
        with self._change:
            self._running.discard(job)
            self._change.notify_all()

    @contextmanager
    def turn(self, job: Waiting) -> Iterator[None]:
        """Wait in the queue, then count as running until the block ends."""
        self.enter(job)
        try:
            yield
        finally:
            self.leave(job)


@st.cache_resource(show_spinner=False)
def job_queue() -> JobQueue:
    """The one queue of this server."""
    return JobQueue()
