"""How a flow gets from noise to target: how straight, and how exactly it was followed."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.flows import Flow, Trajectory

TIGHT = 1e-6
"""Tolerance of the solution that others are measured against, about what float32 resolves."""


def curvature(trajectory: Trajectory) -> Float[np.ndarray, " n"]:
    """Of each point, `length of its way / distance of its ends - 1`, in [0, inf): 0 is a straight line.

    Straight ways can be followed in few steps. A way is measured along the reported times, so report some tens of them;
    a point that ends where it began counts as straight.

    >>> states = np.array([[[0.0, 0.0]], [[1.0, 1.0]], [[2.0, 0.0]]])
    >>> curvature(Trajectory(np.array([0.0, 0.5, 1.0]), states)).round(4)
    array([0.4142])
    """
    if not isinstance(trajectory, Trajectory):
        raise check.fail("trajectory", "curvature", "a Trajectory, from transport()", check.describe(trajectory))
    if len(trajectory.ts) < 2:
        raise check.fail("trajectory", "curvature", "of at least two times", f"{len(trajectory.ts)}")
    states = trajectory.states
    length = np.linalg.norm(np.diff(states, axis=0), axis=-1).sum(0)
    chord = np.linalg.norm(states[-1] - states[0], axis=-1)
    return np.where(chord > 0, length / np.where(chord > 0, chord, 1.0) - 1.0, 0.0)


def transport_error(flow: Flow, x: ArrayLike, *, seed: int = 0, **options: Any) -> float:
    """How far the ends of `flow.transport(x, **options)` are from a tight solution's, from the same noise.

    Root mean square over points and dimensions, in standard deviations of the target space: >= 0. The tight solution
    is the adaptive one with tolerance 1e-6. It says nothing of how good the flow is, only how well it was followed.

    Args:
        flow: trained.
        x: (n, p) source points.
        seed: of the noise.
        options: of `transport`, such as `solver="heun", steps=20`.
    """
    ends = flow.transport(x, seed=seed, ts=(1.0,), **options).states[0]
    tight = flow.transport(x, seed=seed, ts=(1.0,), solver="tsit5", tolerance=TIGHT).states[0]
    return float(np.sqrt((((ends - tight) / flow.target.std) ** 2).mean()))
