"""At which stage points lose their partner, for one-to-one problems: the stages of a story told by ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs import Cost
from bridgeviz.couplings import Plan
from bridgeviz.metrics._failures import counts_of_stages
from bridgeviz.metrics._neighbours import nearest_rows
from bridgeviz.metrics._supervision import nearest_pairs
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    from bridgeviz.flows import Flow


class LostPartners(NamedTuple):
    """The first stage at which each of some source rows loses its partner.

    Every share is that of the other target rows that come before the true partner, in [0, 1]: 0 is perfect, 0.5 is
    chance, and ties count half.

    Attributes:
        rows, partners: (k,) source rows and their target rows, known to correspond and not used as pairs.
        shares: (k,) arrays by stage. "overlap": the rows nearer to the partner than the counterparts of the source
            row's neighbours, their median; "pair": nearer to it than the target of the nearest pair; "cost": cheaper;
            "coupling": with more mass; "flow": nearer to the mean end of the flow. Without a cost, or without a plan of
            all rows, its stage is missing.
        stages: (k,) "found", or one of `_failures.WRONG`.
        ends: (k, q) the mean ends of the flow.
    """

    rows: Int[np.ndarray, " k"]
    partners: Int[np.ndarray, " k"]
    shares: dict[str, np.ndarray]
    stages: np.ndarray
    ends: Float[np.ndarray, "k q"]

    @property
    def counts(self) -> dict[str, int]:
        """How many points are lost at each stage, the most frequent first, without stages at which none is."""
        return counts_of_stages(self.stages)


def lost_partners(
    problem: Problem, pairs: ArrayLike, plan: Plan, flow: Flow, *, cost: Cost | None = None, within: float = 0.01,
    far: float = 0.2, most: int = 400, metric: str = "cosine", k: int = 15, seed: int = 0,
) -> LostPartners:  # fmt: skip
    """The first stage at which source rows with a known, unused pair lose their partner.

    A row is found if at most a share `within` of the other target rows is nearer to the end of its flow than its
    partner. A row that is not found is lost at the first of these stages: its neighbours' counterparts are far from its
    partner (more than a share `far` of the target rows is nearer), so that the two spaces disagree around it; so is the
    target of its nearest pair; the cost, or the plan, prefers more than a share `within` to its partner; else at the
    flow.

    Args:
        problem: with known pairs.
        pairs: (l, 2) that the cost was built on.
        plan: the coupling.
        flow: learned from it.
        cost: from which the plan was made, if any.
        within: of the target rows, the share that counts as near; at least one row.
        far: the share that counts as far.
        most: rows to look at; of more, a sample is drawn.
        metric: within the source space, for the nearest pair.
        k: neighbours.
        seed: of the sample and of the noise.

    Raises:
        InputError: no known pair is unused, or there are fewer than two target rows.
    """
    from sklearn.metrics import pairwise_distances

    where = "lost_partners"
    source, target = problem.source, problem.target
    pairs = check.pair_index(pairs, "pairs", where, shape=problem.shape)
    within, far = check.unit(within, "within", where), check.unit(far, "far", where)
    unused, most = np.asarray(problem.unused(pairs)), check.count(most, "most", where)
    if not len(unused) or len(target) < 2:
        raise check.fail("problem", where, "one with known pairs that are not used, and two target rows", "none")
    rows, partners = unused[np.sort(np.random.default_rng(seed).permutation(len(unused))[:most])].T
    ends = flow.mean(source.x[rows], seed=seed)
    of_partners = pairwise_distances(target.x[partners], target.x)
    shares = {"overlap": _of_neighbours(problem, rows, partners, of_partners, k)}
    if len(pairs):
        nearest, _ = nearest_pairs(source.x, pairs, points=source.x[rows], metric=metric)
        shares["pair"] = _before(of_partners, pairs[nearest, 1])
    every = np.arange(len(target))
    if cost is not None:
        shares["cost"] = _before(cost.block(rows, every), partners)
    if plan.whole is not None:
        shares["coupling"] = _before(-plan.whole.block(rows, every), partners)
    shares["flow"] = _before(pairwise_distances(ends, target.x), partners)
    near = max(within, 1.0 / (len(target) - 1))
    limits = {"overlap": far, "pair": far, "cost": near, "coupling": near}
    stages = np.full(len(rows), "flow", dtype=object)
    for stage in reversed([stage for stage in limits if stage in shares]):
        stages[shares[stage] > limits[stage]] = stage
    stages[shares["flow"] <= near] = "found"
    return LostPartners(rows, partners, shares, stages.astype(str), ends)


def _before(values: Float[np.ndarray, "k m"], own: Int[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """The share of the other columns whose value is below that of the own column; ties count half."""
    mine = values[np.arange(len(own)), own][:, None]
    below, tied = (values < mine).sum(1), (values == mine).sum(1) - 1
    return (below + tied / 2) / (values.shape[1] - 1)


def _of_neighbours(
    problem: Problem, rows: np.ndarray, partners: np.ndarray, of_partners: np.ndarray, k: int
) -> np.ndarray:
    """The share of rows nearer to a row's partner than its neighbours' counterparts: the median over the neighbours."""
    truth = np.asarray(problem.truth)
    known = np.unique(truth[:, 0])
    first = truth[np.unique(truth[:, 0], return_index=True)[1], 1]
    others = len(known) - 1
    if others < 1:
        return np.zeros(len(rows))
    _, near = nearest_rows(
        problem.source.x[rows], problem.source.x[known], np.searchsorted(known, rows), k=min(k, others)
    )
    shares = np.stack([_before(of_partners, first[near[:, j]]) for j in range(near.shape[1])])
    return np.median(shares, axis=0)
