"""Feature overlap by the number of classes, and the classes that overlap most (Sec. 5.1.2, Fig. 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.metrics._neighbours import neighbourhood
from bridgeviz.metrics._overlap import feature_overlap


class OverlapByClasses(NamedTuple):
    """The overlap of a space that is restricted to some of its classes (Fig. 5 C).

    Attributes:
        counts: (c,) numbers of classes.
        overlaps: (c, r) overlap of each random choice of so many classes, in [0, 1].
    """

    counts: Int[np.ndarray, " c"]
    overlaps: Float[np.ndarray, "c r"]

    @property
    def mean(self) -> Float[np.ndarray, " c"]:
        """The mean over the choices."""
        return self.overlaps.mean(1)


class ClassOverlap(NamedTuple):
    """How much a class overlaps with the others.

    Attributes:
        label: the class.
        overlap: the mean share of its points' neighbours that belong to other classes, in [0, 1].
        other: the class to which most of these belong.
        share: the share of its points' neighbours that belong to that class, in [0, 1].
    """

    label: Any
    overlap: float
    other: Any
    share: float


def overlap_by_classes(
    x: ArrayLike,
    labels: ArrayLike,
    counts: Sequence[int],
    *,
    k: int = 15,
    repeats: int = 5,
    batch_size: int = 5000,
    seed: int = 0,
) -> OverlapByClasses:
    """The feature overlap (Eq. 21) of the points of randomly chosen classes, by the number of classes.

    Args:
        x: (n, p) points.
        labels: (n,) classes.
        counts: numbers of classes, each from 2 to the number of classes in `labels`.
        k: number of neighbours.
        repeats: random choices per count.
        batch_size: points that are compared with each other; see `feature_overlap`.
        seed: of the choices and of the batches.

    >>> x = [[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]]
    >>> overlap_by_classes(x, [0, 0, 0, 1, 1, 1], [2], k=1, repeats=1).mean
    array([0.])
    """
    where = "overlap_by_classes"
    x = check.matrix(x, "x", where)
    labels = check.labels(labels, "labels", where, length=len(x))
    repeats, seed = check.count(repeats, "repeats", where), check.seed(seed, "seed", where)
    classes = np.unique(labels)
    sizes = [check.count(count, "counts", where, least=2, most=len(classes)) for count in counts]
    overlaps = np.zeros((len(sizes), repeats))
    for row, size in enumerate(sizes):
        for column in range(repeats):
            rows = np.isin(labels, choose_classes(classes, size, seed=seed + column))
            near = min(k, int(rows.sum()) - 1)
            overlaps[row, column] = feature_overlap(
                x[rows], labels[rows], k=near, batch_size=max(batch_size, near + 1), seed=seed + column
            )
    return OverlapByClasses(np.array(sizes, np.int64), overlaps)


def choose_classes(classes: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """Some of the classes, sorted. With the same seed, a larger choice contains every smaller one."""
    return np.sort(np.random.default_rng(seed).permutation(classes)[:count])


def most_overlapping(x: ArrayLike, labels: ArrayLike, *, top: int = 10, k: int = 15) -> list[ClassOverlap]:
    """The classes with the highest overlap, from the highest down (Fig. 5 D).

    Args:
        x: (n, p) points.
        labels: (n,) classes.
        top: number of classes, at most.
        k: number of neighbours.

    >>> most_overlapping([[0.0], [0.2], [0.3], [9.0], [9.1]], ["a", "a", "b", "c", "c"], top=1, k=1)
    [ClassOverlap(label='b', overlap=1.0, other='a', share=1.0)]
    """
    top = check.count(top, "top", "most_overlapping")
    near = neighbourhood(x, labels, k=k)
    foreign = near.between - np.diag(np.diag(near.between))
    worst = np.argsort(-near.by_class, kind="stable")[:top]
    return [
        ClassOverlap(
            near.classes[c].item(), float(near.by_class[c]), near.classes[foreign[c].argmax()].item(),
            float(foreign[c].max()),
        )
        for c in worst
    ]  # fmt: skip
