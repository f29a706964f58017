"""Controls <-> link <-> config."""

from __future__ import annotations

import pytest

import bridgeviz as bv
from bridgeviz.experiments import config_of, gallery, texts_of
from bridgeviz.ui.cache import stages
from bridgeviz.ui.state import link, values

DEFAULTS = values.defaults()


def complaint(key, text):
    return next(setting.complaint(text) for setting in values.settings() if setting.key == key)


@pytest.mark.parametrize("name", gallery.PRESETS)
def test_a_preset_survives_the_controls(name):
    config = gallery.PRESETS[name].config
    assert config_of(texts_of(config)) == config


def test_the_defaults_are_those_of_the_run_on_which_the_app_opens():
    first = gallery.PRESETS["digits"].config
    assert next(iter(gallery.PRESETS.values())).config == first
    assert config_of(DEFAULTS) == first.replace(velocity=bv.flows.default_velocity())


@pytest.mark.parametrize("key", DEFAULTS)
def test_every_default_passes_its_own_check(key):
    assert complaint(key, DEFAULTS[key]) is None


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("epsilon", "-1"), ("epsilon", "nan"), ("epsilon", "inf"), ("percent", "-1"), ("percent", "101"),
        ("seed", "1.5"), ("seed", "-1"), ("steps", "1e9"), ("tau_x", "0"), ("reverse", "maybe"), ("cost", "knn?"),
        ("overlap", "2"), ("k", "0"), ("k", "many"), ("alpha", "1.1"), ("solver", "magic"),
        ("rows", "3"), ("metric", "taxi"),
    ],
)  # fmt: skip
def test_a_bad_value_is_named(key, text):
    message = complaint(key, text)
    assert message is not None
    assert f"{key}={text}" in message


@pytest.mark.parametrize(
    "changes",
    [
        {"cost": "knn", "cost_options": {"form": "path", "k": 5}},
        {"cost": "diffusion_bridge", "cost_options": {"a": 0.9}},
        {"cost": "geodesic_bridge", "cost_options": {"power": 1.0, "k": 3}, "metric": "pearson"},
        {"cost": "kcca", "cost_options": {"shrinkage": 0.01}}, {"solver": "fgw", "alpha": 0.25, "rows": 500},
        {"strategy": "local", "ot_batch_size": 512}, {"cost": "diffusion_bridge", "cost_options": {"form": "profile"}},
    ],
)  # fmt: skip
def test_every_option_survives_the_controls(changes):
    config = bv.RunConfig(steps=1000, **changes)
    assert config_of(texts_of(config)) == config
    assert all(complaint(key, text) is None for key, text in link.differences(config).items())


def test_options_of_another_cost_are_left_out():
    texts = texts_of(bv.RunConfig(cost="knn", cost_options={"form": "path", "k": 5}))
    assert config_of(texts | {"cost": "bridge"}).cost_options == {}
    assert config_of(texts | {"cost": "geodesic_bridge"}).cost_options == {"k": 5}


def test_the_link_names_what_differs():
    usual = config_of(DEFAULTS)
    assert link.differences(usual) == {}
    assert link.differences(usual.replace(seed=3, reverse=True)) == {"seed": "3", "reverse": "true"}


def test_epsilon_never_reloads_the_problem():
    one, two = (bv.RunConfig(dataset="blobs", epsilon=e) for e in (0.01, 0.02))
    assert stages.problem(one) is stages.problem(two)
    assert stages.cost(one) is stages.cost(two)
    assert stages.plan(one) is not stages.plan(two)
    assert stages.plan(one) is stages.plan(bv.RunConfig(dataset="blobs", epsilon=0.01, steps=7))


@pytest.mark.parametrize(
    "changes",
    [
        {"cost_options": {"k": 5}}, {"metric": "sqeuclidean"}, {"cost": "knn"}, {"rows": 100}, {"reverse": True},
        {"seed": 1}, {"fraction": 0.1}, {"cover_classes": True}, {"epsilon": 0.3}, {"tau": (1.0, 0.9)},
        {"solver": "fgw"}, {"strategy": "local"}, {"strategy": "true"},
    ],
)  # fmt: skip
def test_another_plan_has_another_key(changes):
    base = {"dataset": "blobs", "cost": "geodesic_bridge", "fraction": 0.2}
    assert bv.RunConfig(**base).key("coupling") != bv.RunConfig(**base | changes).key("coupling")


@pytest.mark.parametrize(
    ("base", "change"),
    [
        ({"solver": "fgw"}, {"alpha": 0.25}), ({"strategy": "local"}, {"ot_batch_size": 300}),
        ({"strategy": "local"}, {"batch_size": 64}),
    ],
)  # fmt: skip
def test_another_plan_of_the_same_solver_has_another_key(base, change):
    key = bv.RunConfig(dataset="blobs", **base).key("coupling")
    assert key != bv.RunConfig(dataset="blobs", **base | change).key("coupling")
