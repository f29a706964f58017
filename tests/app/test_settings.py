"""Controls <-> link <-> config."""

from __future__ import annotations

import pytest

import bridgeviz as bv
from bridgeviz.ui import doors, settings
from bridgeviz.viz import gallery


@pytest.mark.parametrize("name", gallery.PRESETS)
def test_a_preset_survives_the_controls(name):
    config = gallery.PRESETS[name].config
    assert settings.to_config(settings.from_config(config)) == config


def test_the_defaults_are_the_library_s_with_a_short_training():
    assert settings.to_config(settings.DEFAULTS) == bv.RunConfig(steps=1000)


@pytest.mark.parametrize("key", settings.DEFAULTS)
def test_every_default_passes_its_own_check(key):
    value = settings.DEFAULTS[key]
    assert settings.complaint(key, str(value).lower() if isinstance(value, bool) else str(value)) is None


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("epsilon", "-1"), ("epsilon", "nan"), ("epsilon", "inf"), ("percent", "0"), ("percent", "101"),
        ("seed", "1.5"), ("seed", "-1"), ("steps", "1e9"), ("tau_x", "0"), ("reverse", "maybe"), ("cost", "knn?"),
        ("overlap", "2"), ("k", "0"), ("k", "many"), ("alpha", "1.1"), ("solver", "magic"),
        ("rows", "3"), ("metric", "taxi"),
    ],
)  # fmt: skip
def test_a_bad_value_is_told(key, text):
    said = settings.complaint(key, text)
    assert said is not None
    assert f"{key}={text}" in said


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
    assert settings.to_config(settings.from_config(config)) == config
    assert all(settings.complaint(key, text) is None for key, text in settings.link(config).items())


def test_options_of_another_cost_stay_behind():
    values = settings.from_config(bv.RunConfig(cost="knn", cost_options={"form": "path", "k": 5}))
    assert settings.to_config(values | {"cost": "bridge"}).cost_options == {}
    assert settings.to_config(values | {"cost": "geodesic_bridge"}).cost_options == {"k": 5}


def test_the_link_names_what_differs():
    assert settings.link(bv.RunConfig(steps=1000)) == {}
    assert settings.link(bv.RunConfig(steps=1000, seed=3, reverse=True)) == {"seed": "3", "reverse": "true"}


def test_epsilon_never_reloads_the_problem():
    one, two = (bv.RunConfig(dataset="blobs", epsilon=e) for e in (0.01, 0.02))
    assert doors.problem(one) is doors.problem(two)
    assert doors.cost(one) is doors.cost(two)
    assert doors.plan(one) is not doors.plan(two)
    assert doors.plan(one) is doors.plan(bv.RunConfig(dataset="blobs", epsilon=0.01, steps=7))


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
    assert doors.key(bv.RunConfig(**base)) != doors.key(bv.RunConfig(**base | changes))


@pytest.mark.parametrize(
    ("base", "change"),
    [
        ({"solver": "fgw"}, {"alpha": 0.25}), ({"strategy": "local"}, {"ot_batch_size": 300}),
        ({"strategy": "local"}, {"batch_size": 64}),
    ],
)  # fmt: skip
def test_so_has_another_plan_of_the_same_solver(base, change):
    one = doors.key(bv.RunConfig(dataset="blobs", **base))
    assert one != doors.key(bv.RunConfig(dataset="blobs", **base | change))
