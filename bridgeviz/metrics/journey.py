"""How a flow gets from noise to target: how straight, and how exactly it was followed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.flows import Flow, Trajectory

TIGHT = 1e-6
"""Tolerance of the solution that others are measured against, about what float32 resolves."""


class Journey(NamedTuple):
    """What can be said of a flow's ways without knowing where they ought to end.

    Attributes:
        detour: (n,) `curvature` of each point's way.
        spread: (n,) how far apart the ends of one point are when the noise is drawn anew: their standard deviation
            over the target's own, root mean square over the dimensions. 0: the source point decides; 1: it says
            nothing.
        error: `transport_error` of the solver that `transport` takes by default, on the first 32 points.
        mass: (n,) each point's mass in the plan over the mean, where the flow learned it; else None.
    """

    detour: Float[np.ndarray, " n"]
    spread: Float[np.ndarray, " n"]
    error: float
    mass: Float[np.ndarray, " n"] | None


def journey(flow: Flow, x: ArrayLike, *, samples: int = 8, seed: int = 0) -> Journey:
    """How straight, how sure and how exact a flow carries some points, and how much of their mass.

    Args:
        flow: trained.
        x: (n, p) source points; a hundred are enough for a median.
        samples: draws of the noise for the spread.
        seed: of the noise.
    """
    x = check.matrix(x, "x", "journey", columns=len(flow.source.mean), rows=1)
    detour = curvature(flow.transport(x, seed=seed, ts=np.linspace(0, 1, 21).tolist()))
    spread = np.sqrt(((flow.draws(x, samples=samples, seed=seed).spread / flow.target.std) ** 2).mean(1))
    mass = None if flow.masses is None else flow.source_mass(x) / flow.masses.mean
    return Journey(detour, spread, transport_error(flow, x[:32], seed=seed), mass)


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
