"""What a run is worth: every number that the problem has the labels for."""

from __future__ import annotations

import numpy as np

from bridgeviz import metrics
from bridgeviz.costs import Cost
from bridgeviz.couplings import Plan
from bridgeviz.experiments._neural import neural_metrics
from bridgeviz.flows import Flow
from bridgeviz.problem import Problem, Space


def evaluate(
    problem: Problem, plan: Plan, flow: Flow, pairs: np.ndarray | None = None, *, seed: int = 0
) -> dict[str, float]:
    """The metrics of a finished run by name; those without the labels they need are left out.

    Args:
        problem: the two spaces, with a test split where there is one.
        plan: a coupling of the problem's rows.
        flow: learned from the plan.
        pairs: (l, 2) those that the plan was built on; they are left out where known pairs are evaluated.
        seed: of the noise and of every draw.

    Returns:
        `matching_accuracy` of the plan, by mass; `matched_rows`, the same over all source rows, and `rows_with_mass`,
        the share of them that carry any (see `metrics.rows_with_mass`); `source_overlap` and `target_overlap` (Eq. 21);
        `test_accuracy`, downstream and out of sample; towards pictures also `test_mse` (Eq. 24). Where the known pairs
        are one to one, or there are no labels, `plan_foscttm`, `plan_recall_1` and `plan_recall_10` over those that
        were not used, and `test_foscttm`, `test_recall_1`, `test_recall_10` and `test_pair_cosine` of the flow's
        means on the test split (see `metrics.partners`); without one, `flow_foscttm` and so on of the means for source
        rows whose pair was not used. Towards neurons `test_prediction_error` and
        `test_neuron_correlation` (see `neural_metrics`). Where rows have weights, all means over rows are weighted, but
        for those of pictures and neurons.
    """
    target, numbers = problem.target, evaluate_plan(problem, plan, pairs, seed=seed)
    test = problem.test
    if test is None:
        return numbers | _of_unused(problem, flow, pairs, seed)
    numbers |= neural_metrics(test, flow, seed=seed)
    if test.truth is not None and ("matching_accuracy" not in numbers or metrics.is_one_to_one(test)):
        mean = flow.mean(test.source.x, seed=seed)
        numbers |= _of_arrivals("test", mean, test.target, test.truth, test.source.weights)
    if test.source.labels is not None and target.labels is not None:
        y = flow.transport(test.source.x, seed=seed).states[-1]
        numbers["test_accuracy"] = metrics.downstream_accuracy(
            target, y, test.source.labels, weights=test.source.weights
        )
        pictures = test.target.pictures(np.arange(len(test.target)))
        if target.decode_images is not None and pictures is not None and test.target.labels is not None:
            decoded = target.decode_images(y)
            numbers["test_mse"] = metrics.classwise_mse(
                pictures / 255.0, test.target.labels, decoded, test.source.labels
            )
    return numbers


def evaluate_plan(problem: Problem, plan: Plan, pairs: np.ndarray | None = None, *, seed: int = 0) -> dict[str, float]:
    """Those of the metrics of `evaluate` that need no flow."""
    source, target = problem.source, problem.target
    numbers: dict[str, float] = {}
    if source.labels is not None and target.labels is not None:
        numbers["matching_accuracy"] = metrics.matching_accuracy(plan, source.labels, target.labels, seed=seed)
        rows = metrics.rows_with_mass(plan, source.labels, target.labels, seed=seed)
        numbers |= {"matched_rows": rows.agreement, "rows_with_mass": rows.source}
    for side, space in (("source", source), ("target", target)):
        if space.labels is not None and len(space) > 1:
            numbers[f"{side}_overlap"] = metrics.feature_overlap(
                space.x, space.labels, k=min(15, len(space) - 1), seed=seed, weights=space.weights
            )
    if "matching_accuracy" not in numbers or metrics.is_one_to_one(problem):
        numbers |= _of_partners("plan", plan.whole, problem.unused(pairs), source.weights, target.weights, pairs)
    return numbers


def _of_unused(problem: Problem, flow: Flow, pairs: np.ndarray | None, seed: int) -> dict[str, float]:
    """How close the flow's means for source rows of unused pairs are to their partners, among a sample of the rows."""
    unused = problem.unused(pairs)
    if not len(unused):
        return {}
    rng = np.random.default_rng(seed)
    judged = np.asarray(unused)[: metrics.MOST_PARTNERS]
    own, partner = judged.T
    every, columns = metrics.candidates(problem.shape, judged, pairs)
    others = np.setdiff1d(every, own)
    rows = np.union1d(own, rng.permutation(others)[: max(0, metrics.MOST_PARTNERS - len(own))])
    y = flow.mean(problem.source.x[rows], seed=seed)
    truth = np.stack([np.searchsorted(rows, own), np.searchsorted(columns, partner)], axis=1)
    of_rows = None if problem.source.weights is None else problem.source.weights[rows]
    return _of_arrivals("flow", y, problem.target.take(columns), truth, of_rows)


def _of_arrivals(
    name: str, ends: np.ndarray, target: Space, truth: np.ndarray, weights: np.ndarray | None
) -> dict[str, float]:
    """How close the means of a flow, which weigh (n,) `weights`, are to their partners."""
    numbers = _of_partners(name, metrics.arrivals(ends, target.x), truth, weights, target.weights)
    if numbers:
        numbers[f"{name}_pair_cosine"] = metrics.pair_cosine(ends, target.x, truth, weights=weights)
    return numbers


def _of_partners(
    name: str, match: Plan | Cost | None, truth: np.ndarray | None, mu: np.ndarray | None, nu: np.ndarray | None,
    known: np.ndarray | None = None,
) -> dict[str, float]:  # fmt: skip
    """FOSCTTM and recall at 1 and 10, over rows that weigh mu and nu, among those without a known pair.

    Nothing without a plan of all rows, or without pairs to evaluate that carry any weight.
    """
    if match is None or truth is None or not metrics.carry_weight(np.asarray(truth), (mu, nu)):
        return {}
    ranked = metrics.partners(match, truth, known=known, weights=(mu, nu))
    return {f"{name}_foscttm": ranked.foscttm} | {f"{name}_recall_{k}": ranked.recall(k) for k in (1, 10)}


def rows_of_all_classes(space: Space, size: int, *, seed: int) -> np.ndarray:
    """At most `size` row numbers in random order, as evenly from all classes as possible."""
    order = np.random.default_rng(seed).permutation(len(space))
    if space.labels is None:
        return order[:size]
    rank = np.zeros(len(order), int)
    for label in np.unique(space.labels):
        members = space.labels[order] == label
        rank[members] = np.arange(members.sum())
    return order[np.sort(np.argsort(rank, kind="stable")[:size])]


def device() -> str:
    """The device that JAX runs on, such as "cpu" or "gpu (NVIDIA H200)"."""
    import jax

    first = jax.devices()[0]
    kind = getattr(first, "device_kind", "")
    return first.platform if kind in ("", first.platform) else f"{first.platform} ({kind})"
