"""The pipeline: stages in order, resumed from what is known, and timed without their caller."""

from __future__ import annotations

import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.costs import Bridge
from bridgeviz.couplings import Linear
from bridgeviz.experiments import Pipeline, _pipeline
from bridgeviz.experiments._recommend import Recommendation
from bridgeviz.flows import Progress

CONFIG = bv.RunConfig(dataset="blobs", options={"n": 40}, fraction=0.3, epsilon=0.1, steps=10)


@pytest.fixture
def calls(monkeypatch):
    """How often the cost is built and the transport solved."""
    calls = []
    build, steps = Bridge.build, Linear.steps
    monkeypatch.setattr(Bridge, "build", lambda *given: calls.append("cost") or build(*given))
    monkeypatch.setattr(Linear, "steps", lambda *given: calls.append("coupling") or steps(*given))
    return calls


def test_stages_come_in_order_and_end_with_their_result():
    updates = list(Pipeline(CONFIG).updates(until="coupling"))
    stages = ["load", "pairs", "cost", "coupling"]
    assert list(dict.fromkeys(update.stage for update in updates)) == stages
    assert [update.stage for update in updates if update.finished is not None] == stages
    pipeline = Pipeline(CONFIG)
    cost = pipeline.result("cost")
    assert cost is pipeline.cost
    assert pipeline.plan is None
    assert pipeline.result("coupling") is pipeline.plan


def test_what_is_known_is_not_computed_again(calls):
    known = {}
    first = Pipeline(CONFIG, known=known)
    plan = first.result("coupling")
    assert calls == ["cost", "coupling"]
    second = Pipeline(CONFIG.replace(steps=20), known=known)
    assert second.result("coupling") is plan
    assert second.seconds == first.seconds
    assert calls == ["cost", "coupling"]
    assert Pipeline(CONFIG.replace(epsilon=0.2), known=known).result("coupling") is not plan
    assert calls == ["cost", "coupling", "coupling"]
    assert [key[0] for key in known] == ["load", "pairs", "cost", "coupling", "coupling"]


def test_a_stage_can_be_forgotten(calls):
    pipeline = Pipeline(CONFIG, known={})
    pipeline.result("coupling")
    pipeline.forget("cost")
    pipeline.forget("cost")
    assert [key[0] for key in pipeline.known] == ["load", "pairs", "coupling"]
    Pipeline(CONFIG, known=pipeline.known).result("cost")
    assert calls == ["cost", "coupling", "cost"]


def test_your_own_problem_is_neither_taken_from_what_is_known_nor_added_to_it(blobs):
    known = {}
    shipped = Pipeline(CONFIG, known=known).result("load")
    stored = dict(known)
    assert Pipeline(CONFIG, known=known, own_problem=blobs).result("load") is blobs
    pairs = Pipeline(CONFIG, known=known, own_pairs=[[0, 1], [2, 3]]).result("pairs")
    np.testing.assert_array_equal(pairs, [[0, 1], [2, 3]])
    assert known == stored
    assert shipped.shape == (40, 40)


def test_your_own_pairs_are_turned_round_with_the_problem(blobs):
    config = bv.RunConfig(dataset="yours", reverse=True)
    pipeline = Pipeline(config, own_problem=blobs, own_pairs=[[0, 1], [2, 3]])
    np.testing.assert_array_equal(pipeline.result("pairs"), [[1, 0], [3, 2]])
    np.testing.assert_array_equal(pipeline.problem.source.x, blobs.target.x)


def test_the_seconds_of_a_stage_leave_out_its_caller(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(_pipeline, "time", SimpleNamespace(perf_counter=lambda: clock.now, sleep=time.sleep))

    def train(problem, plan, config):
        for step in (1, 2):
            clock.now += 1.0
            yield Progress(step, np.zeros(1), "the flow")

    pipeline = Pipeline(CONFIG.replace(strategy="true"), train=train)
    for _ in pipeline.updates(until="training"):
        clock.now += 100.0
    assert pipeline.seconds == {"load": 0.0, "pairs": 0.0, "cost": 0.0, "coupling": 0.0, "training": 2.0}
    assert pipeline.flow == "the flow"
    pipeline = Pipeline(CONFIG.replace(solver="fgw", alpha=0.5))
    for _ in pipeline.updates(until="coupling"):
        clock.now += 100.0
    assert set(pipeline.seconds.values()) == {0.0}


def chosen(*_, metric, seed):
    """A choice of a cost, in two steps."""
    yield 1, 2
    yield 2, 2
    return Recommendation(
        cost="geodesic_bridge", cost_options={"k": 3}, epsilon=0.5, tau=(1.0, 0.9), refine=0, measure="matching",
        score=1.0, interval=(1.0, 1.0), decided=True, reason="It was chosen.", table=None,
    )  # fmt: skip


def test_the_chosen_cost_and_its_settings_replace_auto():
    config = CONFIG.replace(cost="auto", metric="pearson", epsilon=None)
    pipeline = Pipeline(config, choose=chosen)
    progress = [update.progress for update in pipeline.updates(until="coupling") if update.stage == "recommend"]
    assert progress == [None, (1, 2), (2, 2), None]
    assert pipeline.config == config.replace(cost="geodesic_bridge", cost_options={"k": 3}, epsilon=0.5, tau=(1.0, 0.9))
    assert pipeline.cost.name == "geodesic_bridge"
    assert (pipeline.plan.epsilon, pipeline.plan.tau) == (0.5, (1.0, 0.9))
    assert pipeline.recommendation.reason == "It was chosen."


def test_a_strategy_without_a_cost_chooses_none():
    pipeline = Pipeline(CONFIG.replace(cost="auto", strategy="true"), choose=chosen)
    assert list(pipeline.stages(until="coupling")) == ["load", "pairs", "cost", "coupling"]
    assert pipeline.result("cost") is None
    with pytest.raises(bv.InputError, match=r"Let bv.recommend choose one first"):
        Pipeline(CONFIG.replace(cost="auto")).result("cost")


def test_the_draw_of_pairs_and_rows_follows_the_seed():
    config = bv.RunConfig(dataset="blobs", rows=50, fraction=0.2, seed=3)
    problem = bv.load("blobs").sample(50, seed=3)
    pipeline = Pipeline(config)
    np.testing.assert_array_equal(pipeline.result("pairs"), problem.sample_pairs(0.2, seed=3))
    np.testing.assert_array_equal(pipeline.problem.source.x, problem.source.x)
    assert replace(config.pairs, seed=4) != config.pairs
