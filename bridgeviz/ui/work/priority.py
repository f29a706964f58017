"""Training takes every core, and JAX and Plotly load a million objects; the pages must respond nevertheless."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import threading
from pathlib import Path

NICE = 3
"""Half of the pages' weight: they come first, and on a busy machine a training still gets half of an equal share."""

LATER = 3.0
"""Seconds from the end of a job to the collection of its garbage."""


def give_way() -> None:
    """Let the pages, the browser and everything else run before JAX's worker threads, if the system allows it.

    Linux only: there, each thread has its own priority. Threads that run Python keep theirs, because one of them could
    be suspended while it holds the interpreter's lock, and the page would wait for it.
    """
    ours = {thread.native_id for thread in threading.enumerate()}
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        return
    for task in tasks.iterdir():
        if int(task.name) not in ours:
            with contextlib.suppress(OSError):  # a thread that has just ended
                os.setpriority(os.PRIO_PROCESS, int(task.name), NICE)


def sweep() -> None:
    """Collect garbage, then exclude all remaining objects from later collections.

    A full collection visits everything that JAX and Plotly have loaded: 0.2-0.4 s in which no page responds. Frozen
    objects are still freed when their last reference goes; cycles among them wait for the next sweep.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def sweep_later() -> None:
    """Sweep after a job, when the page that shows what became of it has been drawn."""
    timer = threading.Timer(LATER, sweep)
    timer.daemon = True
    timer.start()


@functools.cache
def settle() -> None:
    """The first sweep of a server, after its first page is drawn."""
    sweep()
