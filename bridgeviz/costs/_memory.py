"""The memory limit: matrices that would exceed it are refused before they are allocated."""

from __future__ import annotations

import os

from bridgeviz import _checks as check
from bridgeviz._checks import InputError

DEFAULT_LIMIT = 4 * 2**30
"""Bytes of the largest dense matrix allowed by default; solving with it takes several times as much."""


class TooLarge(InputError):
    """A matrix beyond the memory limit, refused before it is allocated.

    Attributes:
        bytes: the size of the matrix.
        limit: the size allowed.
    """

    def __init__(self, message: str, size: int, limit: int):
        super().__init__(message)
        self.bytes, self.limit = size, limit


def memory_limit() -> int:
    """The size of the largest dense matrix allowed, in bytes: 4 GB, or the environment's BRIDGEVIZ_MEMORY_GB."""
    value = os.environ.get("BRIDGEVIZ_MEMORY_GB")
    if not value:
        return DEFAULT_LIMIT
    try:
        return int(check.positive(float(value), "BRIDGEVIZ_MEMORY_GB", "memory_limit") * 2**30)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise check.fail("BRIDGEVIZ_MEMORY_GB", "memory_limit", "a number of GB > 0", check.describe(value)) from None


def refuse_above_limit(n: int, m: int, what: str) -> None:
    """Raise `TooLarge`, with the size in GB, for a dense (n, m) matrix beyond the memory limit."""
    _refuse(
        8 * n * m,
        f"The {what} as a dense {n:,} x {m:,} matrix",
        "Use strategy 'local' or 'true', or a sample of the rows.",
    )


def refuse_factors(rows: int, groups: int, where: str) -> None:
    """The same for the two factors of a cost, which have `rows` rows in all and one column per group of pairs."""
    _refuse(
        8 * rows * groups,
        f"The factors of {where}(), {rows:,} rows x {groups:,} anchors,",
        "Use fewer pairs, a sample of the rows, or strategy 'true'.",
    )


def _refuse(size: int, what: str, remedy: str) -> None:
    limit = memory_limit()
    if size > limit:
        message = f"{what} would take {size / 2**30:.3g} GB, above the limit of {limit / 2**30:.3g} GB. {remedy}"
        raise TooLarge(message, size, limit)
