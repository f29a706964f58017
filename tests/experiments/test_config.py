"""`RunConfig`: flat names and stages of settings are one, and each stage's key holds what its result depends on."""

from __future__ import annotations

import json

import pytest

import bridgeviz as bv
from bridgeviz.costs import KNN, Bridge, DiffusionBridge, GeodesicBridge
from bridgeviz.couplings import FGW, Global, Linear, Local
from bridgeviz.datasets import Blobs
from bridgeviz.experiments._config import STAGES, DataConfig, PairsConfig


def test_flat_names_override_the_stages_that_are_given():
    config = bv.RunConfig(flow=bv.FlowConfig(steps=7, ema=0.9), steps=9)
    assert (config.flow.steps, config.flow.ema) == (9, 0.9)
    config = bv.RunConfig(coupling=Global(solver=FGW(alpha=0.3, epsilon=0.1)), alpha=0.7)
    assert config.coupling == Global(solver=FGW(alpha=0.7, epsilon=0.1))
    config = bv.RunConfig(cost=KNN(k=4, form="path"), cost_options={"k": 6})
    assert config.cost == KNN(k=6)


def test_every_stage_shares_the_seed():
    config = bv.RunConfig(seed=3, rows=100)
    assert config.data.seed == config.pairs.seed == config.flow.seed == config.seed == 3
    config = bv.RunConfig(flow=bv.FlowConfig(seed=4), rows=100)
    assert config.data.seed == config.pairs.seed == config.seed == 4
    assert bv.RunConfig(flow=bv.FlowConfig(seed=4), pairs=PairsConfig(seed=5), seed=6).seed == 6
    with pytest.raises(bv.InputError, match=r"'seed' of RunConfig\(\) must be the same in every stage that has it"):
        bv.RunConfig(flow=bv.FlowConfig(seed=4), pairs=PairsConfig(seed=5))


def test_the_batch_of_the_flow_is_that_of_the_local_coupling():
    assert bv.RunConfig(strategy="local", batch_size=64).coupling == Local(batch_size=64)
    assert bv.RunConfig(coupling=Local(batch_size=64)).flow.batch_size == 64


def test_pairs_are_a_fraction_or_a_count():
    assert (bv.RunConfig().fraction, bv.RunConfig().count) == (0.02, None)
    config = bv.RunConfig(fraction=0.5).replace(count=7)
    assert (config.fraction, config.count) == (None, 7)
    assert config.replace(fraction=0.1) == bv.RunConfig(fraction=0.1)
    for wrong in (lambda: PairsConfig(fraction=0.5, count=7), lambda: bv.RunConfig(fraction=0.5, count=7)):
        with pytest.raises(bv.InputError, match=r"one of 'fraction' and 'count'. Got fraction=0.5 and count=7"):
            wrong()


def test_pairs_are_needed_unless_the_solver_does_without():
    with pytest.raises(bv.InputError, match=r"'fraction' of RunConfig\(\)"):
        bv.RunConfig(fraction=0.0)
    with pytest.raises(bv.InputError, match=r"'count' of RunConfig\(\) must be an integer >= 1"):
        bv.RunConfig(count=0, solver="fgw", alpha=0.5)
    assert bv.RunConfig(count=0, solver="fgw", alpha=1.0).count == 0


def test_another_member_takes_over_the_options_that_it_has():
    config = bv.RunConfig(cost="knn", cost_options={"k": 5, "form": "path"}, metric="pearson")
    assert config.replace(cost="geodesic_bridge").cost == GeodesicBridge(k=5, metric="pearson")
    assert config.replace(cost="bridge").cost == Bridge(metric="pearson")
    assert config.replace(cost="diffusion_bridge").cost == DiffusionBridge(k=5, metric="pearson")  # another `form`
    assert config.replace(cost="auto").cost.metric == "pearson"
    assert config.replace(cost_options={}).cost == KNN(metric="pearson")
    config = bv.RunConfig(solver="fgw", alpha=0.3, epsilon=0.1, tau=(0.9, 1.0))
    assert config.replace(solver="linear").coupling == Global(solver=Linear(epsilon=0.1, tau=(0.9, 1.0)))
    assert config.replace(strategy="local").coupling.solver == FGW(alpha=0.3, epsilon=0.1, tau=(0.9, 1.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strategy": "true", "epsilon": 0.0}, r"'epsilon' of RunConfig\(\) must be a float > 0"),
        ({"solver": "linear", "alpha": 2.0}, r"'alpha' of RunConfig\(\)"),
        ({"strategy": "global", "ot_batch_size": 1}, r"'ot_batch_size' of RunConfig\(\)"),
        ({"colour": "red"}, r"RunConfig\(\) has no option 'colour'"),
        ({"cost_options": {"k": 5}}, r"bridge\(\) has no option 'k'"),
        ({"options": {"overlap": 0.5}}, r"load\(\) has no option 'overlap'"),
        ({"cost": Linear()}, r"'cost' of RunConfig\(\) must be one of"),
    ],
)
def test_what_is_wrong_is_refused_although_no_member_reads_it(settings, message):
    with pytest.raises(bv.InputError, match=message):
        bv.RunConfig(**settings)


def test_what_no_member_reads_is_left_out():
    config = bv.RunConfig(strategy="true", epsilon=0.1, alpha=0.2, ot_batch_size=64)
    assert config == bv.RunConfig(strategy="true")
    assert (config.epsilon, config.alpha, config.ot_batch_size) == (None, None, None)
    batches = {"solver": "fgw", "squared": True, "merge": False, "max_iterations": 7, "alpha": 0.3}
    local = Local(solver=FGW(alpha=0.3), max_iterations=7)
    assert bv.RunConfig(strategy="local", **batches).coupling == local
    whole = bv.RunConfig(strategy="global", **batches)
    assert whole.coupling == Global(solver=FGW(alpha=0.3, squared=True, merge=False, max_iterations=7))
    assert whole.replace(strategy="local").coupling == Local(solver=FGW(alpha=0.3))
    with pytest.raises(AttributeError, match="RunConfig has no setting 'colour'"):
        _ = config.colour


@pytest.mark.parametrize(
    "settings",
    [
        {"dataset": Blobs(n=100, overlap=0.5), "cost": "auto", "rows": 50, "seed": 2, "count": 9},
        {"cost": KNN(k=5, form="path", metric="pearson"), "reverse": True, "cover_classes": True},
        {"coupling": Local(solver=FGW(alpha=0.1, tau=(0.9, 1.0)), batch_size=32, ot_batch_size=64)},
        {"strategy": "true", "velocity": bv.flows.AdaLN(d=8, blocks=1), "ema": 0.9, "reweight": False},
        {"coupling": Global(solver=FGW(alpha=0.25, max_inner=50, squared=True))},
    ],
)
def test_plain_values_give_the_same_config(settings):
    config = bv.RunConfig(**settings)
    assert bv.RunConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config


KEYS = {
    "dataset": ("blobs", 0), "rows": (100, 0), "reverse": (True, 0), "fraction": (0.5, 1), "cover_classes": (True, 1),
    "cost": ("knn", 2), "metric": ("pearson", 2), "cost_options": ({"k": 3}, 2), "epsilon": (0.3, 4),
    "tau": ((0.9, 1.0), 4), "solver": ("fgw", 4), "strategy": ("local", 4), "steps": (7, 5), "ema": (0.9, 5),
}  # fmt: skip
"""For each setting, another value, and the first of `STAGES` whose result depends on it."""


@pytest.mark.parametrize("name", KEYS)
def test_a_stage_has_the_settings_that_it_depends_on_as_its_key(name):
    value, first = KEYS[name]
    config = bv.RunConfig(cost="geodesic_bridge")
    other = config.replace(**{name: value})
    differs = [config.key(stage) != other.key(stage) for stage in STAGES]
    assert differs == [k >= first for k in range(len(STAGES))]
    assert len({config.key("training"), other.key("training"), config.replace().key("training")}) == 2


def test_a_strategy_without_a_cost_does_not_depend_on_it():
    config = bv.RunConfig(strategy="true")
    assert config.key("training") == config.replace(cost="knn", metric="pearson").key("training")


def test_the_seed_does_not_load_the_data_again_unless_rows_are_drawn():
    assert bv.RunConfig(seed=1).key("load") == bv.RunConfig(seed=2).key("load")
    assert DataConfig(seed=5) == DataConfig()
    assert bv.RunConfig(seed=1, rows=50).key("load") != bv.RunConfig(seed=2, rows=50).key("load")
    assert bv.RunConfig(seed=1).key("pairs") != bv.RunConfig(seed=2).key("pairs")
