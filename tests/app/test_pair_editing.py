"""Pairs that are added, removed, undone and loaded on the page."""

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.metrics import uncovered_pair
from tests.app.driver import load


@pytest.fixture
def page():
    app = load("pairs_and_cost", dataset="blobs", percent="2").run()
    assert not app.exception, app.exception
    return app


def edits(app) -> str:
    return app.session_state["edits"]


def test_a_pair_is_added_and_removed_and_both_are_undone(page):
    page.number_input(key="pick_source").set_value(3).run()
    page.number_input(key="pick_target").set_value(17).run()
    page.button(key="edit_add").click().run()
    assert not page.exception, page.exception
    assert edits(page) == "3:17"
    assert any("1 pair added, 0 of 12 removed" in m.value for m in page.markdown)
    assert {m.label for m in page.metric} >= {"Cheapest target is right", "Coupling: right class"}
    page.button(key="edit_remove").click().run()
    assert edits(page) == ""
    page.button(key="edit_undo").click().run()
    assert edits(page) == "3:17"
    page.button(key="edit_undo").click().run()
    assert edits(page) == ""
    assert not [b for b in page.button if b.key == "edit_undo"]


def test_changes_go_back_to_the_draw_and_do_not_outlive_the_data(page):
    page.button(key="edit_add").click().run()
    assert edits(page)
    page.button(key="edit_reset").click().run()
    assert edits(page) == ""
    page.button(key="edit_add").click().run()
    page.session_state["dataset"] = "digits"
    page.run()
    assert not page.exception, page.exception
    assert edits(page) == ""


def test_the_first_pair_of_a_missing_class_is_offered():
    problem = bv.load("blobs", n=60)
    labels = problem.source.labels
    without = problem.truth[labels[problem.truth[:, 0]] != 2]
    pairs = bv.Pairs(without, shape=problem.shape)
    i, j = uncovered_pair(problem, pairs)
    assert labels[i] == 2
    assert [i, j] in np.asarray(problem.truth).tolist()
    assert uncovered_pair(problem, bv.Pairs(problem.truth, shape=problem.shape)) is None


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("source,target\n1,1\n2,5\n", None),
        ("source,target\n1,900\n", "row numbers from 0 to 599"),
        ("nothing", "pairs"),
        ("", "can't be read"),
    ],
)
def test_a_file_of_pairs_is_loaded_or_refused(page, file, expected):
    page.file_uploader(key="edit_file").upload("mine.csv", file.encode(), "text/csv").run()
    assert not page.exception, page.exception
    if expected is None:
        assert edits(page) == "-all,1:1,2:5"
        assert any("2 pairs added, 12 of 12 removed" in m.value for m in page.markdown)
    else:
        assert edits(page) == ""
        assert any(expected in error.value.replace("\\", "") for error in page.error)
