"""A config in one line, for whoever has to know which settings something belongs to."""

from __future__ import annotations

from bridgeviz import RunConfig
from bridgeviz.experiments import texts_of
from bridgeviz.ui.state import controls, values

_ALWAYS = ("dataset", "percent", "strategy", "cost")


def summary(config: RunConfig) -> str:
    """The dataset, the pairs, the strategy and the cost of a config, and what else differs from the defaults."""
    defaults, texts = values.defaults(), texts_of(config)
    read = {setting.key: setting for setting in controls.shown(values.settings(), texts)}
    parts = [f"{texts[key]} % of the pairs" if key == "percent" else texts[key] for key in _ALWAYS if key in read]
    others = [key for key in read if key not in _ALWAYS and texts[key] != defaults[key]]
    return ", ".join([*parts, *(f"{read[key].label} {texts[key]}" for key in others)])
