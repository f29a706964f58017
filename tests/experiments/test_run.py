"""Algorithm 1 from end to end."""

from __future__ import annotations

import json

import numpy as np
import pytest

import bridgeviz as bv

pytestmark = pytest.mark.usefixtures("tiny_velocity")
TINY = {"velocity": "tiny"}
SMALL = {"dataset": "blobs", "options": {"n": 80, "classes": 3}, "fraction": 0.2, "steps": 60, "batch_size": 32} | TINY
KEYS = {"matching_accuracy", "matched_rows", "rows_with_mass", "test_accuracy", "source_overlap", "target_overlap"}
PARTNERS = {"test_foscttm", "test_recall_1", "test_recall_10", "test_pair_cosine"}


@pytest.fixture(scope="module")
def run(tiny_velocity) -> bv.Run:
    return bv.run(bv.RunConfig(**SMALL))


@pytest.mark.parametrize("strategy", ["true", "global", "local"])
def test_every_strategy_runs(strategy, few_draws):
    found = bv.run(bv.RunConfig(**SMALL, strategy=strategy, epsilon=0.05))
    of_plan = set() if strategy == "local" else {"plan_foscttm", "plan_recall_1", "plan_recall_10"}
    assert set(found.metrics) == KEYS | PARTNERS | of_plan
    assert all(isinstance(v, float) and -1 <= v <= 1 for v in found.metrics.values())
    assert all(value >= 0 for name, value in found.metrics.items() if name != "test_pair_cosine")
    assert found.metrics["matching_accuracy"] > 0.8
    assert found.losses.shape == (60,)
    assert (found.cost is None) == (strategy == "true")
    assert found.plan.solver == {"true": "true", "global": "linear", "local": "local"}[strategy]
    assert len(found.pairs) == 16
    assert set(found.seconds) == {"load", "pairs", "cost", "coupling", "training", "evaluation"}


def test_the_same_config_gives_the_same_numbers(run):
    again = bv.run(bv.RunConfig(**SMALL))
    assert again.metrics == run.metrics
    np.testing.assert_array_equal(again.losses, run.losses)
    np.testing.assert_array_equal(again.pairs, run.pairs)
    other = bv.run(bv.RunConfig(**SMALL, seed=1))
    assert (other.losses != run.losses).any()
    assert (np.asarray(other.pairs) != np.asarray(run.pairs)).any()


def test_the_numbers_are_those_of_the_metrics(run):
    problem = run.problem
    assert run.metrics["matching_accuracy"] == bv.metrics.matching_accuracy(
        run.plan, problem.source.labels, problem.target.labels
    )
    assert run.metrics["source_overlap"] == bv.metrics.feature_overlap(problem.source.x, problem.source.labels)
    carried = run.flow.transport(problem.test.source.x, seed=0).states[-1]
    assert run.metrics["test_accuracy"] == bv.metrics.downstream_accuracy(
        problem.target, carried, problem.test.source.labels
    )


def test_the_only_pair_that_is_not_used_is_ranked_among_all_rows():
    rng = np.random.default_rng(0)
    x, y, truth = rng.normal(size=(12, 3)), rng.normal(size=(12, 3)), np.stack([np.arange(12)] * 2, axis=1)
    problem = bv.Problem(bv.Space(x), bv.Space(y), truth=truth)
    found = bv.run(bv.RunConfig(**TINY, steps=2), problem=problem, pairs=truth[1:])
    assert found.metrics["plan_foscttm"] == bv.metrics.foscttm(found.plan, truth[:1])
    arrivals = bv.metrics.arrivals(found.flow.mean(x, seed=0), y)
    assert found.metrics["flow_foscttm"] == bv.metrics.foscttm(arrivals, truth[:1])


def test_partners_are_ranked_over_pairs_that_were_not_used(run):
    problem, test = run.problem, run.problem.test
    unused = np.array([pair for pair in problem.truth.tolist() if pair not in np.asarray(run.pairs).tolist()])
    np.testing.assert_array_equal(problem.unused(run.pairs), unused)
    assert run.metrics["plan_foscttm"] == bv.metrics.foscttm(run.plan, unused, known=run.pairs)
    ends = run.flow.mean(test.source.x, seed=run.config.seed)
    arrivals = bv.metrics.arrivals(ends, test.target.x)
    assert run.metrics["test_foscttm"] == bv.metrics.foscttm(arrivals, test.truth)
    assert run.metrics["test_recall_10"] == bv.metrics.recall(arrivals, test.truth, k=10)
    assert run.metrics["test_pair_cosine"] == bv.metrics.pair_cosine(ends, test.target.x, test.truth)


def test_learning_beats_chance():
    found = bv.run(bv.RunConfig(**{**SMALL, "steps": 400, "learning_rate": 3e-3}))
    assert found.metrics["test_accuracy"] > 0.7  # chance is 1/3


def test_reverse_swaps_the_spaces(run):
    back = bv.run(bv.RunConfig(**SMALL, reverse=True))
    assert back.problem.source.x.shape == run.problem.target.x.shape
    np.testing.assert_array_equal(back.problem.source.x, run.problem.target.x)
    assert back.flow.transport(back.problem.source.x[:3]).states.shape == (2, 3, run.problem.source.x.shape[1])
    assert back.metrics["source_overlap"] == run.metrics["target_overlap"]


def test_your_own_problem_and_pairs():
    rng = np.random.default_rng(0)
    problem = bv.Problem(bv.Space(rng.normal(size=(30, 3))), bv.Space(rng.normal(size=(40, 2))))
    pairs = [[0, 1], [29, 39], [4, 4]]
    config = bv.RunConfig(dataset="yours", steps=5, batch_size=32, **TINY)
    found = bv.run(config, problem=problem, pairs=pairs)
    assert found.metrics == {}
    assert found.plan.shape == (30, 40)
    np.testing.assert_array_equal(found.pairs, pairs)
    back = bv.run(
        bv.RunConfig(dataset="yours", steps=5, batch_size=32, **TINY, reverse=True), problem=problem, pairs=pairs
    )
    np.testing.assert_array_equal(back.pairs, np.asarray(pairs)[:, ::-1])


def test_an_exception_from_on_progress_cancels():
    seen = []

    class Enough(Exception):
        pass

    def stop(progress):
        seen.append(progress.step)
        if len(seen) == 2:
            raise Enough

    with pytest.raises(Enough):
        bv.run(bv.RunConfig(**{**SMALL, "steps": 1000}), on_progress=stop)
    assert seen == [50, 100]


def test_digits_towards_pictures_and_labels(digits):
    config = bv.RunConfig(dataset="digits", fraction=0.05, cost="diffusion_bridge", steps=60, batch_size=32, **TINY)
    found = bv.run(config)
    assert set(found.metrics) == KEYS
    assert found.metrics["matching_accuracy"] > 0.85
    back = bv.run(bv.RunConfig(**{**config.as_dict(), "reverse": True}))
    assert set(back.metrics) == KEYS | {"test_mse"}
    assert 0 < back.metrics["test_mse"] < 0.3


def test_pictures_that_are_right_score_better_than_wrong_ones(digits):
    test = digits.reversed().test
    images = test.target.pictures(np.arange(len(test.target))) / 255.0
    labels = test.target.labels
    made = test.target.decode_images(test.target.x)
    right = bv.metrics.classwise_mse(images, labels, made, labels)
    wrong = bv.metrics.classwise_mse(images, labels, made, (labels + 1) % 10)
    assert right < 0.01 < wrong


def test_a_config_survives_json():
    config = bv.RunConfig(**SMALL, tau=(0.9, 1.0), epsilon=0.1, reverse=True)
    again = bv.RunConfig.from_dict(json.loads(json.dumps(config.as_dict())))
    assert again == config
    counted = bv.RunConfig(count=7)
    assert counted.fraction is None
    assert bv.RunConfig.from_dict(counted.as_dict()) == counted
    assert bv.RunConfig(learning_rate=1e-2, seed=3).flow == bv.FlowConfig(learning_rate=1e-2, seed=3)


def test_defaults_are_those_of_the_flow():
    assert bv.RunConfig().flow == bv.FlowConfig()
