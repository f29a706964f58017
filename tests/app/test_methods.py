"""The Coupling page on how a plan was solved: its method, its progress, and the same problem by another method."""

from __future__ import annotations

import numpy as np
import pytest
import streamlit as st

import bridgeviz as bv
from bridgeviz.couplings import Linear
from bridgeviz.ui.cache import stages
from bridgeviz.ui.panels.methods import Comparison, _numbers
from bridgeviz.ui.state import values
from bridgeviz.ui.work.jobs import Record

from .driver import PATIENCE, job_of, load

TINY = {"dataset": "blobs", "cost": "bridge", "percent": "20"}


@pytest.fixture(autouse=True)
def clear_caches():
    """No page finds the results of another test."""
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(**link):
    test = load("coupling", **{**TINY, **link}).run()
    assert not test.exception, test.exception
    return test


def captions(test):
    return " ".join(caption.value for caption in test.caption)


def test_the_page_says_which_method_ran_and_why():
    test = opened()
    assert "Solved by iterations on the stored kernel ('dense') in " in captions(test)
    assert "because both sides have more than 128 atoms." in captions(test)
    assert "method" not in test.query_params
    test.selectbox(key="method").set_value("ott").run()
    assert "ott-jax's Sinkhorn in the log domain ('ott') in " in captions(test)
    assert "as asked for." in captions(test)
    assert test.query_params["method"] == "ott"
    assert "Solved" not in captions(opened(strategy="true"))


def test_two_methods_are_compared_and_agree():
    test = opened(epsilon="0.05")
    assert not test.table
    test.button(key="ask_methods").click().run()
    job_of(test, "methods").join(PATIENCE)
    test.run()
    assert not test.exception
    table = test.table[0].value
    assert table.index.tolist() == ["dense", "ott"]
    problem = bv.load("blobs", overlap=0.3)
    plan = bv.couplings.linear(
        bv.costs.bridge(problem.source.x, problem.target.x, problem.sample_pairs(0.2)), method="ott", epsilon=0.05
    )
    accuracy = bv.metrics.matching_accuracy(plan, problem.source.labels, problem.target.labels)
    assert table.loc["ott", "Matching accuracy"] == f"{accuracy:.1%}"
    assert table.loc["ott", "Iterations"] == f"{plan.iterations:,}"
    assert any("the same plan up to the tolerance of 1e-06" in text.value for text in test.markdown)
    test.select_slider(key="epsilon").set_value("0.1").run()
    assert not test.table  # of another problem


def test_only_methods_of_the_same_problem_are_offered():
    test = opened(cost="diffusion_bridge", method="factorised")
    assert test.selectbox(key="first_method").options == ["dense", "ott", "factorised"]
    assert test.selectbox(key="second_method").options == ["ott", "factorised"]
    for link in ({"solver": "fgw", "rows": "100"}, {"strategy": "local"}, {"strategy": "true"}):
        assert "ask_methods" not in [button.key for button in opened(**link).button]


@pytest.mark.parametrize(
    ("distance", "unfinished", "said"),
    [
        (4e-4, (), "The plans differ by 0.0004 of the mass (L1): the same plan up to the tolerance of 0.001."),
        (0.3, (), "much more than the tolerance"),
        (4e-4, ("ott",), "ott did not converge, so they need not agree"),
    ],
)
def test_plans_are_called_the_same_only_if_they_are(distance, unfinished, said):
    assert said in Comparison({}, distance, unfinished, 1e-3).text


def test_a_long_solve_shows_how_far_it_is_and_can_be_cancelled(monkeypatch):
    monkeypatch.setattr(stages, "AFTER", 0.0)
    monkeypatch.setattr(stages, "EVERY", 0.0)
    steps, shown, ended = Linear.steps, [], []
    generator = st.delta_generator.DeltaGenerator
    caption = generator.caption
    monkeypatch.setattr(generator, "caption", lambda *texts, **more: shown.append(texts[1]) or caption(*texts, **more))

    def long(self, cost, within=None):
        try:
            yield 10, 0.5
            yield 20, 0.25
            if not ended:  # as if the button was pressed here, which runs the page again
                stages._cancel(("coupling", *values.current().key("coupling")))
                st.rerun()
        finally:
            ended.append(True)
        return (yield from steps(self, cost, within))

    monkeypatch.setattr(Linear, "steps", long)
    test = opened()
    assert "Iteration 20, marginal error 2.5e-01." in shown
    assert ended == [True]
    assert "the transport is not solved" in test.warning[0].value
    assert not test.metric
    next(button for button in test.button if button.label == "Solve the transport").click().run()
    assert not test.exception
    assert not test.warning
    assert test.metric
    assert "stop_coupling" not in [button.key for button in test.button]


def test_a_job_says_how_far_its_solve_is():
    record = Record(state="running", stage="Solving the transport", detail="iteration 10", steps=4000)
    assert record.text == "**Solving the transport** · iteration 10"


def test_numbers_of_unlabelled_problems_have_no_accuracy():
    assert "Matching accuracy" not in _numbers(bv.couplings.linear(np.eye(3)), None)
