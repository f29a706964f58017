"""What reading a file may take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 1.0
"""Of the processor, so that a busy machine fails no test."""

GROWTH = 100 * 2**20
"""Bytes of memory."""

_PEAK = Path("/proc/self/clear_refs")
"""Linux forgets the peak of a process's memory if a 5 is written here."""


@contextmanager
def bounded(seconds: float = SECONDS, growth: int = GROWTH) -> Iterator[None]:
    """Fail if the block takes more time or, on Linux, more memory than that at its peak."""
    if _PEAK.exists():
        _PEAK.write_text("5")
    started, resident = time.process_time(), memory("VmRSS")
    yield
    taken, grown = time.process_time() - started, memory("VmHWM") - resident
    assert taken < seconds, f"{taken:.2f} s"
    assert grown < growth, f"{grown / 2**20:.0f} MB"


def memory(field: str) -> int:
    """Bytes that this process has now (VmRSS) or had at its peak (VmHWM); 0 where Linux does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(field))
