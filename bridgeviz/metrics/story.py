"""One point's story: where it lies, which pair speaks for it, where the plan sends it, where the flow ends."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from sklearn.neighbors import NearestNeighbors

from bridgeviz import _checks as check
from bridgeviz.couplings import Coupling, LocalCoupling
from bridgeviz.flows import Flow
from bridgeviz.metrics.diagnosis import DRAWS
from bridgeviz.metrics.downstream import predict_labels
from bridgeviz.metrics.supervision import nearest_pairs
from bridgeviz.problem import Problem

Stage = Literal["right", "overlap", "pair", "coupling", "flow", "unknown"]


class Story(NamedTuple):
    """What happened to one point, stage by stage.

    Attributes:
        label: of the point.
        neighbours: (k,) nearest training rows; `overlap`: the share of them of another class.
        pair: the number of the nearest pair; `pair_row`: its source row; `pair_label`; `distance`: to it, in units of
            the mean distance of the space.
        row: the training row whose coupling row is read: the point itself, or the nearest row that has mass.
        stands_in: whether that is another point than the one asked about.
        sent: (c,) shares of that row's mass by target class; `draws`: how many draws that
            was counted from, 0 if it is exact.
        ends: (s, q) where the flow ends from `s` draws of noise; `arrived`: (s,) the class of each.
        stage: where it went wrong first: "overlap" (it lies among another class), "pair" (its nearest pair is of
            another class), "coupling" (the plan sends it elsewhere), "flow" (the plan is right, the flow is not),
            "right", or "unknown" where labels are missing.
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


def explain_point(
    problem: Problem, pairs: ArrayLike, plan: Coupling | LocalCoupling, flow: Flow, row: int, *,
    test: bool = True, metric: str = "cosine", k: int = 15, noises: int = 8, seed: int = 0,
) -> Story:  # fmt: skip
    """The way of one point through all the stages: neighbours -> nearest pair -> coupling row -> flow ends.

    A test point has no row in the plan, and not every row has mass (the true strategy knows only its pairs): then the
    nearest training row with mass stands in, and `stands_in` says so. A local plan is counted from draws that start
    at the k nearest rows.

    Args:
        problem, pairs, plan, flow: of a finished run.
        row: of the test points (`test=True`, where there are such) or of the training rows.
        test: which of the two.
        metric: within the source space, for the nearest pair.
        k: neighbours.
        noises: how many draws of noise the flow is started from.
        seed: of them.
    """
    source, target = problem.source, problem.target
    points = problem.test.source if test and problem.test is not None else source
    outside = points is not source
    row = check.count(row, "row", "explain_point", least=0, most=len(points) - 1)
    x = points.x[[row]]
    label = None if points.labels is None else points.labels[row]
    order = NearestNeighbors(n_neighbors=min(k + 1, len(source))).fit(source.x).kneighbors(x, return_distance=False)[0]
    neighbours = order[:k] if outside else order[order != row][:k]
    overlap = (
        float(np.mean(source.labels[neighbours] != label))
        if label is not None and source.labels is not None
        else float("nan")
    )
    pair, distance = (a[0] for a in nearest_pairs(source.x, pairs, points=x, metric=metric))
    pair_row = int(np.asarray(pairs)[pair, 0])
    stand_in, sent, draws = _coupling_row(problem, plan, x, None if outside else row, neighbours, seed)
    ends = flow.transport(np.repeat(x, noises, axis=0), seed=seed).states[-1]
    arrived = np.full(noises, None) if target.labels is None else predict_labels(target, ends)
    pair_label = None if source.labels is None else source.labels[pair_row]
    stage = _stage(label, overlap, pair_label, sent, target.classes, arrived)
    return Story(
        label, neighbours, overlap, int(pair), pair_row, pair_label, float(distance), stand_in,
        outside or stand_in != row, sent, draws, ends, arrived, stage,
    )  # fmt: skip


def _coupling_row(problem: Problem, plan, x: np.ndarray, row: int | None, neighbours: np.ndarray, seed: int):
    """Whose plan row is read, the shares of its mass by target class, and from how many draws (0: exact)."""
    target = problem.target
    labels = np.zeros(len(target), np.int64) if target.labels is None else target.labels
    classes, code = np.unique(labels, return_inverse=True)
    if isinstance(plan, LocalCoupling):
        own = neighbours if row is None else np.append(neighbours, row)
        i, j = plan.sample(seed, DRAWS)
        kept = j[np.isin(i, own)]
        counts = np.bincount(code[kept], minlength=len(classes)).astype(float)
        return int(neighbours[0] if row is None else row), counts / max(counts.sum(), 1.0), len(kept)
    mass = plan.marginals()[0]
    if row is None or mass[row] <= 0:
        carried = np.flatnonzero(mass > 0)
        row = (
            int(carried[np.linalg.norm(problem.source.x[carried] - x, axis=1).argmin()])
            if len(carried)
            else int(neighbours[0])
        )
    return row, np.bincount(code, weights=plan.row(row), minlength=len(classes)), 0


def _stage(label, overlap, pair_label, sent, classes, arrived) -> Stage:
    if label is None or classes is None or pair_label is None:
        return "unknown"
    if np.mean(arrived == label) > 0.5:
        return "right"
    if sent.sum() > 0 and classes[sent.argmax()] == label:
        return "flow"
    if overlap > 0.5:
        return "overlap"
    return "pair" if pair_label != label else "coupling"
