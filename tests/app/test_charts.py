"""What a chart sends to the browser, and what it does with what the browser reports."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from bridgeviz.ui import plotly_script
from bridgeviz.ui.panels import charts
from bridgeviz.viz.figure import figure

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def _page():
    import streamlit as st

    from bridgeviz.ui.panels import charts
    from bridgeviz.viz.figure import figure

    left, _ = st.columns(2)
    charts.draw(left, figure([{"y": [1, 2]}], height=200), key="plain", alt="two numbers")
    charts.draw(st, figure([{"y": [3]}], height=100), key="map", brush=("box",), on_brush=print)


def test_a_chart_sends_its_figure_without_the_colours_of_a_theme():
    app = AppTest.from_function(_page).run()
    assert not app.exception
    plain, brushable = (json.loads(chart.proto.bytes) for chart in app.get("bidi_component"))
    assert plain["figure"]["data"] == [{"type": "scatter", "y": [1, 2]}]
    assert plain["figure"]["layout"]["height"] == 200
    assert "template" not in plain["figure"]["layout"]
    assert (plain["alt"], plain["brush"], plain["file"]["filename"]) == ("two numbers", [], "bridgeviz_plain")
    assert brushable["brush"] == ["box"]
    assert plain["library"] == plotly_script.address()


def test_numbers_travel_as_bytes():
    sent = charts.message(figure([{"y": np.arange(4000.0)}], height=200), key="many")
    assert len(sent) < 4000 * 8 * 4 / 3 + 1000


@pytest.mark.parametrize(("base", "path"), [("", ""), ("/a/b/", "/a/b")])
def test_the_script_is_where_the_server_stands(base, path):
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", base)
    try:
        assert plotly_script.address().split("?")[0] == plotly_script.route().path == f"{path}/bridgeviz/plotly.min.js"
    finally:
        config.set_option("server.baseUrlPath", before)


def test_the_server_sends_the_script_to_be_kept():
    answer = plotly_script.route().endpoint(SimpleNamespace())
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    with open(answer.path, encoding="utf-8") as script:
        assert "plotly.js v" in script.read(200)


def test_what_is_brushed_is_handed_on_and_another_message_is_not(monkeypatch):
    state, seen = {}, []
    monkeypatch.setattr(charts.st, "session_state", {"map": state})
    state["brushed"] = {"rows": [3, 1], "boxes": [{"x": [2, 0], "y": [0, 1]}], "lassos": []}
    charts._brushed("map", seen.append)
    assert seen[0].rows.tolist() == [1, 3]
    assert seen[0].boxes.tolist() == [[[0, 0], [2, 1]]]
    state["brushed"] = None
    charts._brushed("map", seen.append)
    assert len(seen) == 1
