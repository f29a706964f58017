"""Runs without any pairs: with a cost that finds its own start, and refused with every other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ortho_group

import bridgeviz as bv
from bridgeviz.experiments import Pipeline


def turned(truth=True):
    """A skewed cloud and its rotation, row by row."""
    x = np.random.default_rng(0).gamma(1.0, size=(80, 5)) * np.arange(1, 6)
    y = x @ ortho_group.rvs(5, random_state=0)
    return bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(80)] * 2, axis=1) if truth else None)


def coupled(config, **own):
    """The pipeline of a run, up to the plan."""
    pipeline = Pipeline(config, **own)
    pipeline.result("coupling")
    return pipeline


def test_a_rotation_is_aligned_without_pairs():
    result = coupled(bv.RunConfig(count=0, cost="procrustes_bridge"), own_problem=turned())
    assert len(result.pairs) == 0
    assert (result.plan.dense().argmax(1) == np.arange(80)).all()
    assert "Found with no pairs" in result.cost.advice


def test_pairs_may_be_an_empty_list_where_none_are_known():
    config = bv.RunConfig(cost="procrustes_bridge")
    result = coupled(config, own_problem=turned(truth=False), own_pairs=[])
    assert len(result.pairs) == 0
    none = coupled(config.replace(count=0), own_problem=turned(truth=False))
    np.testing.assert_array_equal(none.plan.dense(), result.plan.dense())
    with pytest.raises(bv.InputError, match=r"sample_pairs\(\) needs known pairs"):
        coupled(config, own_problem=turned(truth=False))


def test_in_the_other_direction_and_by_batches():
    config = bv.RunConfig(count=0, cost="procrustes_bridge", reverse=True)
    assert (coupled(config, own_problem=turned()).plan.dense().argmax(1) == np.arange(80)).all()
    local = coupled(config.replace(strategy="local", ot_batch_size=40), own_problem=turned()).plan
    source, target = local.sample(seed=0, size=200)
    assert (source == target).mean() > 0.1  # chance is 1 in 80, and half of the partners are in other batches


def test_which_settings_need_pairs():
    assert not bv.RunConfig(count=0, cost="procrustes_bridge").needs_pairs
    assert bv.RunConfig(cost="bridge").needs_pairs
    assert not bv.RunConfig(count=0, solver="fgw", alpha=1.0).needs_pairs
    assert not bv.RunConfig(fraction=0, cost="procrustes_bridge").needs_pairs
    for settings in ({"cost": "bridge"}, {"cost": "procrustes_bridge", "strategy": "true"}, {"cost": "kcca"}):
        with pytest.raises(bv.InputError, match=r"'count' of RunConfig\(\) must be an integer >= 1. Got 0"):
            bv.RunConfig(count=0, **settings)
    with pytest.raises(bv.InputError, match=r"'count' of RunConfig\(\) must be an integer >= 1. Got 0"):
        bv.RunConfig(count=0, cost="procrustes_bridge").replace(cost="knn")


def test_costs_that_need_pairs_refuse_none():
    problem = turned()
    for name, cost in bv.costs.COSTS.items():
        if cost.needs_pairs:
            with pytest.raises(bv.InputError, match="at least 1 pair"):
                cost().build(problem.source.x, problem.target.x, [])
        else:
            assert cost().build(problem.source.x, problem.target.x, []).name == name
    with pytest.raises(bv.InputError, match="'pairs' of run"):
        bv.run(bv.RunConfig(cost="bridge"), problem=problem, pairs=[])
