"""Whatever kind of option somebody adds, it gets a control."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bridgeviz._kinds import Count, Decay, Flag, Positive, Unit
from bridgeviz._options import option
from bridgeviz.costs import COSTS, Bridge, bridge
from bridgeviz.ui.state import values

from .driver import load


@dataclass(frozen=True, kw_only=True)
class Odd(Bridge):
    """A cost with an option of each kind."""

    name = "odd"
    summary = "a bridge with many options"
    lead = "The cost **odd** is the cost bridge."
    amount: float = option(Positive(), 0.001, label="Amount", help="A number without stops.")
    count: int = option(Count(2, 9), 3, label="Odd count", key="odd_count", help="A whole number.")
    decay: float | None = option(Decay(), None, label="Decay", word="off", help="A number, or none.")
    share: float = option(Unit(zero=True), 0.5, label="Share", step=0.1, help="A slider.")
    twice: bool = option(Flag(), False, label="Twice", help="On or off.")

    def build(self, x, y, pairs):
        return bridge(x, y, pairs)


@pytest.fixture
def odd(monkeypatch):
    monkeypatch.setitem(COSTS, "odd", Odd)


def opened(**link: str):
    app = load("pairs_and_cost", **{"dataset": "blobs", "percent": "10", "cost": "odd", **link}).run()
    assert not app.exception, app.exception
    return app


def test_every_kind_of_option_has_a_control(odd):
    app = opened()
    assert app.number_input(key="amount").value == 0.001
    assert app.number_input(key="odd_count").value == 3
    assert app.number_input(key="decay").value is None
    assert app.slider(key="share").value == 0.5
    assert not app.checkbox(key="twice").value
    app.number_input(key="odd_count").set_value(5)
    app.number_input(key="decay").set_value(0.25)
    app.checkbox(key="twice").check().run()
    assert not app.exception
    texts = app.session_state["_settings"]
    assert {key: texts[key] for key in ("amount", "odd_count", "decay", "share", "twice")} == {
        "amount": "0.001", "odd_count": "5", "decay": "0.25", "share": "0.5", "twice": "true"
    }  # fmt: skip


def test_a_link_sets_every_kind_of_option(odd):
    app = opened(amount="0.25", odd_count="9", decay="0.5", share="0.3", twice="true")
    assert app.number_input(key="amount").value == 0.25
    assert app.number_input(key="odd_count").value == 9
    assert app.number_input(key="decay").value == 0.5
    assert app.slider(key="share").value == pytest.approx(0.3)
    assert app.checkbox(key="twice").value


@pytest.mark.parametrize("text", ["0.001", "off", "0.5"])
def test_texts_and_values_of_controls_correspond(odd, text):
    setting = next(setting for setting in values.settings() if setting.key == "decay")
    assert values.text_of(setting, values.value_of(setting, text)) == text


def test_a_text_that_no_control_recognises_becomes_one_that_it_does():
    app = opened(percent="2.50", cost="knn", k="auto")
    assert app.select_slider(key="percent").value == "2.5"
    assert app.select_slider(key="k").value == "10"


def test_a_cost_can_be_left_to_the_pairs():
    names = {setting.key: setting.names for setting in values.settings()}
    assert names["cost"][-1] == "auto"
    assert names["dataset"][-1] == "yours"
