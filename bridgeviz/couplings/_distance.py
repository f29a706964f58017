"""How far two plans are apart."""

from __future__ import annotations

import numpy as np

from bridgeviz import _checks as check
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._entries import as_dense
from bridgeviz.couplings._factored import BLOCK_BYTES


def distance(first: Coupling, second: Coupling) -> float:
    """The L1 distance of two plans of one problem, each divided by its mass: 0 for the same plan, 2 at most.

    Args:
        first, second: on the same atoms, such as two methods give for one cost; as large as they may be, because only
            some rows of them are multiplied out at a time.

    >>> from bridgeviz.couplings import linear
    >>> cost = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> distance(linear(cost, epsilon=0.1, method="dense"), linear(cost, epsilon=0.1, method="ott")) < 1e-3
    True
    """
    u, v = len(first.source_atoms), len(first.target_atoms)
    if second.plan.shape != (u, v) or first.shape != second.shape:
        expected = f"a plan of {first.shape} on {u:,} x {v:,} atoms, as the first is"
        raise check.fail("second", "distance", expected, f"{second.shape} on {second.plan.shape}")
    masses = first.mass, second.mass  # sums over all entries
    if not min(masses) > 0:
        raise check.fail("first and second", "distance", "plans with mass", f"mass {min(masses)}")
    step, total = max(1, BLOCK_BYTES // (8 * v)), 0.0
    for start in range(0, u, step):
        rows = np.arange(start, min(start + step, u))
        blocks = (as_dense(plan.plan[rows]) / mass for plan, mass in zip((first, second), masses, strict=True))
        total += float(np.abs(np.subtract(*blocks)).sum())
    return total
