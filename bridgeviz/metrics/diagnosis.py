"""Why an alignment failed: which classes collide, and what each stage before says of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs import Cost
from bridgeviz.couplings import Coupling, LocalCoupling
from bridgeviz.flows import Flow
from bridgeviz.metrics.downstream import confusion, predict_labels
from bridgeviz.metrics.matching import class_plan
from bridgeviz.metrics.neighbours import Neighbourhood, neighbourhood
from bridgeviz.metrics.supervision import cheapest_classes, nearest_pairs
from bridgeviz.problem import Problem

DRAWS = 20_000
"""How many (i, j) a plan that exists only batch by batch is estimated from."""


class Diagnosis(NamedTuple):
    """A finished alignment, judged on points it did not see where the problem has such.

    Every (c, c) array has the true class in its rows, the other class in its columns, both in the order of `classes`.

    Attributes:
        classes: of both spaces together.
        tested: whether the points are the problem's test points; otherwise they are the training rows.
        labels, predicted: (k,) the true class of each point, and the class it arrived in.
        margin: (k,) how much nearer the arrived point lies to its true class than to any other: negative is wrong,
            and the most negative is the worst. Distances are divided by the mean distance between class centres.
        confusion: (c, c) counts.
        overlap: (c, c) shares of neighbours in the source space (`Neighbourhood.between`).
        nearest: (c, c) shares of source rows whose nearest pair is of the other class.
        cheapest: (c, c) shares of rows whose cheapest target is of the other class; None where there is no cost.
        plan: (c, c) shares of mass, rows summing to 1 where the class has mass.
        pairs: (c,) how many pairs each source class has.
        estimated: whether `plan` was counted from draws.
    """

    classes: np.ndarray
    tested: bool
    labels: np.ndarray
    predicted: np.ndarray
    margin: Float[np.ndarray, " k"]
    confusion: Int[np.ndarray, "c c"]
    overlap: Float[np.ndarray, "c c"]
    nearest: Float[np.ndarray, "c c"]
    cheapest: Float[np.ndarray, "c c"] | None
    plan: Float[np.ndarray, "c c"]
    pairs: Int[np.ndarray, " c"]
    estimated: bool

    @property
    def error(self) -> Float[np.ndarray, " c"]:
        """The share of each class that arrived elsewhere; NaN for a class without a point."""
        total = self.confusion.sum(1)
        return 1.0 - np.divide(np.diag(self.confusion), total, out=np.full(len(total), np.nan), where=total > 0)


class Collision(NamedTuple):
    """One class taken for another, and the same two classes at each stage before it.

    Attributes:
        true, taken: the classes.
        count, share: how many points, and what share of the true class.
        overlap, nearest, cheapest, plan: the entry of the same two classes in the `Diagnosis`, a share in [0, 1];
            `cheapest` is NaN where there is no cost.
        true_pairs, taken_pairs: how many pairs each of the two has.
    """

    true: object
    taken: object
    count: int
    share: float
    overlap: float
    nearest: float
    cheapest: float
    plan: float
    true_pairs: int
    taken_pairs: int


def diagnose(
    problem: Problem, pairs: ArrayLike, plan: Coupling | LocalCoupling, flow: Flow, *,
    cost: Cost | None = None, metric: str = "cosine", k: int = 15, near: Neighbourhood | None = None, seed: int = 0,
) -> Diagnosis:  # fmt: skip
    """Judge a finished alignment by class, at every stage.

    Args:
        problem: with labels on both sides; its test points are judged where it has them.
        pairs: that the cost was built on.
        plan: of any strategy.
        flow: learned from it.
        cost: that the plan was made from, if any.
        metric: within the source space, for the nearest pair.
        k: neighbours.
        near: the neighbourhoods of the source, if they are at hand.
        seed: of the noise and of draws.

    Raises:
        InputError: a side has no labels, so that nothing can be judged.
    """
    source, target = problem.source, problem.target
    if source.labels is None or target.labels is None:
        raise check.InputError("diagnose() needs labels on both sides: without them nothing can be called wrong.")
    points = source if problem.test is None or problem.test.source.labels is None else problem.test.source
    wanted = source.labels if points.labels is None else points.labels
    y = flow.transport(points.x, seed=seed).states[-1]
    predicted = predict_labels(target, y)
    classes = np.union1d(np.union1d(source.labels, target.labels), wanted)
    near = neighbourhood(source.x, source.labels, k=k) if near is None else near
    pair_labels = source.labels[np.asarray(pairs)[:, 0]]
    which = nearest_pairs(source.x, pairs, metric=metric)[0]
    nearest = _shares(confusion(source.labels, pair_labels[which], classes=classes))
    cheapest = None
    if cost is not None:
        both = np.union1d(source.labels, target.labels)
        cheapest = on_classes(cheapest_classes(cost, source.labels, target.labels)[0], both, classes)
    estimated = isinstance(plan, LocalCoupling)
    if isinstance(plan, LocalCoupling):
        i, j = plan.sample(seed, DRAWS)
        between = _shares(confusion(source.labels[i], target.labels[j], classes=classes))
    else:
        between = on_classes(*class_plan(plan, source.labels, target.labels), classes)
    paired = np.bincount(np.searchsorted(classes, pair_labels), minlength=len(classes))
    return Diagnosis(
        classes, points is not source, wanted, predicted, class_margin(target.x, target.labels, y, wanted),
        confusion(wanted, predicted, classes=classes), on_classes(near.between, near.classes, classes),
        nearest, cheapest, between, paired, estimated,
    )  # fmt: skip


def collisions(diagnosis: Diagnosis, *, most: int = 5) -> list[Collision]:
    """The classes that are most often taken for one another, by count, with what each stage before says of the two."""
    wrong = diagnosis.confusion.copy()
    np.fill_diagonal(wrong, 0)
    out = []
    for at in np.argsort(-wrong, axis=None, kind="stable")[:most]:
        a, b = np.unravel_index(at, wrong.shape)
        if wrong[a, b] == 0:
            break
        out.append(
            Collision(
                diagnosis.classes[a],
                diagnosis.classes[b],
                int(wrong[a, b]),
                float(wrong[a, b] / diagnosis.confusion[a].sum()),
                float(diagnosis.overlap[a, b]),
                float(diagnosis.nearest[a, b]),
                float("nan") if diagnosis.cheapest is None else float(diagnosis.cheapest[a, b]),
                float(diagnosis.plan[a, b]),
                int(diagnosis.pairs[a]),
                int(diagnosis.pairs[b]),
            )
        )
    return out


def class_margin(y: np.ndarray, labels: np.ndarray, points: np.ndarray, wanted: np.ndarray) -> Float[np.ndarray, " k"]:
    """Distance to the nearest centre of another class minus the distance to the centre of the wanted one.

    In units of the mean distance between centres; NaN where the wanted class has no centre.
    """
    classes = np.unique(labels)
    centres = np.stack([y[labels == c].mean(0) for c in classes])
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
    unit = apart[~np.eye(len(classes), dtype=bool)].mean() or 1.0
    distance = np.linalg.norm(points[:, None] - centres, axis=-1)
    at = np.minimum(np.searchsorted(classes, wanted), len(classes) - 1)
    own = np.where(classes[at] == wanted, distance[np.arange(len(points)), at], np.nan)
    distance[np.arange(len(points)), at] = np.inf
    return (distance.min(1) - own) / unit


def on_classes(matrix: np.ndarray, have: np.ndarray, want: np.ndarray) -> np.ndarray:
    """A (c, c) array on the classes it has, spread out on a larger set of classes."""
    out = np.zeros((len(want), len(want)), matrix.dtype)
    at = np.searchsorted(want, have)
    out[np.ix_(at, at)] = matrix
    return out


def _shares(counts: np.ndarray) -> np.ndarray:
    total = counts.sum(1, keepdims=True)
    return np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
