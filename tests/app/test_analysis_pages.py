"""The four analysis pages: they open, follow the sidebar, and say what is missing instead of failing."""

import importlib
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st
from streamlit.proto.Metric_pb2 import Metric as MetricProto

import bridgeviz as bv
from bridgeviz.datasets import Blobs
from bridgeviz.ui.cache import analysis, pictures
from bridgeviz.ui.panels import advice
from bridgeviz.ui.state.picks import Brush

from .driver import PATIENCE, ROOT, job_of, load

NAMES = ("data", "pairs_and_cost", "coupling", "diagnose")
TINY = {"dataset": "blobs", "cost": "bridge", "steps": "20", "percent": "20", "batch_size": "64"}


@pytest.fixture(autouse=True)
def clear_caches():
    """No page finds the results of another test."""
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(name, monkeypatch=None, problem=None, **link):
    if problem is not None:
        monkeypatch.setattr(Blobs, "load", lambda _: problem)
    test = load(name, **{**TINY, **link}).run()
    assert not test.exception, test.exception
    return test


def texts(test):
    parts = [*test.markdown, *test.caption, *test.info, *test.warning, *test.success, *test.error, *test.header]
    return " ".join(str(part.value) for part in parts)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_asks_its_question_and_leads_on(name, links):
    test = opened(name)
    assert links
    assert all((ROOT / link).is_file() for link in links)
    assert test.title[0].value.endswith("?")
    assert not test.error


@pytest.mark.parametrize("name", NAMES[:3])
@pytest.mark.parametrize("strategy", ["true", "global", "local"])
def test_every_strategy_is_shown(name, strategy):
    assert not opened(name, strategy=strategy).error


@pytest.mark.parametrize("name", ["pairs_and_cost", "coupling"])
def test_without_pairs_the_shapes_are_aligned_and_it_is_said_how_far_to_trust_that(name):
    test = opened(name, percent="0", cost="auto")
    assert not test.exception
    assert not test.error
    assert "auto took **procrustes_bridge**" in texts(test)
    problem = bv.load("blobs", overlap=0.3)
    assert bv.costs.ProcrustesBridge().build_for(problem, np.zeros((0, 2), int)).advice in texts(test)
    if name == "pairs_and_cost":
        assert "Without pairs, none bridges two points." in texts(test)


@pytest.mark.parametrize("name", ["data", "pairs_and_cost", "coupling"])
@pytest.mark.parametrize(("choice", "named"), [({"cost": "bridge"}, "bridge"), ({"strategy": "true"}, "true")])
def test_what_needs_pairs_and_has_none_says_so_and_offers_the_shapes(name, choice, named):
    test = opened(name, percent="0", **choice)
    assert not test.error
    assert f"**{named}** needs known pairs, and at 0 % there are none." in texts(test)
    next(button for button in test.button if button.label == "Align the shapes").click()
    test.run()
    assert not test.exception
    assert not test.error
    assert "needs known pairs" not in texts(test)
    if name != "data":
        assert "auto took **procrustes_bridge**" in texts(test)


@pytest.mark.parametrize("name", NAMES[:3])
@pytest.mark.parametrize("kind", ["no labels", "no target labels", "words"])
def test_problems_without_labels_or_with_words_as_labels_do_not_break_a_page(name, kind, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), rng.normal(size=(60, 3))
    words = np.array(["ant", "bee", "cat"])[np.arange(60) % 3]
    labels = {"no labels": (None, None), "no target labels": (words, None), "words": (words, words)}[kind]
    truth = np.stack([np.arange(60)] * 2, axis=1)
    problem = bv.Problem(bv.Space(x, labels=labels[0]), bv.Space(y, labels=labels[1]), truth=truth)
    test = opened(name, monkeypatch, problem)
    assert not test.error
    if kind != "words":
        assert "label" in texts(test)


@pytest.mark.parametrize("dataset", ["blobs", "digits"])
def test_the_data_page_shows_the_card(dataset):
    test = opened("data", dataset=dataset)
    card = bv.datasets.card(dataset)
    shown = [markdown.value for markdown in test.expander[0].markdown]
    assert [text.split("**")[1] for text in shown] == list(card.lines())
    assert any(card.licence[:20] in text for text in shown)


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


def test_picking_points_changes_the_route():
    test = opened("pairs_and_cost")
    test.number_input(key="pick_source").set_value(7)
    test.number_input(key="pick_target").set_value(11).run()
    assert not test.exception
    problem = bv.load("blobs", overlap=0.3)
    legs = bv.costs.legs(problem.source.x, problem.target.x, problem.sample_pairs(0.2), 7, 11)
    assert f"{legs.cost:.3f}" in [metric.value for metric in test.metric]


def test_a_one_to_one_problem_without_labels_is_judged_by_its_partners(monkeypatch):
    blobs = bv.load("blobs", n=100)
    bare = bv.Problem(bv.Space(blobs.source.x), bv.Space(blobs.target.x), truth=blobs.truth, name="blobs")
    test = opened("coupling", monkeypatch, bare)
    shown = {metric.label: metric.value for metric in test.metric}
    config = bv.RunConfig(dataset="blobs", cost="bridge", fraction=0.2)
    plan = analysis.stages.plan(config)
    pairs = analysis.stages.pairs(config)
    unused = bare.unused(pairs)
    assert len(unused) == 80
    ranked = bv.metrics.partners(plan, unused, known=pairs)
    assert shown["By the plan, nearer than the partner"] == f"{ranked.foscttm:.1%}"
    assert shown["Partner among the first 10"] == f"{ranked.recall(10):.1%}"


def test_the_accuracy_on_the_page_is_the_plans():
    test = opened("coupling")
    problem = bv.load("blobs", overlap=0.3)
    plan = bv.couplings.linear(bv.costs.bridge(problem.source.x, problem.target.x, problem.sample_pairs(0.2)))
    value = bv.metrics.matching_accuracy(plan, problem.source.labels, problem.target.labels)
    assert test.metric[0].value == f"{value:.1%}"
    assert f"{plan.iterations:,} iterations" in test.success[0].value


def numbers_of(test):
    return {metric.label: metric for metric in test.metric}


def test_an_accuracy_is_shown_with_the_rows_that_it_speaks_of():
    even = opened("coupling")
    numbers = numbers_of(even)
    assert numbers["Matching accuracy"].value == numbers["Over all rows"].value
    assert numbers["Rows with mass"].value == "100.0%"
    assert "says nothing about the others" not in texts(even)
    few = opened("coupling", tau_x="0.1", tau_y="0.1")
    numbers = numbers_of(few)
    assert float(numbers["Matching accuracy"].value[:-1]) > 98
    assert float(numbers["Over all rows"].value[:-1]) < 40
    assert float(numbers["Rows with mass"].value[:-1]) < 40
    assert numbers["Matching accuracy"].proto.color == MetricProto.MetricColor.GRAY
    assert "says nothing about the others" in few.warning[0].value
    assert "A larger Tau" in few.warning[0].value
    pairs_alone = opened("coupling", strategy="true")
    assert "says nothing about the others" in pairs_alone.warning[0].value
    assert "Tau" not in pairs_alone.warning[0].value


def test_no_gain_over_chance_is_not_green():
    metric = numbers_of(opened("coupling", epsilon="100"))["Matching accuracy"]
    assert metric.delta.startswith("+0 points")
    assert metric.proto.color == MetricProto.MetricColor.GRAY


def test_a_plan_that_did_not_converge_says_what_to_try(monkeypatch):
    solver = importlib.import_module("bridgeviz.couplings._linear").Linear
    steps = solver.steps
    monkeypatch.setattr(solver, "steps", lambda self, *args: steps(replace(self, max_iterations=10), *args))
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
    test = load("diagnose", **TINY, strategy=strategy)
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


def test_the_errors_are_counted_by_stage_and_a_change_trains_again(monkeypatch):
    run = bv.run(bv.RunConfig(dataset="blobs", options={"overlap": 0.3}, fraction=0.2, steps=20, batch_size=64))
    found = analysis.metrics.failures(run.problem, run.pairs, run.plan, run.flow, cost=run.cost, noises=2)
    found.stages[:] = ["flow"] * 3 + ["overlap"] * 2 + ["undecided"] + ["right"] * (len(found.rows) - 6)
    monkeypatch.setattr(analysis.metrics, "failures", lambda *_, **__: found)
    trained = []
    monkeypatch.setattr("bridgeviz.ui.panels.live.train", trained.append)
    test = load("diagnose", **TINY)
    test.session_state["_run"] = run
    test.run()
    assert not test.exception, test.exception
    shown = texts(test)
    assert f"Of {len(found.rows)} points followed from 2 draws of the noise each, **5 go wrong** and 1 are" in shown
    assert shown.index("**60% flow**: 3 points") < shown.index("**40% overlap**: 2 points")
    for by in ("error", "certainty"):
        test.session_state["failures_by"] = by
        assert not test.run().exception
    (button,) = [button for button in test.button if str(button.key).startswith("mend_")]
    button.click().run()
    assert [config.flow.steps for config in trained] == [40]
    assert str(test.session_state["steps"]) == "40"


def test_training_rows_are_followed_where_the_test_points_have_no_labels(monkeypatch):
    run = bv.run(bv.RunConfig(dataset="blobs", options={"overlap": 0.3}, fraction=0.2, steps=20, batch_size=64))
    bare = replace(run.problem.test, source=replace(run.problem.test.source, labels=None, names=None, classes=None))
    run = replace(run, problem=replace(run.problem, test=bare))
    test = load("diagnose", **TINY)
    test.session_state["_run"] = run
    test.run()
    assert not test.exception, test.exception
    assert "Where do the errors come from?" in texts(test)


def test_a_stopped_run_is_named_and_a_tie_is_no_failure(monkeypatch):
    run = bv.run(bv.RunConfig(dataset="blobs", options={"overlap": 0.3}, fraction=0.2, steps=20, batch_size=64))
    assert not run.stopped
    seconds = {stage: spent for stage, spent in run.seconds.items() if stage != "training"}
    run = replace(run, losses=run.losses[:7], metrics={}, seconds=seconds)
    monkeypatch.setattr("bridgeviz.metrics._story.stage_of", lambda *_: "undecided")
    test = load("diagnose", **TINY)
    test.session_state["_run"] = run
    test.run()
    assert not test.exception, test.exception
    assert "stopped after 7 of 20 steps" in test.warning[0].value
    assert any("Undecided" in info.value for info in test.info)


def test_a_click_or_a_brush_gives_row_numbers():
    brush = Brush.read({"rows": [4, 2, "no row", 4], "boxes": [], "lassos": [], "x": 1.5})
    assert (brush.rows.tolist(), brush.x) == ([2, 4], 1.5)


def test_boxes_and_lassos_surround_points_that_may_have_no_marker():
    points = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.5, 3.0], [1.5, 0.2]])
    notch = {
        "x": [-1, 3, 3, 1, -1],
        "y": [-1, -1, 2.5, 0.5, 2.5],
    }  # its upper edge dips below the second and third point
    box = {"x": [2.5, 0.4], "y": [4, 1]}

    def inside(boxes=(), lassos=()):
        return Brush.read({"rows": [], "boxes": boxes, "lassos": lassos}).inside(points).tolist()

    assert inside(lassos=[notch]) == [0, 4]
    assert inside(boxes=[box]) == [1, 2, 3]
    assert inside(boxes=[box], lassos=[notch]) == [0, 1, 2, 3, 4]
    assert inside() == []


def test_a_sheet_holds_every_picture_in_its_place():
    import base64
    import io

    from PIL import Image

    drawings = np.arange(5 * 8 * 8).reshape(5, 8, 8).astype(np.uint8)
    sheet, across = pictures.tiled(drawings, across=3)
    whole = np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet.split(",")[1]))))
    assert (across, whole.shape) == (3, (16, 24))
    np.testing.assert_array_equal(whole[8:, 8:16], drawings[4])


def test_numbers_are_cached_by_what_they_depend_on():
    config = bv.RunConfig(dataset="blobs", options={"overlap": 0.3}, fraction=0.2)
    other = bv.RunConfig(dataset="blobs", options={"overlap": 0.3}, fraction=0.2, steps=7, epsilon=0.5)
    assert config.key("load") == other.key("load")
    assert config.key("coupling") != other.key("coupling")
    assert analysis.panel(config, "source") is analysis.panel(other, "source")


@pytest.mark.parametrize("cost", bv.costs.COSTS)
def test_every_cost_is_explained_and_shows_its_route(cost):
    test = opened("pairs_and_cost", cost=cost)
    assert not test.error
    assert "Kept as two factors of" in texts(test)
    straight = "No single pair decides" in texts(test)
    assert straight == (cost in ("knn", "kcca", "discriminant_bridge", "procrustes_bridge"))
    labels = [metric.label for metric in test.metric]
    assert ("This pair's share" in labels) == (cost in ("diffusion_bridge", "blend"))


def test_the_options_of_a_cost_reach_the_engine():
    test = opened("pairs_and_cost", cost="knn", knn_form="path", k="5")
    assert test.selectbox(key="knn_form").value == "path"
    assert "diffusion_form" not in [box.key for box in test.selectbox]
    test.select_slider(key="k").set_value("3").run()
    assert not test.exception
    assert not test.error


def test_fgw_offers_alpha_and_says_its_steps():
    test = opened("coupling", solver="fgw", rows="100", alpha="0.25", epsilon="0.05")
    assert "steps at alpha 0.25" in texts(test)
    assert "Fused Gromov-Wasserstein" in texts(test)
    assert "uses none" not in texts(test)
    test.select_slider(key="alpha").set_value("0").run()
    assert "at alpha 0," in texts(test)
    test.select_slider(key="alpha").set_value("1").run()
    assert "alpha 1 compares shapes alone and uses none of them" in texts(test)
    test.selectbox(key="strategy").set_value("local").run()
    assert not test.exception
    assert test.selectbox(key="solver").value == "fgw"
    test.selectbox(key="strategy").set_value("true").run()
    assert not test.exception
    assert "solver" not in [box.key for box in test.selectbox]


def test_what_did_not_converge_says_its_residual_and_what_to_try():
    assert "residual of" in texts(opened("coupling", epsilon="0.00001"))
    assert "of 8 batches Sinkhorn stopped" in texts(opened("coupling", strategy="local", epsilon="0.0001"))
    vanished = opened("coupling", solver="fgw", rows="100", epsilon="0.001", tau_x="0.5", tau_y="0.5")
    assert "it costs less to leave every point out than to move it" in vanished.error[0].value


def test_a_cost_beyond_the_memory_says_its_size_and_offers_a_sample(monkeypatch):
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", "0.005")
    monkeypatch.setattr("bridgeviz.ui.state.values.SAMPLE", 200)
    test = opened("coupling", dataset="swiss-roll", method="dense")
    refusal = "1,000 x 1,000 atoms by the method 'dense' would take 0.0373 GB, above the limit of 0.005 GB"
    assert refusal in test.error[0].value
    next(button for button in test.button if button.label == "Use a sample of 200 rows per side").click().run()
    assert not test.exception
    assert not test.error
    assert test.select_slider(key="rows").value == "200"
    assert "40 of 200 known pairs" in texts(test)


def finished(test, slot):
    job_of(test, slot).join(PATIENCE)
    return test.run()


def test_recommend_shows_its_table_and_its_choice_can_be_used(monkeypatch):
    module = importlib.import_module("bridgeviz.experiments._recommend")
    every = module.candidates
    monkeypatch.setattr(
        module, "candidates", lambda measure, metric: every(measure, metric)[:1] + every(measure, metric)[-2:]
    )
    monkeypatch.setattr(module, "TAUS", module.TAUS[:1])
    test = opened("pairs_and_cost", percent="5")
    test.button(key="ask_recommend").click().run()
    assert not test.exception
    finished(test, "recommend")
    assert not test.exception
    problem = bv.load("blobs", overlap=0.3)
    choice = bv.recommend(problem, problem.sample_pairs(0.05))
    assert choice.reason in texts(test)
    assert test.dataframe[0].value.cost.tolist() == choice.table.cost.tolist()
    test.button(key="use_recommended").click().run()
    assert not test.exception
    assert test.selectbox(key="cost").value == choice.cost
    test.select_slider(key="percent").set_value("10").run()
    assert [button.key for button in test.button if button.key == "ask_recommend"]  # other pairs: start again


def test_tuning_shows_heatmap_and_regression(monkeypatch):
    for name, values in (("EPSILONS", (0.01, 0.1)), ("TAUS", (0.5, 1.0)), ("FRACTIONS", (0.2, 0.4))):
        monkeypatch.setattr(advice, name, values)
    test = opened("coupling")
    test.button(key="ask_tune").click().run()
    finished(test, "tune")
    assert not test.exception
    assert "Highest aes, averaged over fractions" in texts(test)
    assert "of the variance of aes" in texts(test)
    test.select_slider(key="epsilon").set_value("0.1").run()
    assert "of the variance of aes" in texts(test)  # tuning varies epsilon and tau itself
    test.selectbox(key="solver").set_value("fgw").run()
    assert "of the variance of aes" not in texts(test)  # another solver: start again


def test_a_sample_keeps_partners_together():
    problem = bv.load("blobs", n=90)
    small = problem.sample(30, seed=1)
    assert small.shape == (30, 30)
    for i, j in small.truth:
        row = np.flatnonzero((problem.source.x == small.source.x[i]).all(1))[0]
        column = np.flatnonzero((problem.target.x == small.target.x[j]).all(1))[0]
        assert [row, column] in problem.truth.tolist()
    assert problem.sample(500).shape == problem.shape
    run = bv.run(bv.RunConfig(dataset="blobs", rows=40, fraction=0.3, steps=20))
    assert run.problem.shape == (40, 40)


def test_without_labels_the_stage_at_which_partners_are_lost_is_told(monkeypatch):
    labelled = bv.load("blobs", n=80)
    sides = [bv.Space(space.x) for space in (labelled.source, labelled.target)]
    problem = bv.Problem(*sides, truth=labelled.truth)
    config = bv.RunConfig(dataset="blobs", cost="bridge", steps=20, fraction=0.2, batch_size=64)
    run = replace(bv.run(config, problem=problem), config=config)
    monkeypatch.setattr(Blobs, "load", lambda _: problem)
    test = load("diagnose", **TINY)
    test.session_state["_run"] = run
    test.run()
    assert not test.exception, test.exception
    assert "Where do points lose their partner?" in texts(test)
    assert "64 rows whose partner is known" in texts(test)
    assert "Which rows to doubt?" in texts(test)
    (first, *_) = [button for button in test.button if str(button.key).startswith("select_Lost at")]
    first.click().run()
    assert not test.exception, test.exception
    chosen = test.session_state["_selection"]
    assert (
        len(chosen.rows)
        == bv.metrics.lost_partners(problem, run.pairs, run.plan, run.flow, cost=run.cost).counts[
            chosen.name.removeprefix("lost at: ")
        ]
    )
