"""The values through which epsilon falls before a problem is solved."""

from __future__ import annotations

import math

RUNG, FIRST = 4.0, 20.0
"""The factor between two values of epsilon, and the range of the cost over the first of them, about."""


def ladder(extent: float, epsilon: float) -> list[float]:
    """The values of epsilon, falling; the last one is that of the problem.

    Args:
        extent: the range of the cost.
        epsilon: of the problem.
    """
    rungs = math.ceil(math.log(max(extent / FIRST / epsilon, 1.0), RUNG))
    return [epsilon * RUNG**k for k in range(rungs, 0, -1)] + [epsilon]
