"""How a flow gets from noise to the target: length of the paths, spread of the endpoints, error of the solver."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.flows import Flow, Trajectory

TIGHT = 1e-6
"""Tolerance of the reference solution, about the resolution of float32."""


class Journey(NamedTuple):
    """What can be measured of a flow's paths without knowing where they should end.

    Attributes:
        detour: (n,) `curvature` of each point's path.
        spread: (n,) how far apart a point's endpoints are for different draws of the noise: their standard deviation
            divided by that of the target space, root mean square over the dimensions. At 0 the source point alone
            decides where it ends; at 1 it decides nothing.
        error: `transport_error` of the default solver of `transport`, on the first 32 points.
        mass: (n,) each point's mass in the plan, divided by the mean mass; None if the flow did not learn it.
    """

    detour: Float[np.ndarray, " n"]
    spread: Float[np.ndarray, " n"]
    error: float
    mass: Float[np.ndarray, " n"] | None


def journey(flow: Flow, x: ArrayLike, *, samples: int = 8, seed: int = 0) -> Journey:
    """Measure the paths that a flow gives some points: their detour, spread, solver error and mass.

    Args:
        flow: trained.
        x: (n, p) source points; about a hundred are enough for a median.
        samples: draws of the noise per point, for the spread.
        seed: of the noise.
    """
    x = check.matrix(x, "x", "journey", columns=len(flow.source.mean), rows=1)
    detour = curvature(flow.transport(x, seed=seed, ts=np.linspace(0, 1, 21).tolist()))
    spread = np.sqrt(((flow.draws(x, samples=samples, seed=seed).spread / flow.target.std) ** 2).mean(1))
    mass = None if flow.masses is None else flow.source_mass(x) / flow.masses.mean
    return Journey(detour, spread, transport_error(flow, x[:32], seed=seed), mass)


def curvature(trajectory: Trajectory) -> Float[np.ndarray, " n"]:
    """The detour of each point, `path length / distance between its ends - 1`, in [0, inf): 0 is a straight line.

    Straight paths need few solver steps. The length is measured along the reported times, so report at least a dozen of
    them. A point that ends where it began counts as straight.

    >>> states = np.array([[[0.0, 0.0]], [[1.0, 1.0]], [[2.0, 0.0]]])
    >>> curvature(Trajectory(np.array([0.0, 0.5, 1.0]), states)).round(4)
    array([0.4142])
    """
    if not isinstance(trajectory, Trajectory):
        raise check.fail("trajectory", "curvature", "a Trajectory, from transport()", check.describe(trajectory))
    if len(trajectory.ts) < 2:
        raise check.fail("trajectory", "curvature", "a Trajectory with at least two times", f"{len(trajectory.ts)}")
    states = trajectory.states
    length = np.linalg.norm(np.diff(states, axis=0), axis=-1).sum(0)
    chord = np.linalg.norm(states[-1] - states[0], axis=-1)
    return np.where(chord > 0, length / np.where(chord > 0, chord, 1.0) - 1.0, 0.0)


def transport_error(flow: Flow, x: ArrayLike, *, seed: int = 0, **options: Any) -> float:
    """The distance of the endpoints of `flow.transport(x, **options)` from those of a reference solution.

    Root mean square over points and dimensions, in standard deviations of the target space, >= 0. The reference starts
    from the same noise and uses the adaptive solver with tolerance 1e-6. The error measures the solver, not the flow.

    Args:
        flow: trained.
        x: (n, p) source points.
        seed: of the noise.
        options: of `transport`, such as `solver="heun", steps=20`.
    """
    ends = flow.transport(x, seed=seed, ts=(1.0,), **options).states[0]
    tight = flow.transport(x, seed=seed, ts=(1.0,), solver="tsit5", tolerance=TIGHT).states[0]
    return float(np.sqrt((((ends - tight) / flow.target.std) ** 2).mean()))
