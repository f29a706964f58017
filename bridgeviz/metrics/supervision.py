"""What the paired samples buy: coverage of the classes, and whether the cost they make tells classes apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs import Cost
from bridgeviz.costs.intra import metric as find_metric
from bridgeviz.metrics.matching import class_shares


class CostSample(NamedTuple):
    """Entries of a cost in units of their mean, sorted into those between rows of one class and the others."""

    same: Float[np.ndarray, " s"]
    other: Float[np.ndarray, " o"]

    @property
    def separation(self) -> float:
        """The share of (same, other) entries in the right order, in [0, 1]: 0.5 says nothing, 1 separates."""
        if not len(self.same) or not len(self.other):
            return float("nan")
        order = np.sort(self.other)
        below = np.searchsorted(order, self.same, side="left")
        ties = np.searchsorted(order, self.same, side="right") - below
        return float(1.0 - (below + ties / 2).mean() / len(order))


def coverage(labels: ArrayLike, pairs: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The classes of the source rows, and how many pairs each has.

    >>> coverage(["a", "b", "b"], [[1, 0], [2, 2]])
    (array(['a', 'b'], dtype='<U1'), array([0, 2]))
    """
    labels = check.labels(labels, "labels", "coverage")
    classes, code = np.unique(labels, return_inverse=True)
    return classes, np.bincount(code[np.asarray(pairs)[:, 0]], minlength=len(classes))


def chance_matching(source_labels: ArrayLike, target_labels: ArrayLike) -> float:
    """The share of same-class (i, j) when both are drawn at random: what a plan that knows nothing scores."""
    source, target = np.asarray(source_labels), np.asarray(target_labels)
    classes = np.union1d(source, target)
    shares = [
        np.bincount(np.searchsorted(classes, side), minlength=len(classes)) / len(side) for side in (source, target)
    ]
    return float(shares[0] @ shares[1])


def sample_cost(
    cost: Cost, source_labels: ArrayLike, target_labels: ArrayLike, *, size: int = 200, seed: int = 0
) -> CostSample:
    """A block of `size` x `size` random entries of the cost, divided by the block's mean, split by class."""
    source, target = np.asarray(source_labels), np.asarray(target_labels)
    rng = np.random.default_rng(seed)
    n, m = cost.shape
    i = rng.choice(n, min(size, n), replace=False)
    j = rng.choice(m, min(size, m), replace=False)
    block = cost.block(i, j)
    block = block / (block.mean() or 1.0)
    same = source[i][:, None] == target[j]
    return CostSample(block[same], block[~same])


def cheapest_classes(
    cost: Cost, source_labels: ArrayLike, target_labels: ArrayLike, *, most: int = 1000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Of which class the cheapest target of each class's rows is, before any transport: what the cost alone decides.

    Args:
        cost: between the spaces.
        source_labels: (n,).
        target_labels: (m,).
        most: rows to look at, drawn at random where there are more; a tie counts for all that share it.
        seed: of that draw.

    Returns:
        (c, c) sums of shares, true class in rows, divided by the rows of that class looked at; and (c,) these numbers
        of rows.
    """
    source, target = np.asarray(source_labels), np.asarray(target_labels)
    n = cost.shape[0]
    i = np.arange(n) if n <= most else np.random.default_rng(seed).choice(n, most, replace=False)
    classes = np.union1d(source, target)
    shares = class_shares(cost.target_atoms, target, classes)
    block = cost.block(i, cost.target_atoms.rows)
    ties = np.isclose(block, block.min(1, keepdims=True), rtol=1e-9, atol=1e-12)
    weight = ties * cost.target_atoms.multiplicity
    found = (weight / weight.sum(1, keepdims=True)) @ shares
    total = np.zeros((len(classes), len(classes)))
    code = np.searchsorted(classes, source[i])
    np.add.at(total, code, found)
    counts = np.bincount(code, minlength=len(classes))
    return np.divide(total, counts[:, None], out=np.zeros_like(total), where=counts[:, None] > 0), counts


def cost_accuracy(cost: Cost, source_labels: ArrayLike, target_labels: ArrayLike, *, most: int = 1000) -> float:
    """The share of source rows whose cheapest target is of their own class, in [0, 1]; see `cheapest_classes`."""
    shares, counts = cheapest_classes(cost, source_labels, target_labels, most=most)
    return float(np.diag(shares) @ counts / counts.sum())


def nearest_pairs(
    x: ArrayLike, pairs: ArrayLike, *, rows: ArrayLike | None = None, points: ArrayLike | None = None,
    metric: str = "cosine",
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """For each point the number of the pair whose source is nearest, and that distance (divided by the space's mean).

    Args:
        x: (n, p) source rows.
        pairs: (l, 2), l >= 1.
        rows: of the points to ask about; None takes all of them.
        points: (k, p) other points to ask about, such as test points, instead.
        metric: of `bv.costs.METRICS`.
    """
    x = check.matrix(x, "x", "nearest_pairs")
    pairs = np.asarray(pairs)
    if not len(pairs):
        raise check.fail("pairs", "nearest_pairs", "at least 1 pair", "none")
    distance = find_metric(metric, "nearest_pairs")
    ask = points if points is not None else (x if rows is None else x[np.asarray(rows)])
    ask = check.matrix(ask, "points", "nearest_pairs", columns=x.shape[1], rows=1)
    anchors, found, how_far = x[pairs[:, 0]], [], []
    for part in np.array_split(ask, -(-len(ask) * len(anchors) // 4_000_000) or 1):
        between = distance.matrix(part, anchors)
        found.append(between.argmin(1))
        how_far.append(between.min(1))
    return np.concatenate(found), np.concatenate(how_far) / (distance.mean(x) or 1.0)
