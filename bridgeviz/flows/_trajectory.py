"""What transport returns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Trajectory(NamedTuple):
    """The states of points at several times.

    Attributes:
        ts: (T,) times in [0, 1].
        states: (T, n, q), in the units of the target space.
    """

    ts: Float[np.ndarray, " T"]
    states: Float[np.ndarray, "T n q"]


class Draws(NamedTuple):
    """Several endpoints per source point, one for each draw of the noise.

    Attributes:
        points: (S, n, q), in the units of the target space.
        mean: (n, q), over the draws.
        spread: (n, q), standard deviation over the draws in each dimension (divided by S - 1).
    """

    points: Float[np.ndarray, "S n q"]
    mean: Float[np.ndarray, "n q"]
    spread: Float[np.ndarray, "n q"]
