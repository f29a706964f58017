"""The four analysis pages: they open, answer to the sidebar, and say what is missing instead of failing."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import bridgeviz as bv
from bridgeviz import datasets
from bridgeviz.ui import analysis, doors, thumbnails
from bridgeviz.ui.maps import counterparts, picked_rows

PAGES = Path(__file__).resolve().parents[2] / "pages"
NAMES = ("data", "pairs_and_cost", "coupling", "diagnose")
TINY = {"dataset": "blobs", "steps": "20", "percent": "20", "batch_size": "64"}


@pytest.fixture(autouse=True)
def links(monkeypatch):
    """Fresh caches, and the links that a page draws: a page run by itself has no router that could resolve them."""
    found = []
    monkeypatch.setattr(st, "page_link", lambda page, **_: found.append(page))
    yield found
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(name, monkeypatch=None, problem=None, **link):
    if problem is not None:
        monkeypatch.setattr(datasets, "load", lambda *_, **__: problem)
    test = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=60)
    for key, value in {**TINY, **link}.items():
        test.query_params[key] = value
    test.run()
    assert not test.exception, test.exception
    return test


def texts(test):
    parts = [*test.markdown, *test.caption, *test.info, *test.warning, *test.success, *test.error, *test.subheader]
    return " ".join(str(part.value) for part in parts)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_asks_its_question_and_leads_on(name, links):
    test = opened(name)
    assert links
    assert all((PAGES.parent / link).is_file() for link in links)
    assert test.title[0].value.endswith("?")
    assert not test.error


@pytest.mark.parametrize("name", NAMES[:3])
@pytest.mark.parametrize("strategy", ["true", "global", "local"])
def test_every_strategy_is_shown(name, strategy):
    assert not opened(name, strategy=strategy).error


@pytest.mark.parametrize("name", NAMES[:3])
@pytest.mark.parametrize("kind", ["no labels", "no truth of labels", "words"])
def test_other_peoples_problems_do_not_break_a_page(name, kind, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), rng.normal(size=(60, 3))
    words = np.array(["ant", "bee", "cat"])[np.arange(60) % 3]
    labels = {"no labels": (None, None), "no truth of labels": (words, None), "words": (words, words)}[kind]
    truth = np.stack([np.arange(60)] * 2, axis=1)
    problem = bv.Problem(bv.Space(x, labels=labels[0]), bv.Space(y, labels=labels[1]), truth=truth)
    test = opened(name, monkeypatch, problem)
    assert not test.error
    if kind != "words":
        assert "label" in texts(test)


def test_the_overlap_on_the_page_is_the_metric():
    test = opened("data")
    problem = bv.load("blobs", overlap=0.3)
    value = bv.metrics.point_overlap(problem.source.x, problem.source.labels).mean()
    assert f"{value:.1%}" in texts(test)


def test_classes_without_a_pair_are_named():
    test = opened("pairs_and_cost", dataset="digits", percent="0.2")
    pairs = bv.load("digits").sample_pairs(0.002)
    missing = sorted(set(range(10)) - set(bv.load("digits").source.labels[pairs.source].tolist()))
    assert ", ".join(map(str, missing)) in test.warning[0].value


def test_picking_points_changes_the_way():
    test = opened("pairs_and_cost")
    test.number_input(key="pick_source").set_value(7)
    test.number_input(key="pick_target").set_value(11).run()
    assert not test.exception
    problem = bv.load("blobs", overlap=0.3)
    legs = bv.costs.legs(problem.source.x, problem.target.x, problem.sample_pairs(0.2), 7, 11)
    assert f"{legs.cost:.3f}" in [metric.value for metric in test.metric]


def test_the_accuracy_on_the_page_is_the_plans():
    test = opened("coupling")
    problem = bv.load("blobs", overlap=0.3)
    plan = bv.couplings.linear(bv.costs.bridge(problem.source.x, problem.target.x, problem.sample_pairs(0.2)))
    value = bv.metrics.matching_accuracy(plan, problem.source.labels, problem.target.labels)
    assert test.metric[0].value == f"{value:.1%}"
    assert f"{plan.iterations:,} iterations" in test.success[0].value


def test_a_plan_that_did_not_converge_says_what_to_try(monkeypatch):
    linear = bv.couplings.linear
    monkeypatch.setattr(bv.couplings, "linear", lambda cost, **more: linear(cost, max_iterations=10, **more))
    test = opened("coupling", epsilon="0.001")
    assert "larger epsilon" in test.warning[0].value


def test_too_few_pairs_is_one_plain_sentence():
    test = opened("coupling", percent="0.01")
    assert "fraction" in test.error[0].value


def test_without_a_run_diagnose_offers_to_train_one():
    test = opened("diagnose")
    assert "no finished run" in test.info[0].value
    assert test.button(key="train").label == "Train now"


@pytest.mark.parametrize("strategy", ["global", "local", "true"])
def test_a_run_is_diagnosed(strategy):
    config = bv.RunConfig(
        dataset="blobs", options={"overlap": 0.3}, fraction=0.2, steps=20, batch_size=64, strategy=strategy
    )
    run = bv.run(config)
    test = AppTest.from_file(str(PAGES / "diagnose.py"), default_timeout=60)
    for key, value in {**TINY, "strategy": strategy}.items():
        test.query_params[key] = value
    test.session_state["_run"] = run
    test.run()
    assert not test.exception, test.exception
    assert not test.error
    wrong = round((1 - run.metrics["test_accuracy"]) * len(run.problem.test.source))
    assert f"**{wrong:,} of {len(run.problem.test.source):,}**" in texts(test)
    before = texts(test)
    test.selectbox(key=f"point_{id(run)}").set_value(0).run()
    assert not test.exception, test.exception
    assert texts(test) != before


def test_a_click_or_a_brush_gives_row_numbers():
    event = {"selection": {"points": [{"customdata": 4}, {"customdata": [2]}, {"x": 1.0}, {"customdata": 4}]}}
    assert picked_rows(event).tolist() == [2, 4]
    assert picked_rows(None).tolist() == []


def test_counterparts_follow_the_truth():
    problem = bv.load("blobs", n=40).reversed()
    assert sorted(counterparts(problem, np.array([3, 5]))) == [3, 5]
    assert counterparts(problem, np.array([], int)) is None
    assert counterparts(bv.Problem(problem.source, problem.target), np.array([1])) is None


def test_a_sheet_holds_every_picture_in_its_place():
    import base64
    import io

    from PIL import Image

    pictures = np.arange(5 * 8 * 8).reshape(5, 8, 8).astype(np.uint8)
    sheet, across = thumbnails._sheet(pictures, across=3)
    whole = np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet.split(",")[1]))))
    assert (across, whole.shape) == (3, (16, 24))
    np.testing.assert_array_equal(whole[8:, 8:16], pictures[4])


def test_numbers_are_cached_by_what_they_depend_on():
    config = bv.RunConfig(dataset="blobs", options={"overlap": 0.3}, fraction=0.2)
    other = bv.RunConfig(dataset="blobs", options={"overlap": 0.3}, fraction=0.2, steps=7, epsilon=0.5)
    assert analysis.spaces(config) == analysis.spaces(other)
    assert doors.key(config) != doors.key(other)
    assert analysis.panel(config, "source") is analysis.panel(other, "source")
