"""A quick look at a flow while it trains: where some points end, and how many of them are right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bridgeviz.experiments._evaluation import rows_of_all_classes
from bridgeviz.experiments._scene import classes_of, some_targets
from bridgeviz.flows import Flow
from bridgeviz.metrics import projection
from bridgeviz.problem import Problem

POINTS, STEPS = 300, 8
"""Points that are followed, and steps of the ODE solver: coarse, for watching and not for reporting."""


@dataclass(frozen=True, eq=False)
class Glimpse:
    """Where some points end at one moment of a training.

    Attributes:
        step: of the training.
        ends: (k, 2) on the map of the target.
        labels, decoded: (k,) the true class, and the class that each point decodes to, as indices into `names`.
        names: of the classes.
        targets, target_labels: (m, 2) some of the target's points, and their classes.
        accuracy: the share of the points that decode to their own class; None without labels or a test split.
    """

    step: int
    ends: Float[np.ndarray, "k 2"]
    labels: np.ndarray
    decoded: np.ndarray
    names: tuple[str, ...]
    targets: Float[np.ndarray, "m 2"]
    target_labels: np.ndarray
    accuracy: float | None


class Onlooker:
    """Looks at a flow from time to time, always at the same points and from the same noise.

    Args:
        problem: that it learns; its test points are followed where there are any, else its source rows.
        points: the largest number of them.
    """

    def __init__(self, problem: Problem, *, points: int = POINTS):
        self._part, self._problem = problem.test or problem, problem
        self._rows = rows_of_all_classes(self._part.source, points, seed=0)
        self._plane = projection.fit_map(problem.target.x)
        arrival, self._target_labels = some_targets(self._part.source, problem.target)
        self._targets = self._plane.project(arrival).astype(np.float32)

    def __call__(self, flow: Flow, step: int) -> Glimpse:
        """Where the points end now.

        Args:
            flow: as it is.
            step: of the training.
        """
        source, target = self._part.source, self._problem.target
        states = flow.transport(source.x[self._rows], steps=STEPS).states[-1:]
        labels, decoded, names, _ = classes_of(source, target, self._rows, states)
        known = self._problem.test is not None and source.labels is not None and target.labels is not None
        accuracy = float((labels == decoded[0]).mean()) if known else None
        ends = self._plane.project(states[0]).astype(np.float32)
        return Glimpse(step, ends, labels, decoded[0], names, self._targets, self._target_labels, accuracy)
