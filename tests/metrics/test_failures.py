"""The stage at which each of many points goes wrong, against the stories of single points and rows made by hand."""

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz import InputError
from bridgeviz.metrics import Failures, explain_point, failures, reliability
from bridgeviz.metrics._failures import WRONG
from bridgeviz.metrics._story import stage_of

CLASSES = np.array(["a", "b", "c"])


@pytest.fixture(scope="module", params=["global", "true", "local"])
def run(request, small_networks, few_draws):
    config = bv.RunConfig(
        dataset="blobs", options={"n": 120, "overlap": 0.6}, fraction=0.05, steps=40, batch_size=64,
        strategy=request.param,
    )  # fmt: skip
    return bv.run(config)


@pytest.mark.parametrize("test", [True, False])
def test_each_point_has_the_stage_of_its_story(run, test):
    points = (run.problem.test if test else run.problem).source
    apart = 21 if run.config.strategy == "local" else 7  # a local plan is drawn from twice for each row
    for row in range(0, len(points), apart):
        about = {"cost": run.cost, "test": test, "seed": 3}
        story = explain_point(run.problem, run.pairs, run.plan, run.flow, row, **about)
        found = failures(run.problem, run.pairs, run.plan, run.flow, [row], **about)
        assert found.stages.tolist() == [story.stage]
        assert found.tested == test
        assert found.overlap[0] == pytest.approx(story.overlap)
        assert found.own[0] == (story.arrived == points.labels[row]).mean()
        assert found.sure[0] == np.unique(story.arrived, return_counts=True)[1].max() / 8
        np.testing.assert_allclose(found.ends[0], story.ends[0], atol=1e-5)


def test_many_points_are_each_judged_by_themselves(run):
    rows = np.array([5, 17, 2])
    found = failures(run.problem, run.pairs, run.plan, run.flow, rows, cost=run.cost)
    np.testing.assert_array_equal(found.labels, run.problem.test.source.labels[rows])
    assert found.ends.shape == (3, run.problem.target.x.shape[1])
    swapped = failures(run.problem, run.pairs, run.plan, run.flow, rows[[2, 0, 1]], cost=run.cost)
    np.testing.assert_array_equal(swapped.overlap, found.overlap[[2, 0, 1]])
    every = failures(run.problem, run.pairs, run.plan, run.flow, cost=run.cost, noises=2)
    assert len(every.rows) == len(run.problem.test.source)
    assert set(every.stages) <= {"right", "undecided", *WRONG}
    assert sum(every.counts.values()) == np.isin(every.stages, WRONG).sum()


@pytest.mark.parametrize(
    ("overlap", "pair", "cheapest", "sent", "arrived", "stage"),
    [
        (0.9, "b", "b", "b", "aaaa", "right"),
        (0.9, "b", "b", "b", "aabb", "undecided"),
        (0.9, "b", "b", "b", "bbbb", "overlap"),
        (0.1, "b", "b", "b", "bbbb", "pair"),
        (0.1, "a", "b", "b", "bbbb", "cost"),
        (0.1, "a", "a", "b", "bbbb", "coupling"),
        (0.1, "a", None, "b", "bbbb", "coupling"),
        (0.9, "b", "b", "a", "bbbb", "flow"),
    ],
)
def test_the_first_stage_that_is_wrong(overlap, pair, cheapest, sent, arrived, stage):
    shares = [None if one is None else (one == CLASSES).astype(float) for one in (cheapest, sent)]
    assert stage_of("a", overlap, pair, *shares, CLASSES, np.array(list(arrived))) == stage


def found(sure, right) -> Failures:
    k = len(sure)
    labels = np.full(k, "a")
    return Failures(
        rows=np.arange(k), tested=True, labels=labels, stages=np.where(right, "right", "flow"), ends=np.zeros((k, 2)),
        own=np.zeros(k), taken=np.where(right, "a", "b"), sure=np.asarray(sure), overlap=np.zeros(k), noises=4,
    )  # fmt: skip


def test_calibration_compares_certainty_with_accuracy():
    about = reliability(found([0.5, 0.5, 1.0, 1.0, 1.0, 1.0], [True, False, True, True, True, False]), bins=4)
    np.testing.assert_allclose(about.sure, [0.5, 1.0])
    np.testing.assert_allclose(about.right, [0.5, 0.75])
    assert about.counts.tolist() == [2, 4]
    assert about.error == pytest.approx(0.25 * 4 / 6)


def test_counts_are_those_of_wrong_points_the_most_frequent_first():
    some = found([1.0] * 5, [True, False, False, False, True])
    some.stages[1] = "pair"
    assert some.counts == {"flow": 2, "pair": 1}
    assert list(some.counts) == ["flow", "pair"]


def test_what_can_not_be_judged_is_refused(run):
    bare = bv.Problem(bv.Space(run.problem.source.x), run.problem.target)
    with pytest.raises(InputError, match="labels on both sides"):
        failures(bare, run.pairs, run.plan, run.flow)
    with pytest.raises(InputError, match="'rows' of failures"):
        failures(run.problem, run.pairs, run.plan, run.flow, [10_000])
    with pytest.raises(InputError, match="'pairs' of failures"):
        failures(run.problem, np.zeros((0, 2), int), run.plan, run.flow)
