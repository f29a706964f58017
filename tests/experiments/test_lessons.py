"""Lessons measure what they ask for, and what they tell is true of it."""

import re

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.experiments.lessons import LESSONS

STEPS = [(name, number) for name, lesson in LESSONS.items() for number in range(len(lesson.steps))]
EXPECTED = {
    ("pairs", 3): "the diffusion bridge",
    ("transport", 1): "the cheapest target",
    ("transport", 2): "strictly (tau 1)",
    ("epsilon", 1): "epsilon 0.5",
    ("local", 1): "all points at once",
    ("overlap", 2): "classes that overlap less (0.3)",
}
"""What comes first in steps whose texts take that for granted."""


@pytest.fixture(scope="module")
def measured():
    return {(name, number): LESSONS[name].steps[number].measure() for name, number in STEPS}


def test_there_are_six_lessons_of_three_to_five_steps():
    assert len(LESSONS) == 6
    assert all(3 <= len(lesson.steps) <= 5 for lesson in LESSONS.values())


@pytest.mark.parametrize(("name", "number"), STEPS)
def test_every_step_can_be_decided_and_told(measured, name, number):
    step, values = LESSONS[name].steps[number], measured[name, number]
    assert set(step.shown) <= set(values)
    assert all(np.isfinite(value) and value >= 0 for value in values.values())
    if step.answer:
        assert step.answer in step.shown
        assert 0 <= values[step.answer] <= 1
    else:
        first, second = sorted((values[name] for name in step.shown), reverse=True)[:2]
        assert first > second  # a tie can't be bet on
        assert step.best(values) == EXPECTED.get((name, number), step.best(values))
    for text in (step.said(values), step.told(values)):
        assert "{" not in text
        assert text.endswith((".", "?"))
    if step.answer:  # the answer is not given away
        assert f"{values[step.answer]:.0%}" not in step.said(values)
    assert step.config is None or isinstance(step.config, bv.RunConfig)


def test_the_values_are_those_of_a_run(measured):
    config = bv.RunConfig(dataset="digits", cost="diffusion_bridge", count=13, cover_classes=True, steps=2)
    run = bv.run(config)
    assert measured["transport", 0]["the plan"] == pytest.approx(run.metrics["matching_accuracy"])
    assert re.search(r"\d+% of the digits", LESSONS["transport"].steps[0].said(measured["transport", 0]))


def test_what_the_texts_take_for_granted_holds(measured):
    assert measured["transport", 0]["the plan"] > measured["transport", 0]["the cheapest target"]
    batches = list(measured["local", 1].values())
    assert batches == sorted(batches)
    assert measured["epsilon", 0]["epsilon 0.5"] < 0.5
    more = measured["pairs", 2]
    one = more["one more, of a class without any"] - more["7 pairs"]
    assert one > (more["ten more, drawn at random"] - more["7 pairs"]) / 10
    assert measured["leave_out", 1]["tau 0.95"] > measured["leave_out", 1]["tau 1"] + 0.1
    over_all = measured["leave_out", 3]
    assert over_all["tau 0.95"] == pytest.approx(over_all["tau 1"], abs=0.01)
