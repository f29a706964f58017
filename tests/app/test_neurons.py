"""The numbers of a run towards neurons."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from .driver import PATIENCE


def numbers(neurons: bool):
    from bridgeviz.ui.panels import page

    found = {"test_prediction_error": 0.7943, "test_neuron_correlation": 0.4495} if neurons else {}
    page.numbers({"test_foscttm": 0.2, **found}, pairs=576, known=720, chance=0.0)


def shown(neurons: bool) -> dict[str, str]:
    app = AppTest.from_function(numbers, kwargs={"neurons": neurons}, default_timeout=PATIENCE).run()
    assert not app.exception
    return {metric.label: metric.value for metric in app.metric}


def test_the_prediction_of_neurons_has_a_row_of_its_own():
    values = shown(True)
    assert values["Flow: error per neuron"] == "0.79"
    assert values["Flow: correlation per neuron"] == "0.45"
    assert list(values)[-2:] == ["Flow: error per neuron", "Flow: correlation per neuron"]
    assert list(shown(False)) == list(values)[:-2]
