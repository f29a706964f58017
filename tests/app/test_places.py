"""What is not always shown on a page moves nothing below it when it appears, so that no chart is drawn again."""

from __future__ import annotations

import pytest
from streamlit.testing.v1.element_tree import Block, Expander

import bridgeviz as bv
from bridgeviz.costs import Cost
from bridgeviz.ui.cache import stages

from .driver import opened

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
SELECTED = "source:1-30"
COSTLY = {"bidi_component", "arrow_data_frame"}
"""Elements that a browser builds slowly, or that start again when they are built."""


@pytest.fixture(scope="module")
def runs():
    """The settings of `TINY`, and the same with more steps."""
    config = bv.RunConfig(
        dataset="blobs", options={"overlap": 0.3}, fraction=0.2, cost="bridge", steps=20, batch_size=64
    )
    return [bv.run(config), bv.run(config.replace(steps=30))]


def places(app) -> dict[str, tuple[int, ...]]:
    """The place of every costly element and of every expander in the main part of a page, by its key or label."""
    found: dict[str, tuple[int, ...]] = {}

    def look(block, path):
        for number, child in block.children.items():
            place = (*path, number)
            if isinstance(child, Block):
                if isinstance(child, Expander):
                    found[child.label] = place
                look(child, place)
            elif child.type in COSTLY:
                found[child.proto.id.split("-", 2)[-1]] = place

    look(app.main, ())
    return found


def stay(before, after) -> set[str]:
    """What is on both pages; nothing of it has moved."""
    was, now = places(before), places(after)
    both = was.keys() & now.keys()
    moved = {name: (was[name], now[name]) for name in both if was[name] != now[name]}
    assert not moved
    return both


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("data", {"data_source", "data_target", "overlap_source", "between_target"}),
        ("pairs_and_cost", {"coverage", "route", "histogram", "curve", "Save or load pairs"}),
        ("coupling", {"class_plan", "blocks", "lines", "received", "Compare two methods"}),
    ],
)
def test_a_selection_moves_nothing(page, expected):
    assert stay(opened(page), opened(page, select=SELECTED)) >= expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("flow", {"flow_player", "How the training went"}),
        ("diagnose", {"failures_source", "failures_target", "confusion", "overlap_error", "reliability"}),
        ("compare", {"compare_0", "compare_1", "changes"}),
    ],
)
def test_a_selection_moves_nothing_of_a_run(page, expected, runs):
    assert stay(opened(page, runs), opened(page, runs, select=SELECTED)) >= expected


@pytest.mark.parametrize(("page", "expected"), [("flow", {"flow_player"}), ("diagnose", {"confusion", "reliability"})])
def test_other_settings_move_nothing_of_a_run(page, expected, runs):
    assert stay(opened(page, runs), opened(page, runs, steps="50")) >= expected


def test_pairs_that_are_changed_and_a_caution_about_the_cost_move_nothing(monkeypatch):
    before = opened("pairs_and_cost")
    edited = opened("pairs_and_cost", edits="0:1")
    assert "Changed by hand" in " ".join(str(part.value) for part in edited.markdown)
    expected = {"coverage", "route", "histogram", "curve"}
    assert stay(before, edited) >= expected
    monkeypatch.setattr(Cost, "advice", "Take care.")
    assert stay(before, opened("pairs_and_cost")) >= expected


@pytest.mark.parametrize("page", ["coupling", "pairs_and_cost"])
def test_the_progress_of_what_takes_long_moves_nothing(page, monkeypatch):
    """A page that has to solve first, and shows that, against one that finds the solution."""
    monkeypatch.setattr(stages, "AFTER", 0.0)
    monkeypatch.setattr(stages, "EVERY", 0.0)
    shown = []
    show = stages._Watch.show
    monkeypatch.setattr(stages._Watch, "show", lambda watch, *step: shown.append(step) or show(watch, *step))
    link = {"percent": "20.5", "cost": "auto"}
    first = opened(page, **link)
    assert shown or page == "pairs_and_cost"
    assert len(stay(first, opened(page, **link))) > 3
