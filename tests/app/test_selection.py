"""One selection for all pages: from the link, by row, class or group, to its rows on either side."""

import re

import numpy as np
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

import bridgeviz as bv
from bridgeviz import InputError
from bridgeviz.ui.panels import failures
from bridgeviz.ui.state import selection, spans
from bridgeviz.ui.state.picks import Brush
from bridgeviz.ui.state.selection import Selection
from tests.app.driver import PATIENCE, load

BLOBS = {"dataset": "blobs", "percent": "5"}


def text_of(app) -> str:
    """What the line on the selection says."""
    (line,) = [m.value for m in app.markdown if m.value.startswith(":material/highlight_alt:")]
    return line.removeprefix(":material/highlight_alt: ")


def shown(name: str, **link: str):
    app = load(name, **BLOBS | link).run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize("rows", [[3], [3, 4], [0, 2, 3, 4, 9], list(range(50))])
def test_rows_are_written_and_read(rows):
    text = spans.written(np.array(rows))
    assert spans.read(text, 100).tolist() == rows


@pytest.mark.parametrize(("drawn", "tool"), [("lassos", "lasso"), ("boxes", "select")])
def test_a_redrawn_chart_keeps_the_tool(monkeypatch, drawn, tool):
    around = {"lassos": {"x": [-1, 1, 1, -1], "y": [-1, -1, 1, 1]}, "boxes": {"x": [-1, 1], "y": [-1, 1]}}
    monkeypatch.setattr(selection.st, "session_state", {})
    brush = Brush.read({"rows": [], "boxes": [], "lassos": [], drawn: [around[drawn]]})
    figure = go.Figure(layout={"dragmode": "pan"})
    assert selection.revised(figure, "route") is figure
    assert selection.surrounded(brush, chart="route", left=np.zeros((2, 2)), right=np.full((3, 2), 5.0))
    again = selection.revised(figure, "route")
    assert (again.layout.dragmode, again.layout.selectionrevision) == (tool, 1)
    assert figure.layout.dragmode == "pan"


def test_texts_that_are_no_rows_are_refused():
    for text in ("", "a", "3-", "5-3", "1.5", "-2", "100", "3,,4"):
        with pytest.raises(InputError, match=r"^Rows are numbers"):
            spans.read(text, 100)


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("source:3,5-9", "6 of 600 source rows (by number)"),
        ("target:0", "1 of 600 target rows (by number)"),
        ("test-source:2-4~all wrong", "3 of 300 test points (all wrong)"),
        ("source:class=2", r"of 600 source rows (class C)"),
    ],
)
@pytest.mark.parametrize("page", ["data", "pairs_and_cost", "coupling", "flow"])
def test_every_page_says_what_the_link_selects(page, link, words):
    assert words in text_of(shown(page, select=link))


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("sauce:3", "reads like"),
        ("source:700", "from 0 to 599"),
        ("source:class=pear", "no row of the class 'pear'"),
        ("source:5-3", "smaller end"),
    ],
)
def test_a_link_that_selects_nothing_there_says_so_and_the_page_goes_on(link, problem):
    app = shown("data", select=link)
    assert text_of(app) == "Nothing is selected."
    assert any(problem in re.sub(r"\\", "", warning.value) for warning in app.warning)


def test_a_selection_is_cleared_and_found_again_by_number_and_by_name():
    app = shown("data", select="source:3,5-9")
    app.button(key="select_clear").click().run()
    assert text_of(app) == "Nothing is selected."
    app.text_input(key="select_search").input("17, 20-22").run()
    assert "4 of 600 source rows" in text_of(app)
    app.text_input(key="select_search").input("c").run()
    assert "(class C)" in text_of(app)
    app.text_input(key="select_search").input("pear").run()
    assert any("Rows are numbers" in warning.value for warning in app.warning)
    assert "(class C)" in text_of(app)  # a search that finds nothing changes nothing
    app.button(key="select_class_0").click().run()
    assert "(class A)" in text_of(app)


def test_rows_of_other_data_are_no_longer_selected():
    app = shown("data", select="source:3,5-9")
    app.session_state["dataset"] = "swiss-roll"
    app.run()
    assert text_of(app) == "Nothing is selected."


def test_back_to_other_data_reads_the_same_text_anew():
    def script():
        import streamlit as st

        import bridgeviz as bv
        from bridgeviz.ui.state import selection

        for data, overlap in (("first", 0.1), ("second", 0.9)):
            selection.reconcile(data, "source:class=2")
            problem = bv.load("blobs", n=40, overlap=overlap, seed=int(10 * overlap))
            st.text(",".join(map(str, selection.current(problem).rows)))
            st.text(",".join(str(row) for row in range(40) if problem.source.labels[row] == 2))

    app = AppTest.from_function(script, default_timeout=PATIENCE).run()
    assert not app.exception, app.exception
    first, own, second, other = (line.value for line in app.text)
    assert first == own
    assert second == other != first


def test_the_link_holds_a_small_selection_and_no_large_one():
    few = Selection("source", np.array([1, 2, 3, 9]), "brushed on the source map")
    assert few.text == "source:1-3,9~brushed on the source map"
    problem = bv.load("blobs", n=40)
    again = selection.read(few.text, problem)
    assert (again.side, again.rows.tolist(), again.name, again.tested) == ("source", [1, 2, 3, 9], few.name, False)
    many = Selection("source", np.arange(0, 4000, 2), "brushed on the source map")
    assert many.text == ""
    whole = selection.whole_class(problem, "target", "3", tested=False)
    assert selection.read(whole.text, problem).rows.tolist() == np.flatnonzero(problem.target.labels == 3).tolist()


def test_counterparts_follow_the_truth_in_both_directions():
    rng = np.random.default_rng(0)
    source, target = bv.Space(rng.normal(size=(5, 2))), bv.Space(rng.normal(size=(4, 2)))
    problem = bv.Problem(source, target, truth=[[0, 1], [1, 1], [2, 3]])
    assert selection.counterparts(problem, np.array([0, 1, 2]), "source").tolist() == [1, 3]
    assert selection.counterparts(problem, np.array([1]), "target").tolist() == [0, 1]
    assert selection.counterparts(problem, np.array([4]), "source") is None
    assert selection.counterparts(bv.Problem(source, target), np.array([1]), "source") is None


def test_for_test_points_their_nearest_aligned_rows_stand_in():
    problem = bv.load("blobs", n=60)
    chosen = Selection("source", np.array([4, 7]), "", tested=True)
    x, points = problem.source.x, problem.test.source.x[[4, 7]]
    nearest = np.unique(np.linalg.norm(x[None] - points[:, None], axis=2).argmin(1))
    np.testing.assert_array_equal(selection.aligned(problem, chosen, "source"), nearest)
    np.testing.assert_array_equal(
        selection.aligned(problem, chosen, "target"), selection.counterparts(problem, nearest, "source")
    )
    assert selection.source_points(problem, chosen).tolist() == [4, 7]


def test_points_can_be_selected_by_what_became_of_them():
    run = bv.run(bv.RunConfig(dataset="blobs", options={"n": 60, "overlap": 0.9}, fraction=0.1, steps=5, batch_size=16))
    arguments = (run.problem, run.pairs, run.plan, run.flow)
    diagnosis = bv.metrics.diagnose(*arguments)
    found = bv.metrics.failures(*arguments)
    made = {name: make() for name, make in failures.groups(diagnosis, found).items()}
    wrong = np.flatnonzero(diagnosis.labels != diagnosis.predicted)
    (everything,) = [chosen for chosen in made.values() if chosen.name == "all wrong"]
    assert everything.rows.tolist() == wrong.tolist()
    assert everything.tested
    for stage in found.counts:
        (chosen,) = [chosen for chosen in made.values() if chosen.name == f"wrong at: {stage}"]
        assert chosen.rows.tolist() == np.sort(found.rows[found.stages == stage]).tolist()


def test_the_table_of_the_selected_rows_is_there_when_it_is_opened():
    app = load("coupling", **BLOBS, select="source:3,5-9")
    app.session_state["selected_table"] = True
    app.run()
    assert not app.exception, app.exception
    (table,) = [frame.value for frame in app.dataframe if "pair_row" in frame.value]
    assert table["row"].tolist() == [3, 5, 6, 7, 8, 9]
    assert {"class", "overlap", "mass", "goes_to", "share"} <= set(table)
    assert set(table["class"]) <= set("ABCDE")
