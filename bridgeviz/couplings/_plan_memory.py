"""The memory that a transport between all atoms takes, said before any of it is allocated."""

from __future__ import annotations

from bridgeviz._extent import HUGE, SINGLE, SMALL
from bridgeviz._memory import memory_limit, refuse_above

_ENTRY = {"ott": 64, "newton": 40, "dense": 40, "fgw ott": 88, "fgw dense": 64}
"""Bytes per entry of a small problem at its peak, together with what is later read from the plan."""

_LARGE = {"ott": 64, "newton": 32, "dense": 2.5, "fgw ott": 88, "fgw dense": 3.5}
"""The same for a large one. By the methods on a kernel, in matrices of its type: the cost, the kernel and its blocks,
and for fused Gromov-Wasserstein the plan before."""

_HUGE = 1.7
"""The same for the method "dense" on a huge one, whose kernels have half of the size but for the last, which replaces
the cost."""


_PROGRAMS = 3 * 2**27
"""Bytes of the compiled programs and of the blocks that they work on."""


def peak_bytes(u: int, v: int, method: str, tolerance: float = 1e-3) -> int:
    """The memory at the peak of a transport between u x v atoms.

    Args:
        u, v: atoms.
        method: "newton", "dense" or "ott"; or "fgw dense" or "fgw ott".
        tolerance: of the solver.
    """
    if u * v <= SMALL or not method.endswith("dense"):
        return (_ENTRY if u * v <= SMALL else _LARGE)[method] * u * v
    matrices = _HUGE if method == "dense" and u * v >= HUGE else _LARGE[method]
    return int(matrices * (4 if tolerance >= SINGLE else 8) * u * v) + _PROGRAMS


def refuse_transport(u: int, v: int, method: str, tolerance: float, others: dict[str, int]) -> None:
    """Raise `TooLarge`, with the size and the methods that would fit, for a transport beyond the memory limit.

    Args:
        u, v: atoms.
        method, tolerance: as in `peak_bytes`.
        others: the bytes that other methods would take.
    """
    fitting = [f"'{name}'" for name, size in others.items() if size <= memory_limit()]
    remedy = "Use strategy 'local' or 'true', or a sample of the rows, or set BRIDGEVIZ_MEMORY_GB."
    if fitting:
        remedy = f"The method{'s' * (len(fitting) > 1)} {' or '.join(fitting)} would fit. Or u{remedy[1:]}"
    name = method.removeprefix("fgw ")
    refuse_above(
        peak_bytes(u, v, method, tolerance), f"The transport of {u:,} x {v:,} atoms by the method '{name}'", remedy
    )
