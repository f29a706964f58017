"""The memory limit, and whether something that is about to be allocated exceeds it."""

from __future__ import annotations

import math
import os
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path

from bridgeviz._errors import TooLarge, describe, fail

_UNKNOWN = 8 * 2**30
"""Bytes of memory of a machine that does not say how much it has."""


def memory_limit() -> int:
    """The bytes that a computation may take: half of this machine's, or the environment's BRIDGEVIZ_MEMORY_GB."""
    value = os.environ.get("BRIDGEVIZ_MEMORY_GB")
    if not value:
        return machine_memory() // 2
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise fail("BRIDGEVIZ_MEMORY_GB", "memory_limit", "a number of GB > 0", describe(value))
    return int(number * 2**30)


def refuse_above(size: int, what: str, remedy: str) -> None:
    """Raise `TooLarge` if `size` bytes exceed the memory limit.

    Args:
        size: bytes at the peak.
        what: would take them, for the beginning of the message.
        remedy: what to do, as a sentence.
    """
    limit = memory_limit()
    if size > limit:
        message = f"{what} would take {size / 2**30:.3g} GB, above the limit of {limit / 2**30:.3g} GB. {remedy}"
        raise TooLarge(message, size, limit)


@cache
def machine_memory() -> int:
    """The bytes of memory that this process may use."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        total = _UNKNOWN
    with suppress(OSError, ValueError):  # a container may have less
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


class PeakMemory:
    """How many bytes the process holds at most while this is entered, beyond those that it held before.

    A thread looks every few milliseconds, where the system says how much a process holds (Linux).

    Attributes:
        bytes: so far; 0 where the system does not say.
    """

    _EVERY = 0.005
    _STATUS = Path("/proc/self/statm")

    def __init__(self):
        self.bytes = 0
        self._over = threading.Event()

    def __enter__(self) -> PeakMemory:
        if self._STATUS.is_file():
            self._before = self._held()
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._STATUS.is_file():
            self._over.set()
            self._thread.join()
            self.bytes = max(self.bytes, self._held() - self._before)

    def _watch(self) -> None:
        while not self._over.wait(self._EVERY):
            self.bytes = max(self.bytes, self._held() - self._before)

    def _held(self) -> int:
        return int(self._STATUS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
