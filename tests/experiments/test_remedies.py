"""What to change at each stage: one setting, or nothing if no setting mends it."""

import pytest

from bridgeviz.experiments import RunConfig, remedy
from bridgeviz.metrics._failures import WRONG

CONFIGS = [
    {},
    {"strategy": "true"},
    {"strategy": "local"},
    {"cost": "bridge"},
    {"count": 10},
    {"fraction": 1.0},
    {"tau": (1.0, 0.5)},
    {"solver": "fgw", "cost": "bridge"},
]


@pytest.mark.parametrize("settings", CONFIGS, ids=str)
@pytest.mark.parametrize("uncovered", [True, False])
@pytest.mark.parametrize("stage", WRONG)
def test_one_setting_changes(stage, settings, uncovered):
    config = RunConfig(**settings)
    change = remedy(stage, config, uncovered=uncovered)
    assert change.why.endswith(".")
    assert (change.config is None) == (change.what == "")
    if change.config is not None:
        before, after = config.as_dict(), change.config.as_dict()
        changed = [name for name in after if after[name] != before.get(name)]
        assert len(changed) == 1 or changed[0] in ("strategy", "cost")  # which have settings of their own


@pytest.mark.parametrize(
    ("stage", "settings", "name", "value"),
    [
        ("flow", {"steps": 300}, "steps", 600),
        ("pair", {"fraction": 0.02}, "fraction", 0.04),
        ("pair", {"fraction": 0.7}, "fraction", 1.0),
        ("pair", {"count": 10}, "count", 20),
        ("cost", {"cost": "bridge"}, "cost", "diffusion_bridge"),
        ("coupling", {"strategy": "true"}, "strategy", "global"),
        ("coupling", {"tau": (1.0, 1.0)}, "tau", [1.0, 0.9]),
    ],
)
def test_the_change_addresses_the_stage(stage, settings, name, value):
    after = remedy(stage, RunConfig(**settings)).config.as_dict()[name]
    assert (list(after) if isinstance(after, tuple) else after) == value


def test_a_class_without_a_pair_gets_one_first():
    assert remedy("pair", RunConfig(), uncovered=True).config.pairs.cover_classes
    assert not remedy("pair", RunConfig(), uncovered=False).config.pairs.cover_classes


def test_what_no_setting_mends_has_no_button():
    assert remedy("overlap", RunConfig()).config is None
    assert remedy("pair", RunConfig(fraction=1.0)).config is None
