"""Where many points go wrong: the first stage of each, and how sure the flow is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.couplings import Plan
from bridgeviz.metrics._downstream import predict_labels
from bridgeviz.metrics._neighbours import nearest_rows
from bridgeviz.metrics._story import stage_of
from bridgeviz.metrics._supervision import cheapest_of_rows, nearest_pairs
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    from bridgeviz.costs import Cost
    from bridgeviz.flows import Flow

WRONG = ("overlap", "pair", "cost", "coupling", "flow")
"""The stages at which a point can go wrong, in their order."""


class Failures(NamedTuple):
    """The first stage at which each of some points goes wrong, as in `Story`, and what its draws of the noise say.

    Attributes:
        rows: (k,) the points, as rows of the test split or of the source.
        tested: which of the two.
        labels: (k,) their classes.
        stages: (k,) "right", "undecided" or one of `WRONG`.
        ends: (k, q) where the first draw of each point ends.
        own: (k,) the share of its draws that end in its own class.
        taken: (k,) the class in which most of its draws end.
        sure: (k,) the share that ends there.
        overlap: (k,) the share of its neighbours of another class.
        noises: the number of draws of each point.
    """

    rows: Int[np.ndarray, " k"]
    tested: bool
    labels: np.ndarray
    stages: np.ndarray
    ends: Float[np.ndarray, "k q"]
    own: Float[np.ndarray, " k"]
    taken: np.ndarray
    sure: Float[np.ndarray, " k"]
    overlap: Float[np.ndarray, " k"]
    noises: int

    @property
    def counts(self) -> dict[str, int]:
        """How many points go wrong at each stage, the most frequent first, without stages at which none does."""
        return counts_of_stages(self.stages)


class Reliability(NamedTuple):
    """How often the flow is right where it is p sure.

    Attributes:
        sure: (b,) the mean share of draws that end in the most frequent class, in each of some bins.
        right: (b,) the share of points for which that is the own class.
        counts: (b,) points.
        error: the expected calibration error: the mean of |sure - right| over all points.
    """

    sure: Float[np.ndarray, " b"]
    right: Float[np.ndarray, " b"]
    counts: Int[np.ndarray, " b"]
    error: float


def counts_of_stages(stages: np.ndarray) -> dict[str, int]:
    """How many of some stages are each of `WRONG`, the most frequent first, without those that do not occur."""
    names, counts = np.unique(stages[np.isin(stages, WRONG)], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {str(names[k]): int(counts[k]) for k in order}


def failures(
    problem: Problem, pairs: ArrayLike, plan: Plan, flow: Flow, rows: ArrayLike | None = None, *,
    cost: Cost | None = None, test: bool = True, metric: str = "cosine", k: int = 15, noises: int = 8, seed: int = 0,
) -> Failures:  # fmt: skip
    """The first stage at which each of some points goes wrong; `explain_point` tells the story of one.

    Args:
        problem, pairs, plan, flow: of a finished run with labels on both sides.
        rows: of the test points (`test=True`, if there are any) or of the training rows; None takes all.
        cost: from which the plan was made; without it, "coupling" stands for "cost" as well.
        test: which of the two.
        metric: within the source space, for the nearest pair.
        k: neighbours.
        noises: the number of draws of noise from which the flow starts at each point.
        seed: of them.

    Raises:
        InputError: a side has no labels, or there are no pairs.
    """
    where = "failures"
    source, target = problem.source, problem.target
    points = problem.test.source if test and problem.test is not None else source
    if source.labels is None or target.labels is None or points.labels is None or target.classes is None:
        raise check.fail("problem", where, "one with labels on both sides", "one without")
    pairs = check.pair_index(pairs, "pairs", where, shape=problem.shape, least=1)
    rows = np.arange(len(points)) if rows is None else check.rows(rows, "rows", where, size=len(points))
    noises = check.count(noises, "noises", where)
    outside, x, labels = points is not source, points.x[rows], points.labels[rows]
    apart, near = nearest_rows(x, source.x, None if outside else rows, k=k)
    overlap = (source.labels[near] != labels[:, None]).mean(1)
    pair_labels = source.labels[pairs[nearest_pairs(source.x, pairs, points=x, metric=metric)[0], 0]]
    classes, groups = np.unique(target.labels, return_inverse=True)
    own_rows = [None if outside else int(row) for row in rows]
    sent = plan.shares_of_rows(own_rows, apart, near, groups, len(classes), seed=seed)
    cheapest = None
    if cost is not None:
        cheapest = cheapest_of_rows(cost, np.array([one.row for one in sent]), target.labels, classes)
    ends = flow.transport(np.repeat(x, noises, axis=0), seed=seed).states[-1]
    arrived = predict_labels(target, ends).reshape(len(rows), noises)
    votes = (arrived[:, :, None] == classes).sum(1)
    stages = [
        stage_of(
            labels[n], overlap[n], pair_labels[n], None if cheapest is None else cheapest[n], sent[n].shares, classes,
            arrived[n],
        )
        for n in range(len(rows))
    ]  # fmt: skip
    return Failures(
        rows=rows, tested=outside, labels=labels, stages=np.array(stages), ends=ends[::noises],
        own=(arrived == labels[:, None]).mean(1), taken=classes[votes.argmax(1)], sure=votes.max(1) / noises,
        overlap=overlap, noises=noises,
    )  # fmt: skip


def reliability(found: Failures, *, bins: int = 8) -> Reliability:
    """Whether the flow's draws are calibrated: of the points of which it is p sure, a share p should be right.

    Args:
        found: from `failures`.
        bins: of equal width between 0 and 1; empty ones are left out.
    """
    bins = check.count(bins, "bins", "reliability")
    right = found.taken == found.labels
    place = np.minimum((found.sure * bins).astype(int), bins - 1)
    used = np.unique(place)
    sure, share = (np.array([values[place == one].mean() for one in used]) for values in (found.sure, right))
    counts = np.array([(place == one).sum() for one in used])
    return Reliability(sure, share, counts, float(np.abs(sure - share) @ counts / counts.sum()))
