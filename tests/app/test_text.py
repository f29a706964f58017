"""Nothing from a link, a label or an error is read as Markdown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import bridgeviz as bv
from bridgeviz.ui.text import literal

PAGES = Path(__file__).resolve().parents[2] / "pages"
PICTURE = "![x](http://elsewhere.example/x.png)"
CRAFTED = [
    PICTURE,
    "<img src=x>",
    "[x](http://elsewhere.example)",
    "**b**",
    "_i_",
    "`c`",
    "$x$",
    ":material/home:",
    "~s~",
]
SHOWN = ("error", "warning", "info", "success", "caption", "markdown", "header")


def live(text: str) -> list[str]:
    """What a text holds that Markdown would act upon."""
    return re.findall(r"(?<!\\)\[(?:[^]\\]|\\.)*\]\(|(?<!\\)<\w|https?://\w*elsewhere", text)


@pytest.mark.parametrize("text", CRAFTED)
def test_special_characters_are_escaped_and_nothing_else_changes(text):
    assert re.sub(r"\\(?=\W|_)", "", literal(text)) == text
    assert not live(literal(text))
    assert literal("The 'ot_batch_size' of local() must be > 2: 1.5 of 12, a-b") == (
        "The 'ot_batch_size' of local() must be \\> 2: 1.5 of 12, a-b"
    )


@pytest.mark.parametrize("text", CRAFTED[:3])
def test_a_link_shows_what_it_says(text):
    app = AppTest.from_file(str(PAGES / "data.py"), default_timeout=60)
    app.query_params["dataset"] = text
    app.run()
    assert "It must be one of" in app.error[0].value
    assert not live(app.error[0].value)


@pytest.mark.parametrize("page", ["data", "pairs_and_cost", "coupling", "diagnose"])
def test_labels_and_titles_show_what_they_say(page, monkeypatch):
    """A data set whose classes and titles are crafted."""
    load = bv.datasets.Blobs.load

    def crafted(self):
        problem = load(self)
        for space in (problem.source, problem.target, problem.test.source, problem.test.target):
            names = tuple(f"{PICTURE}{name}" for name in space.names)
            object.__setattr__(space, "names", names)
            object.__setattr__(space, "title", f"{PICTURE}{space.title}")
        return problem

    monkeypatch.setattr(bv.datasets.Blobs, "load", crafted)
    app = AppTest.from_file(str(PAGES / f"{page}.py"), default_timeout=120)
    for key, value in {"dataset": "blobs", "percent": "0.5", "overlap": "0.93"}.items():
        app.query_params[key] = value
    if page == "diagnose":
        config = bv.RunConfig(dataset="blobs", options={"overlap": 0.93}, fraction=0.01, steps=2, batch_size=32)
        app.session_state["_run"] = bv.run(config)
    app.run()
    assert not app.exception
    shown = [element for kind in SHOWN for element in getattr(app, kind)]
    assert shown
    assert [element.value for element in shown if live(element.value)] == []
