"""Weights and forbidden matches from a problem's door to the report: `run`, `recommend`, the flow and the metrics."""

from __future__ import annotations

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.datasets import keeping
from bridgeviz.experiments import _held_out, report
from bridgeviz.experiments._pipeline import Pipeline
from bridgeviz.flows._scaling import Scaling

N = 48


def problem(weights=None, target_weights=None, *, junk: int = 0) -> bv.Problem:
    """Three classes in two spaces; the last `junk` source rows are far from everything."""
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 3
    x = rng.normal(size=(N, 3)) * 0.2 + 3 * np.eye(3)[labels]
    y = x[:, [2, 0, 1]] + 0.1 * rng.normal(size=(N, 3))
    if junk:
        x[-junk:] = 1e4 * rng.normal(size=(junk, 3))
    spaces = bv.Space(x, labels=labels, weights=weights), bv.Space(y, labels=labels, weights=target_weights)
    return bv.Problem(*spaces, truth=[[i, i] for i in range(N)])


CONFIG = bv.RunConfig(dataset="yours", count=12, steps=20, batch_size=16, metric="sqeuclidean")


def result(config: bv.RunConfig, stage: str = "coupling", **arguments):
    pipeline = Pipeline(config, **arguments)
    return pipeline.result(stage), pipeline


@pytest.mark.parametrize("strategy", ["true", "global", "local"])
def test_the_weights_of_the_spaces_reach_every_strategy(strategy):
    weights = np.where(np.arange(N) % 3 == 0, 5.0, 1.0)
    weights[1] = 0
    plan, _ = result(CONFIG.replace(strategy=strategy), own_problem=problem(weights))
    i, _ = plan.sample(0, 4000)
    assert not (i == 1).any()
    drawn = np.bincount(i % 3, minlength=3) / len(i)
    rows = np.unique(i) if strategy == "true" else np.arange(N)
    expected = np.bincount(rows % 3, weights=weights[rows], minlength=3) / weights[rows].sum()
    np.testing.assert_allclose(drawn, expected, atol=0.03)


def test_fused_transport_without_pairs_reads_weights_and_forbidden_matches():
    weights = np.linspace(1, 2, N)
    forbidden = bv.costs.Forbidden.classes([(0, 1)], np.arange(N) % 3, np.arange(N) % 3)
    config = CONFIG.replace(solver="fgw", alpha=1.0, epsilon=0.5, count=0)
    plan, pipeline = result(config, own_problem=problem(weights), own_forbidden=forbidden)
    np.testing.assert_allclose(plan.marginals()[0], weights / weights.sum(), atol=1e-3)
    assert not plan.dense()[::3, 1::3].any()
    assert pipeline.cost is not None
    plan, pipeline = result(config, own_problem=problem(weights))
    np.testing.assert_allclose(plan.marginals()[0], weights / weights.sum(), atol=1e-3)
    assert pipeline.cost is None


def test_the_flow_is_scaled_by_what_carries_mass():
    """Rows of weight zero, however far away, leave the scaling of the flow alone."""
    weights = np.r_[np.ones(N - 8), np.zeros(8)]
    sources = [problem(weights, junk=8).source, problem(weights).source]
    scalings = [Scaling.of(source.x, source.weights) for source in sources]
    np.testing.assert_allclose(scalings[0].mean, scalings[1].mean, atol=1e-9)
    np.testing.assert_allclose(scalings[0].std, problem().source.x[:-8].std(0), atol=1e-9)


def test_a_run_reports_weights_and_forbidden_matches(tiny_velocity):
    config = CONFIG.replace(velocity="tiny")
    weights = np.r_[np.zeros(3), np.ones(N - 3)]
    mask = np.zeros((N, N), bool)
    mask[5, 6:] = True
    finished = bv.run(config, problem=problem(weights), forbidden=mask, pairs=[[i, i] for i in range(0, N, 4)])
    contents = report(finished)
    assert contents["weights"] == {"source": {"rows": N - 3, "effective_rows": pytest.approx(N - 3)}, "target": None}
    assert contents["forbidden"] == pytest.approx(mask.mean())
    assert not finished.plan.dense()[mask].any()
    space, truth = finished.problem.source, finished.problem.unused(finished.pairs)
    overlap = bv.metrics.feature_overlap(space.x, space.labels, k=15, weights=weights)
    assert finished.metrics["source_overlap"] == overlap
    known = finished.pairs
    weighted = bv.metrics.foscttm(finished.plan, truth, known=known, weights=(weights, None))
    assert finished.metrics["plan_foscttm"] == weighted != bv.metrics.foscttm(finished.plan, truth, known=known)
    plain = report(bv.run(config, problem=problem()))
    assert plain["weights"] == {"source": None, "target": None}
    assert plain["forbidden"] is None


@pytest.mark.parametrize("strategy", ["true", "global"])
def test_forbidden_pairs_and_other_wrong_arguments_are_refused(strategy):
    config = CONFIG.replace(strategy=strategy)
    pairs = [[0, 0], [7, 7]]
    with pytest.raises(bv.InputError, match=r"'forbidden' of run\(\) must be free of the pairs.*\(7, 7\)"):
        bv.run(config, problem=problem(), pairs=pairs, forbidden=[[7, 7]])
    with pytest.raises(bv.InputError, match=r"'forbidden' of run\(\)"):
        bv.run(config, problem=problem(), pairs=pairs, forbidden=np.zeros((3, 3), bool))
    with pytest.raises(bv.InputError, match="None where forbidden matches are given"):
        bv.run(config.replace(rows=20), problem=problem(), forbidden=[[7, 6]])


def test_the_other_direction_turns_what_is_forbidden():
    forbidden = [[0, 4], [9, 2]]
    arguments = {"own_problem": problem(), "own_pairs": [[1, 1], [2, 2], [3, 3]], "own_forbidden": forbidden}
    cost, _ = result(CONFIG.replace(reverse=True), "cost", **arguments)
    assert np.argwhere(np.isinf(cost.dense())).tolist() == [[2, 9], [4, 0]]


def test_recommend_reads_weights_and_forbidden_matches():
    weights = np.r_[np.zeros(8), np.ones(N - 8)]
    pairs = [[i, i] for i in range(10, 30)]
    mask = (np.arange(N) % 3)[:, None] != np.arange(N) % 3
    steps = bv.experiments.recommend_steps(problem(weights), pairs, forbidden=mask)
    next(steps)
    steps.close()
    choice = bv.recommend(problem(), pairs, forbidden=[[0, 1]], metric="sqeuclidean")
    assert 0 <= choice.score <= 1
    with pytest.raises(bv.InputError, match="free of the pairs"):
        bv.recommend(problem(), pairs, forbidden=[[10, 10]])


def rows_of(part: bv.Space, whole: bv.Space) -> np.ndarray:
    """Which rows of a space those of a part are."""
    return np.array([int(np.flatnonzero((whole.x == row).all(1))[0]) for row in part.x])


@pytest.mark.parametrize("way", ["recommend", "sample"])
def test_a_sample_keeps_what_is_forbidden_and_leaves_out_rows_without_a_match(way):
    mask = (np.arange(N) % 3)[:, None] == (np.arange(N) + 1) % 3
    mask[np.arange(N), N - 1 - np.arange(N)] = True
    mask[40:], mask[:, 40:] = True, True
    mask[40:44, 12:16] = mask[12:16, 40:44] = False  # without their partners in the sample, these have no match left
    pairs = np.array([[i, i] for i in range(12)])
    given, rng = problem().forbid(mask), np.random.default_rng(0)
    if way == "recommend":
        part, moved, sampled = _held_out.sample_rows(given, pairs, rng, most=24)
        assert sampled
    else:
        part = bv.Problem(given.source, given.target, truth=pairs, forbidden=mask).sample(24, seed=1)
        moved = part.truth
    rows, columns = rows_of(part.source, given.source), rows_of(part.target, given.target)
    known = np.stack([rows[moved[:, 0]], columns[moved[:, 1]]], axis=1)
    np.testing.assert_array_equal(known, pairs[np.isin(pairs[:, 0], rows) & np.isin(pairs[:, 1], columns)])
    inside = part.forbidden.block(np.arange(len(rows)), np.arange(len(columns)))
    np.testing.assert_array_equal(inside, mask[np.ix_(rows, columns)])
    assert not inside.all(0).any()
    assert not inside.all(1).any()
    assert len(rows) < 24 or len(columns) < 24


def test_what_a_problem_forbids_reaches_the_plan_in_both_directions():
    given = problem().forbid([[0, 4]]).forbid([[9, 2]])
    arguments = {"own_problem": given, "own_pairs": [[1, 1], [2, 2], [3, 3]]}
    cost, _ = result(CONFIG.replace(reverse=True), "cost", **arguments)
    assert np.argwhere(np.isinf(cost.dense())).tolist() == [[2, 9], [4, 0]]
    with pytest.raises(bv.InputError, match="free of the pairs"):
        result(CONFIG, "pairs", own_problem=given, own_pairs=[[9, 2]])


def test_assess_puts_forbidden_matches_last():
    """Where a paired row may not match others of its class, its partner is the nearest of the rest."""
    labels, pairs = np.arange(N) % 3, [[i, i] for i in range(12)]
    mask = (labels[:, None] == labels) & ~np.eye(N, dtype=bool)
    mask[12:, 12:] = False
    free, bound = (
        bv.assess(each, pairs, metric="sqeuclidean").table.set_index("cost").foscttm["linear map (ridge)"]
        for each in (problem(), problem().forbid(mask))
    )
    assert bound == 0 < free
    with pytest.raises(bv.InputError, match=r"assess\(\) must be free of the pairs"):
        bv.assess(problem().forbid([[3, 3]]), pairs)


def test_a_sample_keeps_the_rows_with_weight():
    weights = np.zeros(N)
    weights[::7] = np.arange(1, 8)
    part = problem(weights).sample(10, seed=0)
    assert (part.source.weights > 0).sum() == 7
    assert part.source.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(np.sort(part.source.weights)[-7:], np.arange(1, 8) / 28)
    assert problem(weights).reversed().target.weights is not None
    with pytest.raises(bv.InputError, match="positive for at least one row"):
        problem(weights).source.take([1, 2])


def test_metrics_weigh_rows():
    labels = np.array([0, 0, 1, 1])
    weights = np.array([1.0, 1.0, 6.0, 2.0])
    plan = bv.couplings.linear(np.ones((4, 4)), epsilon=1.0, weights=(None, weights))
    received = bv.metrics.received(plan, labels)
    np.testing.assert_allclose(received.expected, [0.2, 0.8])
    np.testing.assert_allclose(received.received, [0.2, 0.8], atol=1e-6)
    assert bv.metrics.chance_matching(labels, labels, (None, weights / 10)) == pytest.approx(0.5)
    assert bv.metrics.matching_accuracy(plan, labels, labels) == pytest.approx(0.5, abs=1e-6)
    even = bv.metrics.blocks(plan, labels, labels).even
    np.testing.assert_allclose(even, weights / 10)
    space = bv.Space(np.eye(4), labels=labels)
    assert bv.metrics.downstream_accuracy(space, np.eye(4), [0, 1, 1, 1], weights=weights / 10) == pytest.approx(0.9)
    whole, part = (bv.couplings.linear(np.ones((k, 4)), epsilon=1.0) for k in (4, 3))
    nothing = bv.couplings.linear(np.ones((4, 4)), epsilon=1.0, weights=([1, 1, 1, 0], None))
    assert bv.metrics.excluded_ratio(nothing) == pytest.approx(bv.metrics.excluded_ratio(part))
    assert bv.metrics.excluded_ratio(nothing) != pytest.approx(bv.metrics.excluded_ratio(whole))


def test_metrics_of_a_cost_leave_out_what_is_forbidden():
    labels = np.array([0, 0, 1, 1])
    cost = bv.costs.as_cost(1.0 + np.arange(16).reshape(4, 4), "test")
    forbidden = cost.forbid([[0, 0], [2, 0], [2, 1], [2, 2], [2, 3]])
    sample = bv.metrics.sample_cost(forbidden, labels, labels)
    assert len(sample.same) + len(sample.other) == 11
    assert np.isfinite(np.r_[sample.same, sample.other]).all()
    shares, counts = bv.metrics.cheapest_classes(forbidden.weighted(None, [0, 0, 1, 3]), labels, labels)
    np.testing.assert_allclose(shares, [[0, 1], [0, 0.5]])
    assert counts.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("values", "message"),
    [([1, 2], "vector of length 48"), (-np.ones(N), "nowhere negative"), (["a"] * N, "real vector"), (3.0, "shape")],
)
def test_a_space_refuses_wrong_weights(values, message):
    with pytest.raises(bv.InputError, match=f"'weights' of Space.*{message}"):
        problem(values)


def test_a_series_of_weights_is_joined_by_its_index():
    import pandas as pd

    x = pd.DataFrame(np.eye(3), index=list("abc"))
    space = bv.Space(x, weights=pd.Series([3.0, 1.0, 0.0], index=list("cab")))
    np.testing.assert_allclose(space.weights, [0.25, 0.0, 0.75])


def test_data_that_are_kept_keep_their_weights(tmp_path, monkeypatch):
    """Their key is made of the weights as well: it stands for the data in every cache of the app."""
    monkeypatch.setenv("BRIDGEVIZ_CACHE", str(tmp_path))
    with_weights = problem(np.arange(N), np.arange(N) ** 0.5)
    keys = {keeping.keep(keeping.Kept(problem=each)) for each in (with_weights, problem(), problem(np.arange(N)[::-1]))}
    assert len(keys) == 3
    key = keeping.keep(keeping.Kept(problem=with_weights))
    again = keeping.kept(key).problem
    np.testing.assert_array_equal(again.source.weights, with_weights.source.weights)
    np.testing.assert_array_equal(again.target.weights, with_weights.target.weights)
    assert keeping.keep(keeping.Kept(problem=bv.Problem(again.source, again.target, truth=again.truth))) == key
    assert keeping.kept(keeping.keep(keeping.Kept(problem=problem()))).problem.source.weights is None
