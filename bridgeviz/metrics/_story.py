"""The story of one point: where it lies, its nearest pair, where the plan sends it, and where the flow ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.couplings import Plan
from bridgeviz.metrics._downstream import predict_labels
from bridgeviz.metrics._supervision import cheapest_of_rows, nearest_pairs
from bridgeviz.problem import Problem, Space

if TYPE_CHECKING:
    from bridgeviz.costs import Cost
    from bridgeviz.flows import Flow

Stage = Literal["right", "undecided", "overlap", "pair", "cost", "coupling", "flow", "unknown"]

MAJORITY = 0.75
"""A point is right if at least this share of the draws of the noise ends in its class, wrong if at least this share
ends elsewhere, and undecided in between."""


class Story(NamedTuple):
    """What happened to one point, stage by stage.

    Attributes:
        label: of the point.
        neighbours: (k,) nearest training rows; `overlap`: the share of them of another class.
        pair: the number of the nearest pair; `pair_row`: its source row; `pair_label`; `distance`: to it, in units of
            the mean distance of the space.
        row: the training row whose coupling row is read: the point itself, or the nearest row that has mass.
        stands_in: whether that is another point than this one.
        sent: (c,) shares of that row's mass by target class; `draws`: the number of draws from which they were
            counted, 0 if they are exact.
        ends: (s, q) where the flow ends from `s` draws of noise; `arrived`: (s,) the class of each.
        stage: where it went wrong first: "overlap" (it lies among another class), "pair" (its nearest pair is of
            another class), "cost" (its cheapest target is of another class), "coupling" (the plan sends it elsewhere,
            although its cheapest target is right), "flow" (the plan is right, the flow is not), "right", "undecided"
            (too few draws end in its class to call it right, and too many to call it wrong), or
            "unknown" if labels are missing.
    """

    label: object
    neighbours: Int[np.ndarray, " k"]
    overlap: float
    pair: int
    pair_row: int
    pair_label: object
    distance: float
    row: int
    stands_in: bool
    sent: Float[np.ndarray, " c"]
    draws: int
    ends: Float[np.ndarray, "s q"]
    arrived: np.ndarray
    stage: Stage

    @property
    def right(self) -> bool | None:
        """Whether the flow carries the point to its own class; None if that is undecided or unknown."""
        return None if self.stage in ("undecided", "unknown") else self.stage == "right"


def explain_point(
    problem: Problem, pairs: ArrayLike, plan: Plan, flow: Flow, row: int, *,
    cost: Cost | None = None, test: bool = True, metric: str = "cosine", k: int = 15, noises: int = 8, seed: int = 0,
) -> Story:  # fmt: skip
    """The way of one point through all the stages: neighbours -> nearest pair -> coupling row -> flow ends.

    A test point has no row in the plan, and not every row has mass (the true strategy couples only its pairs): then
    the nearest training row with mass stands in, and `stands_in` says so. A local plan is estimated from draws that
    start at the k nearest rows.

    Args:
        problem, pairs, plan, flow: of a finished run.
        row: of the test points (`test=True`, if there are any) or of the training rows.
        cost: from which the plan was made; without it, "coupling" stands for "cost" as well.
        test: which of the two.
        metric: within the source space, for the nearest pair.
        k: neighbours.
        noises: the number of draws of noise from which the flow starts.
        seed: of them.
    """
    source, target = problem.source, problem.target
    points = problem.test.source if test and problem.test is not None else source
    outside = points is not source
    row = check.count(row, "row", "explain_point", least=0, most=len(points) - 1)
    x = points.x[[row]]
    label = None if points.labels is None else points.labels[row]
    neighbours = _neighbours(source, x, None if outside else row, k)
    overlap = float("nan")
    if label is not None and source.labels is not None:
        overlap = float(np.mean(source.labels[neighbours] != label))
    pair, distance = (values[0] for values in nearest_pairs(source.x, pairs, points=x, metric=metric))
    pair_row = int(np.asarray(pairs)[pair, 0])
    labels = np.zeros(len(target), np.int64) if target.labels is None else target.labels
    classes, groups = np.unique(labels, return_inverse=True)
    (sent,) = plan.shares_of_rows(
        [None if outside else row], np.linalg.norm(source.x - x, axis=1)[None], neighbours[None], groups, len(classes),
        seed=seed,
    )  # fmt: skip
    ends = flow.transport(np.repeat(x, noises, axis=0), seed=seed).states[-1]
    arrived = np.full(noises, None) if target.labels is None else predict_labels(target, ends)
    pair_label = None if source.labels is None else source.labels[pair_row]
    cheapest = None
    if cost is not None and target.labels is not None:
        cheapest = cheapest_of_rows(cost, np.array([sent.row]), target.labels, classes)[0]
    return Story(
        label=label,
        neighbours=neighbours,
        overlap=overlap,
        pair=int(pair),
        pair_row=pair_row,
        pair_label=pair_label,
        distance=float(distance),
        row=sent.row,
        stands_in=outside or sent.row != row,
        sent=sent.shares,
        draws=sent.draws,
        ends=ends,
        arrived=arrived,
        stage=stage_of(label, overlap, pair_label, cheapest, sent.shares, target.classes, arrived),
    )


def _neighbours(source: Space, x: np.ndarray, row: int | None, k: int) -> np.ndarray:
    """(k,) the source rows nearest to the point x (1, p), which is source row `row`, or None of them."""
    from sklearn.neighbors import NearestNeighbors

    order = NearestNeighbors(n_neighbors=min(k + 1, len(source))).fit(source.x).kneighbors(x, return_distance=False)[0]
    return order[:k] if row is None else order[order != row][:k]


def stage_of(
    label: object, overlap: float, pair_label: object, cheapest: np.ndarray | None, sent: np.ndarray,
    classes: np.ndarray | None, arrived: np.ndarray,
) -> Stage:  # fmt: skip
    """The first stage at which a point goes wrong; see `Story`.

    Args:
        label: of the point.
        overlap: the share of its neighbours of another class.
        pair_label: the class of its nearest pair.
        cheapest: (c,) shares of its cheapest targets by class; None without a cost.
        sent: (c,) shares of its mass by class.
        classes: (c,) of the target.
        arrived: the class in which each draw of the noise ends.
    """
    if label is None or classes is None or pair_label is None:
        return "unknown"
    own = np.mean(arrived == label)
    if own >= MAJORITY:
        return "right"
    if own > 1 - MAJORITY:
        return "undecided"
    if goes_home(sent, classes, label):
        return "flow"
    if overlap > 0.5:
        return "overlap"
    if pair_label != label:
        return "pair"
    return "coupling" if cheapest is None or goes_home(cheapest, classes, label) else "cost"


def goes_home(sent: np.ndarray, classes: np.ndarray, label: object) -> bool | None:
    """Whether a coupling row sends more to the class `label` than to any other; None if it is a tie, or has no mass."""
    own, others = sent[classes == label].sum(), sent[classes != label].max(initial=0.0)
    return None if np.isclose(own, others) else bool(own > others)
