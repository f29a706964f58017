"""The memory limit: what would exceed it at its peak is refused before anything is allocated."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from pathlib import Path

from bridgeviz import _checks as check
from bridgeviz._checks import InputError

_UNKNOWN = 8 * 2**30
"""Bytes of memory of a machine that does not say how much it has."""


class TooLarge(InputError):
    """A computation beyond the memory limit, refused before it begins.

    Attributes:
        bytes: that it would take.
        limit: the bytes allowed.
    """

    def __init__(self, message: str, size: int, limit: int):
        super().__init__(message)
        self.bytes, self.limit = size, limit


def memory_limit() -> int:
    """The bytes that a computation may take: half of this machine's, or the environment's BRIDGEVIZ_MEMORY_GB."""
    value = os.environ.get("BRIDGEVIZ_MEMORY_GB")
    if not value:
        return _machine() // 2
    try:
        return int(check.positive(float(value), "BRIDGEVIZ_MEMORY_GB", "memory_limit") * 2**30)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise check.fail("BRIDGEVIZ_MEMORY_GB", "memory_limit", "a number of GB > 0", check.describe(value)) from None


def refuse_above_limit(n: int, m: int, what: str, *, matrices: int = 1) -> None:
    """Raise `TooLarge`, with the size in GB, for dense (n, m) matrices beyond the memory limit.

    Args:
        n, m: shape of each matrix.
        what: is computed.
        matrices: that exist at the same time at the peak.
    """
    size = "as a dense" if matrices == 1 else f"with {matrices} dense"
    _refuse(
        8 * n * m * matrices,
        f"The {what} {size} {n:,} x {m:,} {'matrix' if matrices == 1 else 'matrices'}",
        "Use strategy 'local' or 'true', or a sample of the rows, or set BRIDGEVIZ_MEMORY_GB.",
    )


def refuse_factors(rows: int, groups: int, where: str) -> None:
    """The same for the two factors of a cost, which have `rows` rows in all and one column per group of pairs."""
    _refuse(
        8 * rows * groups,
        f"The factors of {where}(), {rows:,} rows x {groups:,} anchors,",
        "Use fewer pairs, a sample of the rows, or strategy 'true'.",
    )


@cache
def _machine() -> int:
    """The bytes of memory that this process may use."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        total = _UNKNOWN
    with suppress(OSError, ValueError):  # a container may have less
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


def _refuse(size: int, what: str, remedy: str) -> None:
    limit = memory_limit()
    if size > limit:
        message = f"{what} would take {size / 2**30:.3g} GB, above the limit of {limit / 2**30:.3g} GB. {remedy}"
        raise TooLarge(message, size, limit)
