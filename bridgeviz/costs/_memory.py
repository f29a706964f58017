"""What would exceed the memory limit at its peak is refused before anything is allocated."""

from __future__ import annotations

from bridgeviz._errors import TooLarge as TooLarge
from bridgeviz._memory import memory_limit as memory_limit
from bridgeviz._memory import refuse_above


def refuse_above_limit(n: int, m: int, what: str, *, matrices: int = 1) -> None:
    """Raise `TooLarge`, with the size in GB, for dense (n, m) matrices beyond the memory limit.

    Args:
        n, m: shape of each matrix.
        what: is computed.
        matrices: that exist at the same time at the peak.
    """
    size = "as a dense" if matrices == 1 else f"with {matrices} dense"
    refuse_above(
        8 * n * m * matrices,
        f"The {what} {size} {n:,} x {m:,} {'matrix' if matrices == 1 else 'matrices'}",
        "Use strategy 'local' or 'true', or a sample of the rows, or set BRIDGEVIZ_MEMORY_GB.",
    )


def refuse_factors(rows: int, groups: int, row_bytes: int, where: str) -> None:
    """The same for the two factors of a cost, which have `rows` rows in all and one column per group of pairs."""
    refuse_above(
        rows * row_bytes,
        f"The factors of {where}(), {rows:,} rows x {groups:,} anchors,",
        "Use fewer pairs, a sample of the rows, or strategy 'true'.",
    )
