"""How far to over-relax Sinkhorn's iterations, by how fast their error decays."""

from __future__ import annotations

import math

MOST = 1.95
"""Over-relaxation, at most; at 2 the iterations would no longer converge."""


def best_relaxation(omega: float, rate: float) -> float:
    """The best over-relaxation, by the factor by which the error has fallen per iteration with the present one.

    With the factor `r` of plain iterations, that of relaxed ones is the larger root x of `(x + omega - 1)^2 = omega^2 r
    x`, until omega is `2 / (1 + sqrt(1 - r))`, the best, and omega - 1 beyond (Lehmann et al. 2022).
    """
    if rate >= 1:
        return 1 + (omega - 1) / 2
    if rate <= omega - 1:
        return omega
    plain = min((rate + omega - 1) ** 2 / (omega**2 * rate), 1.0)
    return min(2 / (1 + math.sqrt(1 - plain)), MOST)
