"""Diagnoses and stories against counts by hand, or against a second implementation."""

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz import InputError
from bridgeviz.metrics import (
    CostSample,
    blocks,
    chance_matching,
    chance_overlap,
    cheapest_classes,
    collisions,
    cost_accuracy,
    coverage,
    diagnose,
    explain_point,
    goes_home,
    nearest_pairs,
    neighbourhood,
    received,
    sample_cost,
    strongest,
)
from bridgeviz.metrics._diagnosis import class_margin, on_classes


@pytest.fixture(scope="module")
def run():
    config = bv.RunConfig(dataset="blobs", options={"n": 120, "overlap": 0.4}, fraction=0.1, steps=60, batch_size=64)
    return bv.run(config)


@pytest.fixture(scope="module")
def diagnosis(run):
    return diagnose(run.problem, run.pairs, run.plan, run.flow, cost=run.cost)


def test_overlap_between_classes_agrees_with_the_metric_of_each_point(run):
    source = run.problem.source
    near = neighbourhood(source.x, source.labels)
    np.testing.assert_allclose(near.overlap, bv.metrics.point_overlap(source.x, source.labels))
    np.testing.assert_allclose(near.between.sum(1), 1)
    for c, value in zip(near.classes, near.by_class, strict=True):
        assert value == pytest.approx(near.overlap[source.labels == c].mean())


def test_a_neighbourhood_larger_than_the_space_is_truncated():
    assert neighbourhood([[0.0], [1.0], [2.0]], [0, 0, 1], k=15).rows.shape == (3, 2)


def test_chance_overlap_is_what_shuffled_labels_give():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [10, 30, 60])
    x = rng.normal(size=(100, 2))
    shuffled = [bv.metrics.point_overlap(x, rng.permutation(labels), k=10).mean() for _ in range(300)]
    assert chance_overlap(labels) == pytest.approx(np.mean(shuffled), abs=0.01)


def test_coverage_counts_the_pairs_of_each_class():
    classes, counts = coverage(["a", "b", "b", "c"], [[1, 0], [2, 3], [0, 1]])
    assert dict(zip(classes, counts, strict=True)) == {"a": 1, "b": 2, "c": 0}


def test_chance_matching_is_the_accuracy_of_independent_draws():
    source, target = np.array([0, 0, 1]), np.array([0, 1, 1, 1])
    assert chance_matching(source, target) == pytest.approx((source[:, None] == target).mean())
    plan = bv.couplings.linear(np.zeros((3, 4)), epsilon=1.0, scale_cost=1.0)
    assert bv.metrics.matching_accuracy(plan, source, target) == pytest.approx(chance_matching(source, target))


def test_separation_is_the_share_of_ordered_entries():
    rng = np.random.default_rng(0)
    same, other = rng.integers(0, 6, 40).astype(float), rng.integers(2, 9, 50).astype(float)
    by_hand = (same[:, None] < other).mean() + (same[:, None] == other).mean() / 2
    assert CostSample(same, other).separation == pytest.approx(by_hand)
    assert np.isnan(CostSample(same, other[:0]).separation)


def test_a_sample_of_the_cost_is_split_by_class(run):
    source, target = run.problem.source.labels, run.problem.target.labels
    sample = sample_cost(run.cost, source, target, size=120)
    dense = run.cost.dense() / run.cost.dense().mean()
    same = source[:, None] == target
    np.testing.assert_allclose(np.sort(sample.same), np.sort(dense[same]))
    np.testing.assert_allclose(np.sort(sample.other), np.sort(dense[~same]))


def test_the_cheapest_target_is_the_argmin_of_the_row(run):
    source, target = run.problem.source.labels, run.problem.target.labels
    by_hand = (target[run.cost.dense().argmin(1)] == source).mean()
    assert cost_accuracy(run.cost, source, target) == pytest.approx(by_hand, abs=0.02)
    shares, counts = cheapest_classes(run.cost, source, target)
    np.testing.assert_allclose(shares.sum(1), 1)
    assert counts.sum() == len(source)


def test_targets_that_tie_share_the_row_equally():
    cost = bv.costs.as_cost(np.zeros((2, 4)), "test")
    assert cost_accuracy(cost, [0, 1], [0, 0, 0, 1]) == pytest.approx(0.5)


def test_the_nearest_pair_is_found_in_the_metric(run):
    x, pairs = run.problem.source.x, run.pairs
    which, distance = nearest_pairs(x, pairs)
    between = bv.costs.cosine(x, x[pairs.source]) / bv.costs.cosine(x).mean()
    np.testing.assert_array_equal(which, between.argmin(1))
    np.testing.assert_allclose(distance, between.min(1), atol=1e-6)
    with pytest.raises(InputError, match="at least 1 pair"):
        nearest_pairs(x, np.zeros((0, 2), int))


def test_a_diagnosis_agrees_with_the_metrics_of_the_run(run, diagnosis):
    assert diagnosis.tested
    assert diagnosis.confusion.sum() == len(run.problem.test.source)
    assert np.diag(diagnosis.confusion).sum() / diagnosis.confusion.sum() == pytest.approx(run.metrics["test_accuracy"])
    weights = np.unique(diagnosis.labels, return_counts=True)[1]
    assert diagnosis.error @ weights / weights.sum() == pytest.approx(1 - run.metrics["test_accuracy"])
    assert (1 - np.diag(diagnosis.overlap)).mean() == pytest.approx(run.metrics["source_overlap"], abs=1e-6)
    assert np.diag(diagnosis.plan).mean() == pytest.approx(run.metrics["matching_accuracy"], abs=2e-3)
    assert diagnosis.pairs.sum() == len(run.pairs)
    for shares in (diagnosis.overlap, diagnosis.nearest, diagnosis.cheapest, diagnosis.plan):
        np.testing.assert_allclose(shares.sum(1), 1)


def test_collisions_are_the_largest_confusions(diagnosis):
    hits = collisions(diagnosis, most=3)
    off = diagnosis.confusion - np.diag(np.diag(diagnosis.confusion))
    assert [hit.count for hit in hits] == sorted(off[off > 0].tolist(), reverse=True)[:3]
    for hit in hits:
        a, b = (np.flatnonzero(diagnosis.classes == c)[0] for c in (hit.true, hit.taken))
        assert hit.true != hit.taken
        assert hit.share == pytest.approx(diagnosis.confusion[a, b] / diagnosis.confusion[a].sum())
        assert (hit.overlap, hit.nearest) == (diagnosis.overlap[a, b], diagnosis.nearest[a, b])
        assert (hit.plan, hit.cheapest) == (diagnosis.plan[a, b], diagnosis.cheapest[a, b])


def test_without_errors_nothing_collides(diagnosis):
    perfect = diagnosis._replace(confusion=np.diag(np.diag(diagnosis.confusion)))
    assert collisions(perfect) == []


def test_a_diagnosis_needs_labels(run):
    bare = bv.Problem(bv.Space(run.problem.source.x), bv.Space(run.problem.target.x), truth=run.problem.truth)
    with pytest.raises(InputError, match="labels on both sides"):
        diagnose(bare, run.pairs, run.plan, run.flow)


def test_the_margin_is_negative_where_another_centre_is_nearer():
    y, labels = np.array([[0.0, 0.0], [2.0, 0.0]]), np.array(["a", "b"])
    points = np.array([[0.0, 0.0], [1.5, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(class_margin(y, labels, points, np.array(["a", "a", "b"])), [1.0, -0.5, 0.0])
    assert np.isnan(class_margin(y, labels, points[:1], np.array(["c"]))).all()


def test_a_story_reads_the_plan_row_of_the_nearest_training_row(run):
    story = explain_point(run.problem, run.pairs, run.plan, run.flow, 3)
    x = run.problem.test.source.x[3]
    order = np.linalg.norm(run.problem.source.x - x, axis=1).argsort(kind="stable")
    assert story.stands_in
    assert story.row == order[0]
    np.testing.assert_array_equal(np.sort(story.neighbours), np.sort(order[:15]))
    assert story.overlap == np.mean(run.problem.source.labels[order[:15]] != story.label)
    classes = run.problem.target.classes
    by_hand = [run.plan.row(story.row)[run.problem.target.labels == c].sum() for c in classes]
    np.testing.assert_allclose(story.sent, by_hand)
    assert story.pair_row == run.pairs[story.pair, 0]
    assert len(story.ends) == len(story.arrived) == 8


def test_a_training_row_has_its_own_coupling_row_and_is_not_its_own_neighbour(run):
    story = explain_point(run.problem, run.pairs, run.plan, run.flow, 5, test=False)
    assert not story.stands_in
    assert story.row == 5
    assert 5 not in story.neighbours


def test_a_paired_row_stands_in_with_the_true_strategy(run):
    plan = bv.couplings.true(run.pairs, shape=run.problem.shape)
    story = explain_point(run.problem, run.pairs, plan, run.flow, 0)
    assert story.stands_in
    assert story.row in run.pairs.source
    assert story.sent.sum() == pytest.approx(1)


def test_a_local_plan_is_estimated_from_draws(run):
    plan = bv.couplings.local(run.cost, batch_size=64)
    story = explain_point(run.problem, run.pairs, plan, run.flow, 0)
    assert story.draws > 0
    assert story.sent.sum() == pytest.approx(1)
    i, j = plan.sample(0, 20_000)
    starts = np.isin(i, story.neighbours)
    assert story.draws == starts.sum()
    by_hand = [(run.problem.target.labels[j[starts]] == c).mean() for c in run.problem.target.classes]
    np.testing.assert_allclose(story.sent, by_hand)


def test_the_diagnosis_of_a_local_plan_is_estimated_from_draws(run):
    plan = bv.couplings.local(run.cost, batch_size=64)
    diagnosis = diagnose(run.problem, run.pairs, plan, run.flow, cost=run.cost)
    assert diagnosis.estimated
    i, j = plan.sample(0, 20_000)
    between = bv.metrics.confusion(run.problem.source.labels[i], run.problem.target.labels[j])
    np.testing.assert_allclose(diagnosis.plan, between / between.sum(1, keepdims=True))


@pytest.mark.parametrize(
    ("right", "stage"), [(8, "right"), (6, "right"), (5, "undecided"), (4, "undecided"), (3, "undecided"), (2, "flow")]
)
def test_a_tie_of_draws_is_undecided(run, right, stage, monkeypatch):
    label = run.problem.test.source.labels[0]
    other = next(c for c in run.problem.target.classes if c != label)
    arrived = np.array([label] * right + [other] * (8 - right))
    monkeypatch.setattr("bridgeviz.metrics._story.predict_labels", lambda *_: arrived)
    everything_home = bv.couplings.RowShares(0, (run.problem.target.classes == label).astype(float), 0)
    monkeypatch.setattr(type(run.plan), "shares_of_rows", lambda *_, **__: [everything_home])
    story = explain_point(run.problem, run.pairs, run.plan, run.flow, 0)
    assert story.stage == stage
    assert story.right == {"right": True, "undecided": None}.get(stage, False)


def test_a_tie_of_a_coupling_row_is_no_failure():
    classes = np.array(["a", "b"])
    assert goes_home(np.array([0.6, 0.4]), classes, "a") is True
    assert goes_home(np.array([0.4, 0.6]), classes, "a") is False
    assert goes_home(np.array([0.5, 0.5]), classes, "a") is None
    assert goes_home(np.zeros(2), classes, "a") is None


def test_a_story_without_labels_has_no_verdict(run):
    bare = bv.Problem(bv.Space(run.problem.source.x), bv.Space(run.problem.target.x), truth=run.problem.truth)
    story = explain_point(bare, run.pairs, run.plan, run.flow, 0)
    assert story.stage == "unknown"
    assert story.label is None


@pytest.mark.parametrize("row", [-1, 60])
def test_a_row_that_does_not_exist_is_refused(run, row):
    with pytest.raises(InputError, match="'row' of explain_point"):
        explain_point(run.problem, run.pairs, run.plan, run.flow, row)


def test_strongest_entries_are_the_largest(run):
    i, j, mass = strongest(run.plan, 10)
    dense = run.plan.dense()
    np.testing.assert_allclose(mass, np.sort(dense, axis=None)[::-1][:10])
    np.testing.assert_allclose(dense[i, j], mass)


def test_received_mass_adds_up_and_is_balanced(run):
    mass = received(run.plan, run.problem.target.labels)
    assert mass.received.sum() == pytest.approx(1)
    np.testing.assert_allclose(mass.received, mass.expected, atol=2e-3)


def test_unbalanced_transport_need_not_give_each_class_its_share():
    cost = np.array([[0.0, 1.0], [0.0, 1.0]])
    mass = received(bv.couplings.linear(cost, epsilon=0.1, tau=(1.0, 0.2)), np.array(["a", "b"]))
    assert mass.received[0] > 0.8


@pytest.mark.parametrize("labelled", [True, False])
def test_blocks_keep_the_mass(run, labelled):
    labels = [run.problem.source.labels, run.problem.target.labels] if labelled else [None, None]
    parts = blocks(run.plan, *labels, most=30)
    assert parts.mass.shape == (30, 30)
    np.testing.assert_allclose(parts.mass.sum(1), 1)
    assert (parts.source is None) != labelled


def test_few_atoms_keep_one_block_each():
    problem = bv.load("digits")
    plan = bv.couplings.true(problem.truth, shape=problem.shape)
    cost = bv.costs.bridge(problem.source.x, problem.target.x, problem.sample_pairs(0.05))
    merged = bv.couplings.linear(cost)
    assert blocks(merged, problem.source.labels, problem.target.labels, most=40).mass.shape == (40, 10)
    assert blocks(plan, None, None, most=40).mass.shape == (40, 40)


def test_on_classes_spreads_a_matrix():
    out = on_classes(np.array([[1, 2], [3, 4]]), np.array([0, 2]), np.array([0, 1, 2]))
    np.testing.assert_array_equal(out, [[1, 0, 2], [0, 0, 0], [3, 0, 4]])
