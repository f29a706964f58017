"""Training takes every core, and JAX and Plotly load a million objects; the page must still answer."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import threading
from pathlib import Path

NICE = 10
"""A tenth of the weight of what runs beside it: enough to give way, too little to starve on a busy machine."""


def give_way() -> None:
    """Let the page, the browser and everything else go before JAX's worker threads, where the system allows it.

    Linux only: there a thread has its own priority. Threads that Python runs keep theirs, because one of them could
    be stopped while it holds the interpreter's lock and make the page wait for it.
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
    """Collect what is garbage, then spare what is left from all later collections.

    A full collection walks through all that JAX and Plotly have loaded, 0.2-0.4 s in which no page answers. What is
    frozen here still goes when its last reference does; cycles in it wait for the next sweep.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


@functools.cache
def settle() -> None:
    """The first sweep of a server, once its first page is drawn."""
    sweep()
