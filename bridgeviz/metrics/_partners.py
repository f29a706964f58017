"""Whether points find their own partner: FOSCTTM, recall and the cosine of matched pairs, for one-to-one problems."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._weights import weights as checked_weights
from bridgeviz.costs import Cost, as_cost, cosine, every_row, sqeuclidean
from bridgeviz.couplings import Plan, as_whole
from bridgeviz.metrics._weighted import carry_weight, weighted_mean
from bridgeviz.problem import Problem

MOST_PARTNERS = 2000
"""Number of known pairs to evaluate; a larger number is sampled."""

Weights = tuple[ArrayLike | None, ArrayLike | None]
"""The weights of the source rows and of the target rows; None where all weigh the same."""

_ENTRIES = 4_000_000


@dataclass(frozen=True, eq=False)
class Ranks:
    """Where the true partner of each point stands among all candidates, in one direction.

    Attributes:
        nearer: (k,) the number of candidates that are nearer than the true partner.
        tied: (k,) the number of other candidates that are just as near.
        candidates: how many there are, at least 2.
        weights: (k,) how much each point counts in a mean; None if all count the same.
    """

    nearer: np.ndarray
    tied: np.ndarray
    candidates: int
    weights: np.ndarray | None = None

    @property
    def foscttm(self) -> float:
        """The fraction of the other candidates that are nearer than the true partner, on average; ties count half."""
        return weighted_mean(self.nearer + self.tied / 2, self.weights) / (self.candidates - 1)

    def recall(self, k: int) -> float:
        """The share of points whose partner is among the k nearest candidates; ties are broken at random."""
        return weighted_mean(np.clip((k - self.nearer) / (self.tied + 1), 0, 1), self.weights)


@dataclass(frozen=True, eq=False)
class Partners:
    """The ranks of true partners in both directions.

    Attributes:
        targets: of the true target among all target rows.
        sources: of the true source among all source rows.
    """

    targets: Ranks
    sources: Ranks

    @property
    def foscttm(self) -> float:
        """The mean of both directions, in [0, 1]: 0 is perfect, 0.5 is chance (Liu et al. 2019)."""
        return (self.targets.foscttm + self.sources.foscttm) / 2

    def recall(self, k: int = 1) -> float:
        """The mean of both directions, in [0, 1]: 1 is perfect, chance is about k / n."""
        k = check.count(k, "k", "recall")
        return (self.targets.recall(k) + self.sources.recall(k)) / 2


def partners(
    match: Plan | Cost | ArrayLike, truth: ArrayLike, *, known: ArrayLike | None = None,
    weights: Weights = (None, None), most: int = MOST_PARTNERS, seed: int = 0,
) -> Partners:  # fmt: skip
    """Rank the true partner of every point among all candidates, in both directions.

    Args:
        match: what says how near a source row is to a target row: a plan with all of its entries (more mass is
            nearer), a cost, `arrivals(ends, y)` for the ends of a flow, or an (n, m) matrix of distances.
        truth: (k, 2) pairs known to correspond, as (source row, target row), k >= 1. Leave out those that the
            alignment was built on.
        known: (l, 2) pairs that the alignment was built on. Their rows are no candidates, because a plan ranks them
            last and a linear map does not, whatever they say of the others; unless this leaves fewer than two
            candidates. None: all rows are candidates.
        weights: (n,) and (m,) weights >= 0 of the rows in the means over each side; None: all weigh the same.
            Candidates are counted without weights.
        most: pairs to evaluate; of more, a sample is drawn.
        seed: of the sample.

    Raises:
        InputError: no such pairs, one row on a side, pairs whose rows all have weight zero, or a local coupling, which
            has no plan between all rows.

    >>> import numpy as np
    >>> ranked = partners(np.array([[0.1, 0.9, 0.3], [0.2, 0.4, 0.1]]), [[0, 0], [1, 1]])
    >>> ranked.foscttm, ranked.recall(1)
    (0.25, 0.75)
    """
    if isinstance(match, Plan):
        whole = as_whole(match, "partners")
        shape, block = whole.shape, lambda i, j: -whole.block(i, j)
    else:
        cost = as_cost(match, "partners")
        shape, block = cost.shape, cost.block
    truth = check.pair_index(truth, "truth", "partners", shape=shape, least=1)
    if min(shape) < 2:
        raise check.fail("match", "partners", "between at least 2 rows on both sides", f"shape {shape}")
    of_rows = [
        None if given is None else checked_weights(given, f"{side} weights", "partners", length=size)
        for side, given, size in zip(("source", "target"), weights, shape, strict=True)
    ]
    if not carry_weight(truth, of_rows):
        raise check.fail("weights", "partners", "positive for some of the pairs' rows on each side", "0 for all")
    if len(truth) > most:
        truth = np.random.default_rng(seed).choice(truth, most, replace=False)
    rows, columns = candidates(shape, truth, known)
    of_source, of_target = (None if w is None else w[rows] for w, rows in zip(of_rows, truth.T, strict=True))
    return Partners(
        targets=_ranks(block, truth[:, 0], truth[:, 1], columns, of_source),
        sources=_ranks(lambda j, i: block(i, j).T, truth[:, 1], truth[:, 0], rows, of_target),
    )


def foscttm(
    match: Plan | Cost | ArrayLike, truth: ArrayLike, *, known: ArrayLike | None = None,
    weights: Weights = (None, None), most: int = MOST_PARTNERS, seed: int = 0,
) -> float:  # fmt: skip
    """The fraction of points nearer than the true partner, the mean of both directions, in [0, 1]; 0.5 is chance.

    The usual measure where every row has one counterpart and there are no classes (Liu et al. 2019, "Jointly embedding
    multiple single-cell omics measurements"). Arguments as in `partners`.

    >>> import numpy as np
    >>> foscttm(1 - np.eye(4), [[0, 0], [1, 1], [2, 2]]), foscttm(np.ones((4, 4)), [[0, 0]])
    (0.0, 0.5)
    """
    return partners(match, truth, known=known, weights=weights, most=most, seed=seed).foscttm


def recall(
    match: Plan | Cost | ArrayLike, truth: ArrayLike, *, k: int = 1, known: ArrayLike | None = None,
    weights: Weights = (None, None), most: int = MOST_PARTNERS, seed: int = 0,
) -> float:  # fmt: skip
    """The share of points whose true partner is among their k nearest, the mean of both directions, in [0, 1].

    Where candidates tie, this is the expected value when ties are broken at random. Arguments as in `partners`.

    >>> import numpy as np
    >>> recall(1 - np.eye(4), [[0, 0], [1, 1]]), recall(np.ones((4, 4)), [[0, 0]], k=2)
    (1.0, 0.5)
    """
    return partners(match, truth, known=known, weights=weights, most=most, seed=seed).recall(k)


def arrivals(ends: ArrayLike, y: ArrayLike) -> Cost:
    """The distance of transported points from every target row, computed block by block: for `partners`.

    The cosine distance (Eq. 25), or the squared Euclidean one where angles say little: in fewer than three dimensions,
    or with a row at zero.

    Args:
        ends: (n, q) transported source rows, such as the last states of a trajectory.
        y: (m, q) target rows.
    """
    y = check.matrix(y, "y", "arrivals", rows=1)
    ends = check.matrix(ends, "ends", "arrivals", columns=y.shape[1], rows=1)
    angles = y.shape[1] >= 3 and all(np.linalg.norm(side, axis=1).all() for side in (ends, y))
    return Cost(
        name="arrivals", source_factor=ends, target_factor=y, combine=cosine if angles else sqeuclidean,
        source_atoms=every_row(len(ends)), target_atoms=every_row(len(y)),
    )  # fmt: skip


def pair_cosine(ends: ArrayLike, y: ArrayLike, truth: ArrayLike, *, weights: ArrayLike | None = None) -> float:
    """The mean cosine between transported points and their true targets, in [-1, 1]; a point at zero counts as 0.

    Args:
        ends: (n, q) transported source rows, such as the last states of a trajectory.
        y: (m, q) target rows.
        truth: (k, 2) pairs known to correspond, k >= 1.
        weights: (n,) how much each point counts in the mean, >= 0; None if all count the same.

    >>> pair_cosine([[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [1.0, 0.0]], [[0, 0], [1, 1]])
    0.5
    """
    y = check.matrix(y, "y", "pair_cosine", rows=1)
    ends = check.matrix(ends, "ends", "pair_cosine", columns=y.shape[1], rows=1)
    truth = check.pair_index(truth, "truth", "pair_cosine", shape=(len(ends), len(y)), least=1)
    sides = [np.asarray(points, np.float64)[truth[:, k]] for k, points in enumerate((ends, y))]
    lengths = [np.linalg.norm(side, axis=1, keepdims=True) for side in sides]
    a, b = (np.divide(s, n, out=np.zeros_like(s), where=n > 0) for s, n in zip(sides, lengths, strict=True))
    of_points = None
    if weights is not None:
        of_points = checked_weights(weights, "weights", "pair_cosine", length=len(ends))[truth[:, 0]]
        if not of_points.any():
            raise check.fail("weights", "pair_cosine", "positive for some of the pairs' points", "0 for all")
    return weighted_mean((a * b).sum(1), of_points)


def is_one_to_one(problem: Problem) -> bool:
    """Whether the known pairs join distinct points one to one; not so where all targets of a class are one point."""
    if problem.truth is None or len(problem.truth) < 2 or min(problem.shape) < 2:
        return False
    sides = ((problem.source.x, problem.truth[:, 0]), (problem.target.x, problem.truth[:, 1]))
    return all(len(np.unique(x[rows], axis=0)) == len(rows) for x, rows in sides)


def candidates(shape: tuple[int, int], truth: np.ndarray, known: ArrayLike | None) -> tuple[np.ndarray, np.ndarray]:
    """The source rows and target rows, sorted, among which `partners` ranks; arguments as there.

    >>> candidates((3, 4), np.array([[0, 0]]), [[1, 0], [2, 3]])
    (array([0, 1, 2]), array([0, 1, 2, 3]))
    >>> candidates((3, 4), np.array([[0, 0]]), [[2, 3]])
    (array([0, 1]), array([0, 1, 2]))
    """
    every = np.arange(shape[0]), np.arange(shape[1])
    if known is None:
        return every
    known = check.pair_index(known, "known", "partners", shape=shape, least=0)
    rows, columns = (np.union1d(np.setdiff1d(every[k], known[:, k]), truth[:, k]) for k in (0, 1))
    return every if min(len(rows), len(columns)) < 2 else (rows, columns)


def _ranks(block, own: np.ndarray, partner: np.ndarray, candidates: np.ndarray, weights: np.ndarray | None) -> Ranks:
    """The ranks of `partner` among the sorted candidates in the rows `own` of the distances, block by block."""
    nearer, tied = np.zeros(len(own), np.int64), np.zeros(len(own), np.int64)
    place = np.searchsorted(candidates, partner)
    for part in np.array_split(np.arange(len(own)), -(-len(own) * len(candidates) // _ENTRIES)):
        distances: Float[np.ndarray, "b c"] = block(own[part], candidates)
        true = distances[np.arange(len(part)), place[part]][:, None]
        nearer[part] = (distances < true).sum(1)
        tied[part] = (distances == true).sum(1) - 1
    return Ranks(nearer, tied, len(candidates), weights)
