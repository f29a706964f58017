"""What a solver of the linear transport returns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Solution(NamedTuple):
    """A plan and how it was found.

    Attributes:
        plan: (u, v).
        residual: the last error that was measured; NaN if none was.
        converged: whether that is below the tolerance.
        iterations: the number of iterations.
        potentials: (v,) of the columns, from which a similar problem may start; None if the solver keeps none.
    """

    plan: np.ndarray
    residual: float
    converged: bool
    iterations: int
    potentials: np.ndarray | None = None
