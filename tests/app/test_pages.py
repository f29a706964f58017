"""Start and Flow without a browser, and what every page does with a bad link."""

from __future__ import annotations

import itertools

import pytest
from streamlit.testing.v1 import AppTest

import bridgeviz as bv
from bridgeviz.ui.panels import live
from bridgeviz.ui.state import values
from bridgeviz.ui.work import training

from .driver import PATIENCE, ROOT, job_of, load

PAGES = ["data", "pairs_and_cost", "coupling", "flow", "diagnose"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def page(name: str, **link: str) -> AppTest:
    return load(name, **{"dataset": "blobs", "percent": "10", "steps": "20", **link}).run()


def test_the_router_opens_start():
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=PATIENCE).run()
    assert not app.exception
    assert app.title[0].value.endswith("?")
    assert [metric.label for metric in app.metric][:1] == ["Pairs used"]


def test_flow_asks_its_question_and_leads_on(links):
    app = page("flow")
    assert not app.exception
    assert not app.error
    assert app.title[0].value.endswith("?")
    assert links == ["pages/diagnose.py"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("link", [{"epsilon": "-1"}, {"dataset": "nope"}])
def test_a_bad_link_is_a_message(name, link):
    app = page(name, **link)
    assert not app.exception
    ((key, value),) = link.items()
    assert f"{key}={value}" in app.error[0].value
    assert [button.label for button in app.button] == ["Reset settings"]


@pytest.mark.parametrize(
    "link",
    [
        {"steps": "1e3"}, {"steps": "500.0"}, {"steps": "9" * 400}, {"rows": "1e3"}, {"k": "5.0", "cost": "knn"},
        {"percent": "+5"}, {"percent": " 5"}, {"seed": "٣"}, {"seed": "1_0"}, {"epsilon": "1e-2"}, {"epsilon": "0x1"},
        {"epsilon": "inf"}, {"alpha": "0.250", "solver": "fgw"}, {"reverse": "True"},
        {"dataset": "![x](http://h/x.png)"}, {"dataset": ":material/home:"},
    ],
    ids=str,
)  # fmt: skip
def test_an_unusual_text_in_a_link_is_read_or_named(link):
    app = page("flow", **link)
    assert not app.exception
    key, value = next(iter(link.items()))
    assert len(app.error) <= 1
    for error in app.error:
        assert f"{key}=" in error.value
        if set(value) & set("[:"):  # nothing from a link is read as Markdown
            assert f"{key}={value}" not in error.value


def test_reset_brings_every_control_back():
    app = page("data")
    app.selectbox(key="strategy").set_value("local").run()
    assert (app.selectbox(key="dataset").value, app.selectbox(key="strategy").value) == ("blobs", "local")
    next(button for button in app.button if button.label == "Reset settings").click().run()
    assert not app.exception
    assert (app.selectbox(key="dataset").value, app.selectbox(key="strategy").value) == ("digits", "global")
    assert app.select_slider(key="percent").value == "2"


def test_reset_wins_over_what_a_link_says_of_a_control_that_was_not_shown():
    app = page("data", strategy="true", cost="knn")
    assert "cost" not in [box.key for box in app.selectbox]
    next(button for button in app.button if button.label == "Reset settings").click().run()
    assert app.selectbox(key="cost").value == values.defaults()["cost"]
    assert "cost" not in app.query_params


def test_what_the_library_refuses_is_a_message():
    app = page("flow", percent="0.1", cover="true")
    assert not app.exception
    assert "Got" in app.error[0].value
    assert "Reset settings" in [button.label for button in app.button]


@pytest.mark.parametrize(
    "link", [{"strategy": "true"}, {"dataset": "swiss-roll"}, {"dataset": "digits", "reverse": "true"}]
)
def test_flow_draws_for_every_kind_of_problem(link):
    assert not page("flow", **link).exception


def test_flow_before_the_first_training_says_what_to_do():
    app = page("flow")
    assert "Nothing is trained yet" in app.info[0].value


def test_flow_trains_in_the_background_and_shows_the_result():
    app = page("flow")
    app.button(key="train").click().run()
    assert not app.exception
    assert app.button(key="train").disabled
    job_of(app).join(PATIENCE)
    app.run()
    assert not app.exception
    assert not app.button(key="train").disabled
    shown = {metric.label: metric.value for metric in app.metric}
    assert "Flow: right on new points" in shown
    assert "Detour" not in shown  # measured when its panel is opened
    app.session_state["travel"] = True
    app.run()
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert 0 < float(shown["Spread of the ends"]) < 2
    assert 0 < float(shown["Error of the solver"]) < 1
    assert shown["Mass of a point"] == "1"


def test_the_map_of_neighbourhoods_shows_its_progress_and_can_be_cancelled(monkeypatch):
    def fit(straight, run, *, report):
        for epoch in itertools.count():
            report(min(epoch, 30), 60)

    monkeypatch.setattr(training, "with_neighbourhoods", fit)
    app = load("flow")
    app.session_state["_run"] = bv.run(bv.RunConfig(dataset="blobs", fraction=0.2, steps=20, batch_size=64))
    app.session_state["map"] = live.NEIGHBOURHOODS
    app.run()
    job = job_of(app, "map")
    while job.snapshot().step < 30:
        pass
    assert "Arranging the points of all frames** · 30 of 60" in job.snapshot().text
    app.run()
    app.button(key="stop_map").click().run()
    job.join(PATIENCE)
    assert not app.exception
    assert job.snapshot().state == "cancelled"
    assert app.session_state["map"] == live.STRAIGHT
    assert not [button for button in app.run().button if button.key == "stop_map"]


@pytest.mark.parametrize(("reweight", "mass"), [(True, " to "), (False, "not learned")])
def test_flow_says_how_much_mass_the_points_of_an_unbalanced_plan_have(reweight, mass):
    options = {"fraction": 0.2, "steps": 20, "batch_size": 64, "tau": (0.9, 1.0)}
    app = load("flow")
    app.session_state["_run"] = bv.run(bv.RunConfig(dataset="blobs", reweight=reweight, **options))
    app.session_state["travel"] = True
    app.run()
    assert not app.exception
    assert mass in next(metric.value for metric in app.metric if metric.label == "Mass of a point")


def test_flow_goes_on_with_the_run_that_start_has_shown():
    app = load("flow").run()
    assert not app.exception
    assert "This run came with bridgeviz: **It works: digits**" in app.info[0].value
    assert "Flow: right on new points" in [metric.label for metric in app.metric]
    app.number_input(key="seed").set_value(3).run()
    assert "Nothing is trained yet" in app.info[0].value


@pytest.mark.parametrize("name", ["flow", "diagnose"])
def test_a_saved_run_of_the_present_settings_is_offered_at_once(name):
    first = page("flow")
    first.button(key="train").click().run()
    job_of(first).join(PATIENCE)
    again = page(name)
    assert "A finished run with these settings is saved" in again.info[0].value
    again.button(key="open_saved").click().run()
    job_of(again).join(PATIENCE)
    again.run()
    assert not again.exception
    assert again.session_state["_run"].config == first.session_state["_jobs"]["training"].key
    again.number_input(key="seed").set_value(3).run()
    assert not [button for button in again.button if button.key == "open_saved"]
    again.number_input(key="seed").set_value(0).run()


def test_a_training_says_which_settings_it_has():
    app = page("flow", steps="100000", seed="3")
    app.button(key="train").click().run()
    job = job_of(app)
    job.pause()
    app.run()
    (caption,) = [caption.value for caption in app.caption if caption.value.startswith("This training")]
    settings = "blobs, 10 % of the pairs, global, diffusion_bridge, Seed 3, Training steps 100000"
    assert caption == f"This training: {settings}."
    app.number_input(key="seed").set_value(4).run()
    assert any(caption.value.endswith("they do not affect it.") for caption in app.caption)
    job.cancel()
    job.join(PATIENCE)


def test_flow_says_that_the_settings_have_changed():
    app = page("flow")
    app.button(key="train").click().run()
    job_of(app).join(PATIENCE)
    app.run()
    app.number_input(key="seed").set_value(3).run()
    assert "have changed" in app.info[0].value


def test_a_failed_job_is_one_sentence():
    app = page("flow", learning_rate="1", steps="100")
    app.button(key="train").click().run()
    job = job_of(app)
    job.join(PATIENCE)
    job.update(state="failed", error="The loss became nan at step 3 of 100.", run=None)
    app.run()
    assert not app.exception
    assert app.error[0].value.startswith("The loss became")


def test_a_control_changes_the_config():
    app = page("flow")
    app.selectbox(key="strategy").select("true").run()
    assert not app.exception
    with pytest.raises(KeyError):
        app.selectbox(key="cost")
