"""Ctrl-C on the command line: one sentence and status 130, whatever the process is doing."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

TEXT = "Stopped: no result was written. The same command resumes an interrupted training."
STATUS = 130


def end_at_once() -> None:
    """From now on, let Ctrl-C end this process at once.

    An exception would travel through whatever runs at that moment: an import that swallows it, or compiled code that
    crashes. Checkpoints and results are written whole or not at all, so that nothing is lost. Only while a result is
    being written does Ctrl-C raise KeyboardInterrupt, so that its draft is deleted.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # the shell ignores it for commands in the background
        signal.signal(signal.SIGINT, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    files = sys.modules.get("bridgeviz._files")
    if files is not None and files.drafts:
        raise KeyboardInterrupt
    os.write(2, f"\nbridgeviz: {TEXT}\n".encode())
    os._exit(STATUS)
