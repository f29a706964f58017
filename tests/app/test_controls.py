"""The controls that are generated from the settings: which, in what order, and with which values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import bridgeviz as bv
from bridgeviz.costs import COSTS
from bridgeviz.couplings import SOLVERS, STRATEGIES, Entropic
from bridgeviz.experiments import Pipeline, texts_of
from bridgeviz.ui.state import controls, values

PAGES = Path(__file__).resolve().parents[2] / "pages"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cost", COSTS)
def test_a_choice_comes_before_the_settings_that_it_decides_about(strategy, solver, cost):
    texts = values.defaults() | {"strategy": strategy, "solver": solver, "cost": cost}
    shown = list(controls.shown(values.settings(), texts))
    keys = [setting.key for setting in shown]
    assert len(set(keys)) == len(keys)
    assert ("cost" in keys) == (strategy != "true")
    assert ("epsilon" in keys) == (strategy != "true" and issubclass(SOLVERS[solver], Entropic))
    for setting in shown:
        assert all(keys.index(choice) < keys.index(setting.key) for choice in setting.choices if choice in keys)


def test_the_help_of_a_choice_explains_its_members():
    text = controls.help_of(next(setting for setting in values.settings() if setting.key == "solver"))
    for name, solver in SOLVERS.items():
        assert f"- **{name}**: {solver.summary}." in text


@pytest.mark.parametrize(
    "settings",
    [
        {"max_iterations": 10},
        {"solver": "fgw", "max_iterations": 1},
        {"solver": "fgw", "max_inner": 1, "max_iterations": 2},
        {"solver": "fgw", "epsilon": 1e-3, "tau": (0.1, 0.1), "max_iterations": 2},
        {"strategy": "local", "max_iterations": 1, "batch_size": 32},
        {"strategy": "local", "solver": "fgw", "max_iterations": 1, "batch_size": 32},
    ],
)
def test_advice_names_controls_that_are_shown(settings):
    config = bv.RunConfig(**{"dataset": "blobs", "fraction": 0.2, "epsilon": 2e-3, **settings})
    plan = Pipeline(config).result("coupling")
    assert not plan.converged
    texts = values.defaults() | texts_of(config)
    labels = {setting.option.label.casefold() for setting in controls.shown(values.settings(), texts)}
    remedies = re.split(r", | or ", re.split("[Tt]ry ", plan.advice)[1])
    for remedy in remedies:  # "a larger tau or epsilon", "a larger epsilon (now 0.002) or more Gromov steps"
        subject = re.sub(r"^(a larger|a smaller|more) | \(now [^)]*\)|\.$", "", remedy).casefold()
        assert subject in labels, (subject, labels)


@pytest.fixture
def opened(monkeypatch):
    """A function that opens the page of the data by a link."""
    monkeypatch.setattr(st, "page_link", lambda *_, **__: None)

    def open_link(**link: str) -> AppTest:
        app = AppTest.from_file(str(PAGES / "data.py"), default_timeout=120)
        for key, text in {"dataset": "blobs", "cost": "knn", **link}.items():
            app.query_params[key] = text
        app.run()
        assert not app.exception
        assert not app.error
        return app

    return open_link


def test_a_link_may_name_a_number_between_the_stops(opened):
    app = opened(k="7", percent="12.5", overlap="0.35", epsilon="0.03")
    assert {key: app.select_slider(key=key).value for key in ("k", "percent", "epsilon")} == {
        "k": "7", "percent": "12.5", "epsilon": "0.03"
    }  # fmt: skip
    assert app.slider(key="overlap").value == 0.35
    options = app.select_slider(key="percent").options
    assert options == sorted(options, key=float)
    assert app.select_slider(key="epsilon").options[0] == "auto"


def test_a_link_may_name_a_setting_that_is_shown_later(opened):
    app = opened(strategy="true", k="7", knn_form="path")
    assert "k" not in [slider.key for slider in app.select_slider]
    app.selectbox(key="strategy").set_value("global").run()
    assert not app.exception
    assert app.select_slider(key="k").value == "7"
    assert app.selectbox(key="knn_form").value == "path"
