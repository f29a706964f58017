"""Functions of plain loops, compiled by numba; this module is imported only where these repay the import."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Any:
    """The function compiled on first use; it runs without Python's lock, so that threads share the work.

    Machine code is cached on disk if a cache folder is writable; otherwise each process compiles its own. Loops are not
    parallel themselves (`prange`): where no threading library is installed, numba's own ends the process if two
    threads start one. Put `typing.no_type_check` below this: numba compiles the function, not one that checks its
    arguments.
    """
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder
        return njit(nogil=True)(function)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
