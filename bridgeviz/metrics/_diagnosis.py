"""Why an alignment failed: which classes collide, and what each stage before says about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs import Cost
from bridgeviz.couplings import Plan
from bridgeviz.metrics._downstream import confusion, predict_labels
from bridgeviz.metrics._matching import between_classes, shares_of_rows
from bridgeviz.metrics._neighbours import Neighbourhood, neighbourhood
from bridgeviz.metrics._supervision import cheapest_classes, nearest_pairs
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    from bridgeviz.flows import Flow


class Diagnosis(NamedTuple):
    """The evaluation of a finished alignment by class, on test points if the problem has any.

    Every (c, c) array has the true class in its rows and the other class in its columns, in the order of `classes`.

    Attributes:
        classes: of both spaces together.
        tested: whether the points are the problem's test points; otherwise they are the training rows.
        labels, predicted: (k,) the true class of each point, and the class in which it arrived.
        margin: (k,) how much nearer the arrived point lies to its true class than to any other: negative is wrong,
            and the most negative is the worst. Distances are divided by the mean distance between class centres.
        confusion: (c, c) counts.
        overlap: (c, c) shares of neighbours in the source space (`Neighbourhood.between`).
        nearest: (c, c) shares of source rows whose nearest pair is of the other class.
        cheapest: (c, c) shares of rows whose cheapest target is of the other class; None without a cost.
        plan: (c, c) shares of mass, rows summing to 1 if the class has mass.
        pairs: (c,) the number of pairs of each source class.
        estimated: whether `plan` was estimated from draws.
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
        """The share of each class that arrived elsewhere; NaN for a class without points."""
        total = self.confusion.sum(1)
        return 1.0 - np.divide(np.diag(self.confusion), total, out=np.full(len(total), np.nan), where=total > 0)


class Collision(NamedTuple):
    """One class taken for another, and the same two classes at each stage before it.

    Attributes:
        true, taken: the true class, and the one it was taken for.
        count, share: the number of points, and their share of the true class.
        overlap, nearest, cheapest, plan: the entry of the same two classes in the `Diagnosis`, a share in [0, 1];
            `cheapest` is NaN without a cost.
        true_pairs, taken_pairs: the numbers of pairs of the two classes.
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
    problem: Problem, pairs: ArrayLike, plan: Plan, flow: Flow, *,
    cost: Cost | None = None, metric: str = "cosine", k: int = 15, near: Neighbourhood | None = None, seed: int = 0,
) -> Diagnosis:  # fmt: skip
    """Evaluate a finished alignment by class, at every stage.

    Args:
        problem: with labels on both sides; evaluated on its test points if it has any.
        pairs: that the cost was built on.
        plan: of any strategy.
        flow: learned from it.
        cost: from which the plan was made, if any.
        metric: within the source space, for the nearest pair.
        k: neighbours.
        near: the neighbourhoods of the source, if they are known already.
        seed: of the noise and of draws.

    Raises:
        InputError: a side has no labels, so that nothing can be evaluated.
    """
    source, target = problem.source, problem.target
    if source.labels is None or target.labels is None:
        raise check.InputError("diagnose() needs labels on both sides: without them nothing can be called wrong.")
    points = source if problem.test is None or problem.test.source.labels is None else problem.test.source
    labels = source.labels if points.labels is None else points.labels
    y = flow.transport(points.x, seed=seed).states[-1]
    predicted = predict_labels(target, y)
    classes = np.union1d(np.union1d(source.labels, target.labels), labels)
    near = neighbourhood(source.x, source.labels, k=k) if near is None else near
    pair_labels = source.labels[np.asarray(pairs)[:, 0]]
    nearest = pair_labels[nearest_pairs(source.x, pairs, metric=metric)[0]]
    cheapest = None
    if cost is not None:
        both = np.union1d(source.labels, target.labels)
        cheapest = on_classes(cheapest_classes(cost, source.labels, target.labels)[0], both, classes)
    return Diagnosis(
        classes=classes,
        tested=points is not source,
        labels=labels,
        predicted=predicted,
        margin=class_margin(target.x, target.labels, y, labels),
        confusion=confusion(labels, predicted, classes=classes),
        overlap=on_classes(near.between, near.classes, classes),
        nearest=shares_of_rows(confusion(source.labels, nearest, classes=classes)),
        cheapest=cheapest,
        plan=on_classes(*between_classes(plan, source.labels, target.labels, seed=seed), classes),
        pairs=np.bincount(np.searchsorted(classes, pair_labels), minlength=len(classes)),
        estimated=plan.estimated,
    )


def collisions(diagnosis: Diagnosis, *, most: int = 5) -> list[Collision]:
    """The classes that are most often taken for one another, by count, with what each stage before says of the two."""
    wrong = diagnosis.confusion.copy()
    np.fill_diagonal(wrong, 0)
    largest = []
    for at in np.argsort(-wrong, axis=None, kind="stable")[:most]:
        a, b = np.unravel_index(at, wrong.shape)
        if wrong[a, b] == 0:
            break
        largest.append(
            Collision(
                true=diagnosis.classes[a],
                taken=diagnosis.classes[b],
                count=int(wrong[a, b]),
                share=float(wrong[a, b] / diagnosis.confusion[a].sum()),
                overlap=float(diagnosis.overlap[a, b]),
                nearest=float(diagnosis.nearest[a, b]),
                cheapest=float("nan") if diagnosis.cheapest is None else float(diagnosis.cheapest[a, b]),
                plan=float(diagnosis.plan[a, b]),
                true_pairs=int(diagnosis.pairs[a]),
                taken_pairs=int(diagnosis.pairs[b]),
            )
        )
    return largest


def changed_sides(before: Diagnosis, after: Diagnosis) -> np.ndarray:
    """What became of each point from one run to another: "won", "lost", "right" in both, or "wrong" in both.

    Raises:
        InputError: the two are not of the same points.
    """
    if not np.array_equal(before.labels, after.labels):
        raise check.fail("after", "changed_sides", "of the same points as 'before'", "others")
    was, now = before.predicted == before.labels, after.predicted == after.labels
    return np.select([was & now, ~was & now, was & ~now], ["right", "won", "lost"], "wrong")


def class_margin(y: np.ndarray, labels: np.ndarray, points: np.ndarray, true: np.ndarray) -> Float[np.ndarray, " k"]:
    """Distance to the nearest centre of another class minus the distance to the centre of the true one.

    Args:
        y: (m, q) target rows.
        labels: (m,) their classes.
        points: (k, q).
        true: (k,) their true classes.

    Returns:
        (k,) in units of the mean distance between centres; NaN if the true class has no centre.
    """
    classes = np.unique(labels)
    centres = np.stack([y[labels == c].mean(0) for c in classes])
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
    unit = apart[~np.eye(len(classes), dtype=bool)].mean() or 1.0
    distance = np.linalg.norm(points[:, None] - centres, axis=-1)
    at = np.minimum(np.searchsorted(classes, true), len(classes) - 1)
    own = np.where(classes[at] == true, distance[np.arange(len(points)), at], np.nan)
    distance[np.arange(len(points)), at] = np.inf
    return (distance.min(1) - own) / unit


def on_classes(matrix: np.ndarray, classes: np.ndarray, larger: np.ndarray) -> np.ndarray:
    """A (c, c) array on `classes`, spread out on a larger set of classes; both are sorted."""
    out = np.zeros((len(larger), len(larger)), matrix.dtype)
    at = np.searchsorted(larger, classes)
    out[np.ix_(at, at)] = matrix
    return out
