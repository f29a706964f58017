"""The pages of the lessons: a bet first, then what was measured; the step is in the link."""

import pytest

from bridgeviz.experiments.lessons import LESSONS
from tests.app.driver import load


def opened(**link):
    app = load("lessons", **link).run()
    assert not app.exception, app.exception
    return app


def linked(app, key: str) -> str:
    """What the link says."""
    value = app.query_params[key]
    return value[0] if isinstance(value, list) else value


def said(app) -> str:
    return " ".join(str(part.value) for part in [*app.markdown, *app.caption, *app.header])


def test_the_page_lists_all_lessons_and_begins_one():
    app = opened()
    for lesson in LESSONS.values():
        assert lesson.title in said(app)
    app.button(key="begin_pairs").click().run()
    assert not app.exception, app.exception
    assert "Step 1 of 4" in said(app)
    assert linked(app, "lesson") == "pairs"
    assert linked(app, "step") == "1"


def test_a_number_is_bet_on_and_then_revealed():
    app = opened(lesson="pairs", step="1")
    step = LESSONS["pairs"].steps[0]
    values = step.measure()
    assert step.told(values) not in said(app)
    app.slider[0].set_value(20).run()
    app.button(key="lesson_reveal").click().run()
    assert not app.exception, app.exception
    assert f"Further than one would think. {step.told(values)}" in said(app)
    app.slider[0].set_value(round(100 * values["7 pairs"])).run()
    assert f"Very close. {step.told(values)}" in said(app)
    app.button(key="lesson_next").click().run()
    assert "Step 2 of 4" in said(app)


@pytest.mark.parametrize("right", [True, False])
def test_a_name_is_bet_on_and_nothing_is_revealed_before(right):
    app = opened(lesson="pairs", step="4")
    step = LESSONS["pairs"].steps[3]
    assert app.button(key="lesson_reveal").disabled
    values = step.measure()
    best = step.best(values)
    app.radio[0].set_value(best if right else next(name for name in step.shown if name != best)).run()
    app.button(key="lesson_reveal").click().run()
    assert not app.exception, app.exception
    assert f"{'Right.' if right else 'No.'} {step.told(values)}" in said(app)


@pytest.mark.parametrize(
    "link", [{"lesson": "pear"}, {"lesson": "pairs", "step": "9"}, {"lesson": "pairs", "step": "x"}]
)
def test_a_link_to_what_there_is_not_leads_to_the_list_or_the_first_step(link):
    assert ("Step 1 of 4" if link["lesson"] == "pairs" else "1. What is a pair worth?") in said(opened(**link))


def test_the_last_step_leads_to_the_next_lesson():
    app = opened(lesson="epsilon", step="3")
    app.button(key="lesson_next").click().run()
    assert linked(app, "lesson") == "local"
    assert "Step 1 of 3" in said(app)
