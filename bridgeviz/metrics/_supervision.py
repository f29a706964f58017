"""Supervision: which classes the pairs cover, and how well the cost built on them separates the classes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs import Cost, find_metric
from bridgeviz.metrics._matching import class_shares, shares_of_rows
from bridgeviz.problem import Problem


class CostSample(NamedTuple):
    """Entries of a cost in units of their mean: `same` between rows of one class, `other` between different classes."""

    same: Float[np.ndarray, " s"]
    other: Float[np.ndarray, " o"]

    @property
    def separation(self) -> float:
        """The probability that a random `same` entry is below a random `other` one, in [0, 1]: 0.5 is chance."""
        if not len(self.same) or not len(self.other):
            return float("nan")
        order = np.sort(self.other)
        below = np.searchsorted(order, self.same, side="left")
        ties = np.searchsorted(order, self.same, side="right") - below
        return float(1.0 - (below + ties / 2).mean() / len(order))


def coverage(labels: ArrayLike, pairs: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The classes of the source rows, and the number of pairs of each class.

    >>> coverage(["a", "b", "b"], [[1, 0], [2, 2]])
    (array(['a', 'b'], dtype='<U1'), array([0, 2]))
    """
    labels = check.labels(labels, "labels", "coverage")
    classes, code = np.unique(labels, return_inverse=True)
    return classes, np.bincount(code[np.asarray(pairs)[:, 0]], minlength=len(classes))


def uncovered_pair(problem: Problem, pairs: ArrayLike) -> tuple[int, int] | None:
    """A known pair of a source class that has no pair; None if every class with known pairs has one."""
    labels, unused = problem.source.labels, problem.unused(pairs)
    if labels is None:
        return None
    lacking = unused[~np.isin(labels[unused.source], labels[np.asarray(pairs)[:, 0]])]
    return (int(lacking[0, 0]), int(lacking[0, 1])) if len(lacking) else None


def chance_matching(
    source_labels: ArrayLike,
    target_labels: ArrayLike,
    weights: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> float:
    """The matching accuracy of a plan without any information, where i and j are drawn at random, in [0, 1].

    Args:
        source_labels: (n,).
        target_labels: (m,).
        weights: of the rows of both sides, each summing to one; None where they are all the same.
    """
    source, target = np.asarray(source_labels), np.asarray(target_labels)
    classes = np.union1d(source, target)
    shares = [
        np.bincount(np.searchsorted(classes, side), weights=weight, minlength=len(classes))
        / (len(side) if weight is None else 1)
        for side, weight in zip((source, target), weights, strict=True)
    ]
    return float(shares[0] @ shares[1])


def sample_cost(
    cost: Cost, source_labels: ArrayLike, target_labels: ArrayLike, *, size: int = 200, seed: int = 0
) -> CostSample:
    """A random block of at most `size` x `size` entries of the cost, divided by the block's mean and split by class.

    Forbidden matches are left out.
    """
    source, target = np.asarray(source_labels), np.asarray(target_labels)
    rng = np.random.default_rng(seed)
    n, m = cost.shape
    i = rng.choice(n, min(size, n), replace=False)
    j = rng.choice(m, min(size, m), replace=False)
    block = cost.block(i, j)
    permitted = np.isfinite(block)
    block = block / ((block[permitted].mean() if permitted.any() else 0.0) or 1.0)
    same = source[i][:, None] == target[j]
    return CostSample(block[same & permitted], block[~same & permitted])


def cheapest_classes(
    cost: Cost, source_labels: ArrayLike, target_labels: ArrayLike, *, most: int = 1000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """For the rows of each source class, the classes of their cheapest targets: what the cost says before transport.

    Args:
        cost: between the spaces.
        source_labels: (n,).
        target_labels: (m,).
        most: number of source rows to use; if there are more, a random subset is drawn.
        seed: for drawing the subset.

    Returns:
        (c, c) shares, with the source class in rows and the class of the cheapest target in columns (targets that tie
        share the row by their weights), and the (c,) number of rows used of each class. Forbidden matches and targets
        of weight zero are none; a row without any target belongs to no class.
    """
    source, target = np.asarray(source_labels), np.asarray(target_labels)
    n = cost.shape[0]
    i = np.arange(n) if n <= most else np.random.default_rng(seed).choice(n, most, replace=False)
    classes = np.union1d(source, target)
    cheapest = cheapest_of_rows(cost, i, target, classes)
    total = np.zeros((len(classes), len(classes)))
    code = np.searchsorted(classes, source[i])
    np.add.at(total, code, cheapest)
    counts = np.bincount(code, minlength=len(classes))
    return np.divide(total, counts[:, None], out=np.zeros_like(total), where=counts[:, None] > 0), counts


def cheapest_of_rows(cost: Cost, rows: np.ndarray, target_labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(s, c) the classes of the cheapest targets of some source rows, as shares that sum to 1 or, without any, to 0.

    Targets that tie share the row by their weights. Forbidden matches and targets of weight zero are none.
    """
    shares = class_shares(cost.target_atoms, target_labels, classes)
    block = cost.block(rows, cost.target_atoms.rows)
    block = np.where(cost.target_atoms.mass > 0, block, np.inf)
    ties = np.isfinite(block) & np.isclose(block, block.min(1, keepdims=True), rtol=1e-9, atol=1e-12)
    return shares_of_rows(ties * cost.target_atoms.mass) @ shares


def cost_accuracy(cost: Cost, source_labels: ArrayLike, target_labels: ArrayLike, *, most: int = 1000) -> float:
    """The share of source rows whose cheapest target has their class, in [0, 1]; see `cheapest_classes`."""
    shares, counts = cheapest_classes(cost, source_labels, target_labels, most=most)
    return float(np.diag(shares) @ counts / counts.sum())


def nearest_pairs(
    x: ArrayLike, pairs: ArrayLike, *, points: ArrayLike | None = None, metric: str = "cosine"
) -> tuple[np.ndarray, np.ndarray]:
    """For each point, the number of the pair with the nearest source row, and its distance.

    Distances are divided by the mean distance within the space.

    Args:
        x: (n, p) source rows.
        pairs: (l, 2) row numbers, l >= 1.
        points: (k, p) points to look up, such as test points; None takes the source rows.
        metric: a name in `bv.costs.METRICS`.
    """
    x = check.matrix(x, "x", "nearest_pairs")
    pairs = np.asarray(pairs)
    if not len(pairs):
        raise check.fail("pairs", "nearest_pairs", "at least 1 pair", "none")
    distance = find_metric(metric, "nearest_pairs")
    queries = x if points is None else check.matrix(points, "points", "nearest_pairs", columns=x.shape[1], rows=1)
    anchors, nearest, distances = x[pairs[:, 0]], [], []
    for part in np.array_split(queries, -(-len(queries) * len(anchors) // 4_000_000) or 1):
        between = distance.matrix(part, anchors)
        nearest.append(between.argmin(1))
        distances.append(between.min(1))
    return np.concatenate(nearest), np.concatenate(distances) / (distance.mean(x) or 1.0)
