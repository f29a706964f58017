"""The pages Paper and Which method?, drawn from the shipped files."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

import bridgeviz as bv
from bridgeviz.experiments._verdicts import most_overlap
from bridgeviz.experiments.claims import CLAIMS
from bridgeviz.ui.panels import evidence, thumbnails
from bridgeviz.ui.state import link, values
from bridgeviz.ui.work import runs

from .driver import load

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def opened(*places: int):
    """The page Paper with some claims open."""
    app = load("paper").run()
    for place in range(len(CLAIMS)):
        app.session_state[f"claim{place + 1}"] = place in places
    return app.run()


def shown(app) -> str:
    return " ".join(block.value for block in app.markdown)


def place_of(figure: int) -> int:
    return next(place for place, claim in enumerate(CLAIMS) if figure in claim.figures)


def test_every_claim_has_a_line_with_its_verdicts_and_one_is_open(links):
    app = load("paper").run()
    assert not app.exception
    assert app.title[0].value.endswith("?")
    lines = [line.label for line in app.expander if "badge[" in line.label]
    assert len(lines) == len(CLAIMS)
    for place, (claim, line) in enumerate(zip(CLAIMS, lines, strict=True)):
        assert claim.title in line
        assert all(f"badge[{name}: {evidence._measured(place, name)[1].outcome}]" in line for name in claim.results)
    assert [block.value for block in app.code] == [CLAIMS[evidence.OPEN].commands["mnist"]]
    assert CLAIMS[evidence.OPEN].claim in shown(app)
    assert links == ["pages/flow.py", "pages/which_method.py"]


def test_an_open_claim_has_its_numbers_and_its_command():
    app = opened(*range(len(CLAIMS)))
    assert not app.exception
    for place, claim in enumerate(CLAIMS):
        dataset = next(iter(claim.results))
        assert claim.claim in shown(app)
        assert evidence._measured(place, dataset)[1].numbers in shown(app)
        assert claim.commands[dataset] in [block.value for block in app.code]


def test_another_data_set_has_another_verdict():
    place = place_of(5)
    app = opened(place)
    app.session_state[f"evidence_{place}"] = "tiny-imagenet"
    app = app.run()
    assert not app.exception
    assert evidence._measured(place, "tiny-imagenet")[1].numbers in shown(app)


@pytest.mark.parametrize("dataset", ["mnist", "tiny-imagenet"])
def test_the_classes_that_overlap_most_have_pictures_where_there_are_any(dataset, monkeypatch):
    monkeypatch.delenv("BRIDGEVIZ_DATA", raising=False)  # without the pictures of Tiny-ImageNet
    strips = []
    monkeypatch.setattr(thumbnails, "strip", lambda pictures, captions: strips.append(len(pictures)))
    place = place_of(5)
    app = opened(place)
    app.session_state[f"evidence_{place}"] = dataset
    app = app.run()
    (toggle,) = app.toggle
    app = toggle.set_value(True).run()
    assert not app.exception
    named = most_overlap(CLAIMS[place].rows(dataset))
    assert len(named) == 5
    if dataset == "mnist":
        assert strips == [evidence.PICTURES_PER_CLASS] * 5
        assert all(f"**{name}**" in shown(app) for name in named)
    else:
        assert "not on this machine" in " ".join(block.value for block in app.caption)


def test_methods_are_drawn_by_number_of_pairs():
    app = load("which_method").run()
    assert not app.exception
    assert app.selectbox[0].value == "mnist"
    assert "automatic" in app.multiselect[0].value
    first = app.dataframe[-1].value
    assert first.pairs.tolist() == ["10 pairs, one per class", "1 %"]
    app = app.selectbox[0].select("two-encoders").run()
    assert not app.exception
    table = app.dataframe[-1].value
    assert table.pairs.tolist() == ["0 pairs", "20 pairs", "100 pairs", "1,000 pairs"]
    app.multiselect[0].set_value([])
    assert not app.run().exception


def test_the_pairs_of_the_present_data_are_asked():
    app = load("which_method", dataset="blobs", percent="10").run()
    assert not app.exception
    assert "blobs, 10 % of the pairs" in " ".join(block.value for block in app.markdown)
    assert "Recommend a cost" in [button.label for button in app.button]
    app = load("which_method", dataset="blobs", percent="0", cost="auto").run()
    assert not app.exception
    assert "Without pairs" in app.info[0].value


def test_runs_of_ones_own_stand_beside_the_claims(monkeypatch, tmp_path):
    other, cut, scored = (
        bv.RunConfig(dataset=dataset, fraction=fraction)
        for dataset, fraction in (("blobs", 0.1), ("mnist", 0.2), ("mnist", 0.1))
    )
    monkeypatch.setattr(
        runs,
        "listed",
        lambda: [
            runs.Saved(other, other.flow.steps, {"test_accuracy": 0.5}, 0.0, tmp_path),
            runs.Saved(cut, 10, {}, 0.0, tmp_path),
            runs.Saved(scored, scored.flow.steps, {"test_accuracy": 0.75}, 0.0, tmp_path),
        ],
    )
    app = load("paper").run()
    assert not app.exception
    table = app.dataframe[-1].value
    assert table[["Dataset", "Test accuracy"]].values.tolist() == [["mnist", "75.0%"]]


def test_each_claim_can_be_tried_on_its_page_with_settings_that_are_valid(monkeypatch):
    opened_pages = []
    monkeypatch.setattr(link, "open_page", opened_pages.append)
    for claim in CLAIMS:
        assert claim.page in {"", "data", "coupling", "flow"}
        for dataset in claim.results:
            values.config_of(values.texts_of(claim.config(dataset)))
    place = place_of(9)
    app = opened(place)
    (button,) = [one for one in app.button if one.key == f"open_claim_{place}"]
    app = button.click().run()
    assert not app.exception
    assert opened_pages == ["flow"]
    stored = app.session_state["_settings"]
    assert (stored["dataset"], stored["percent"], stored["cost"]) == ("mnist", "1", "auto")


def test_the_numbers_of_pairs_of_a_kind_can_be_tried(monkeypatch):
    opened_pages = []
    monkeypatch.setattr(link, "open_page", opened_pages.append)
    app = load("which_method").run()
    assert [one.label for one in app.button if (one.key or "").startswith("try_")] == ["10 pairs, one per class", "1 %"]
    app = next(one for one in app.button if one.label == "1 %").click().run()
    assert opened_pages == ["flow"]
    stored = app.session_state["_settings"]
    assert (stored["dataset"], stored["percent"], stored["cost"]) == ("mnist", "1", "auto")
    app = app.selectbox[0].select("rotated-mnist").run()  # not in the app
    assert not [one for one in app.button if (one.key or "").startswith("try_")]


def test_a_count_of_pairs_becomes_the_share_that_draws_as_many(monkeypatch):
    monkeypatch.setattr(link, "open_page", lambda _: None)
    app = load("which_method").run()
    app = app.selectbox[0].select("snare-seq").run()
    app = next(one for one in app.button if one.label == "50 pairs").click().run()
    assert not app.exception
    config = values.config_of(app.session_state["_settings"])
    problem = config.data.dataset.load()
    assert len(problem.sample_pairs(config.fraction)) == 50


def compared():
    """A run on MNIST beside the others, as Diagnose shows them; its dataset is in the session."""
    from types import SimpleNamespace

    import numpy as np
    import streamlit as st

    from bridgeviz import RunConfig
    from bridgeviz.ui.panels import others

    config = RunConfig(dataset=st.session_state["name"], fraction=0.01)
    problem = SimpleNamespace(truth=np.zeros((10_000, 2), int))
    run = SimpleNamespace(config=config, pairs=range(100), problem=problem, metrics={"test_accuracy": 0.5})
    others.show(run)


def test_a_run_stands_among_the_methods_that_were_measured_on_its_data(monkeypatch):
    opened_pages = []
    monkeypatch.setattr(link, "open_page", opened_pages.append)
    app = AppTest.from_function(compared)
    app.session_state["name"] = "mnist"
    app = app.run()
    assert not app.exception
    table = app.dataframe[0].value
    assert table.method.tolist().count("this run") == 1
    figure = table["new points: accuracy"]
    assert figure.tolist() == sorted(figure, reverse=True)
    ahead = int((figure > 0.5).sum())
    assert ahead == list(table.method).index("this run")
    every = bv.experiments.others(bv.datasets.Mnist(), pairs=100, known=10_000, numbers={"test_accuracy"}).medians
    beyond = sum(value > 0.5 for value in every.values())
    assert f"{beyond} of {len(every)} methods are ahead of this run" in app.markdown[0].value
    assert "100 pairs (this run has 100)" in app.markdown[0].value
    app = app.button[0].click().run()
    assert opened_pages == ["which_method"]
    assert app.session_state[evidence.KIND] == "mnist"


def test_a_run_on_other_data_is_sent_to_the_page_alone():
    app = AppTest.from_function(compared)
    app.session_state["name"] = "blobs"
    app = app.run()
    assert not app.exception
    assert not app.dataframe
    assert "not among them" in app.markdown[0].value
