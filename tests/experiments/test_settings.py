"""Settings as texts: what a link may say, which settings are shown, and that both directions agree."""

from __future__ import annotations

import pytest

import bridgeviz as bv
from bridgeviz.costs import COSTS, KNN, Bridge
from bridgeviz.experiments import config_of, settings, texts_of

BY_KEY = {setting.key: setting for setting in settings()}


def shown(**texts: str) -> set[str]:
    """The keys of the settings that apply to these choices."""
    complete = {key: setting.default for key, setting in BY_KEY.items()} | texts
    return {key for key, setting in BY_KEY.items() if setting.applies(complete)}


def test_percentages_and_fractions_are_converted_both_ways():
    percent = BY_KEY["percent"]
    assert percent.default == "2"
    assert percent.read("2") == 0.02
    assert percent.write(0.02) == "2"
    assert config_of({"percent": "5"}).fraction == 0.05


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("percent", "-0.1", "a number from 0 to 100"), ("percent", "101", "a number from 0 to 100"),
        ("epsilon", "1000", "a number from 1e-05 to 100, or auto"), ("seed", "1.5", "a whole number from 0 to 9999"),
        ("seed", "-1", "a whole number from 0 to 9999"), ("rows", "few", "a whole number from 20 to 100000, or all"),
        ("cost", "bridges", f"one of: {', '.join(COSTS)}, auto"),
        ("reverse", "1", "true or false"), ("reweight", "maybe", "one of: auto, true, false"),
    ],
)  # fmt: skip
def test_what_a_text_must_be_is_said(key, text, expected):
    setting = BY_KEY[key]
    assert setting.complaint(setting.default) is None
    assert setting.complaint(text).endswith(f"It must be {expected}.")


@pytest.mark.parametrize("key", BY_KEY)
def test_defaults_limits_and_stops_pass(key):
    setting = BY_KEY[key]
    ends = [f"{end:.12g}" for end in setting.limits if abs(end) != float("inf")]
    for text in (setting.default, *setting.names, *setting.option.stops, *ends):
        assert setting.complaint(text) is None


def test_only_what_is_read_is_shown():
    assert {"epsilon", "tau_x", "metric", "cost", "solver"} <= shown()
    assert not {"alpha", "ot_batch", "k", "knn_form", "overlap", "power"} & shown()
    assert {"k", "knn_form"} <= shown(cost="knn")
    assert "diffusion_form" not in shown(cost="knn")
    assert "ot_batch" in shown(strategy="local")
    assert "alpha" in shown(solver="fgw")
    assert "overlap" in shown(dataset="blobs")
    true = shown(strategy="true", cost="knn", solver="fgw")
    assert not {"cost", "metric", "k", "knn_form", "solver", "alpha", "epsilon", "tau_x"} & true
    assert {"strategy", "percent", "steps"} <= true


def test_a_setting_knows_the_choices_that_decide_about_it():
    assert BY_KEY["k"].choices == {"cost", "strategy"}
    assert BY_KEY["alpha"].choices == {"solver", "strategy"}
    assert BY_KEY["steps"].choices == set()


def test_each_side_has_its_own_tau():
    config = bv.RunConfig(tau=(0.9, 0.8))
    texts = texts_of(config)
    assert (texts["tau_x"], texts["tau_y"]) == ("0.9", "0.8")
    assert config_of(texts) == config
    assert config_of({"tau_x": "0.9"}).tau == (0.9, 1.0)
    assert config_of({"tau_y": "0.9"}).tau == (1.0, 0.9)
    assert (BY_KEY["tau_x"].label, BY_KEY["tau_y"].label) == ("Tau of the source", "Tau of the target")


def test_auto_is_each_cost_s_own_metric():
    metric = BY_KEY["metric"]
    assert (metric.varies, metric.default) == (True, "auto")
    assert config_of({"cost": "knn"}).cost == KNN()
    assert config_of({"cost": "knn", "metric": "cosine"}).cost == KNN(metric="cosine")
    assert texts_of(bv.RunConfig(cost=KNN()))["metric"] == "auto"
    assert texts_of(bv.RunConfig(cost=Bridge(metric="sqeuclidean")))["metric"] == "sqeuclidean"


def test_options_that_the_chosen_member_lacks_are_not_read():
    texts = texts_of(bv.RunConfig(cost=KNN(k=5, form="path")))
    assert (texts["k"], texts["knn_form"]) == ("5", "path")
    assert config_of(texts | {"cost": "bridge"}).cost == Bridge()
    assert config_of({"strategy": "true", "ot_batch": "1"}) == bv.RunConfig(strategy="true")


def test_two_settings_of_the_same_flat_name_keep_their_own_defaults():
    default = {setting.key: setting.default for setting in settings()}
    assert (default["iterations"], default["batch_iterations"]) == ("10000", "100")
    assert bv.RunConfig(strategy="local").max_iterations == 100
    for config in (bv.RunConfig(strategy="local"), bv.RunConfig(strategy="local", max_iterations=7), bv.RunConfig()):
        assert config_of(texts_of(config)) == config
    assert texts_of(bv.RunConfig())["batch_iterations"] == "100"
