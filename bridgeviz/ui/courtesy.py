"""Training takes every core; the page that shows it must still answer."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

NICE = 10


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
