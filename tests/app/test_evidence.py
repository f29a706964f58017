"""The pages Paper and Which method?, drawn from the shipped files."""

from __future__ import annotations

import pytest

import bridgeviz as bv
from bridgeviz.experiments._verdicts import most_overlap
from bridgeviz.experiments.claims import CLAIMS
from bridgeviz.ui.panels import evidence, thumbnails
from bridgeviz.ui.work import runs

from .driver import load

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def test_every_claim_has_a_verdict_a_picture_and_a_command(links):
    app = load("paper").run()
    assert not app.exception
    assert app.title[0].value.endswith("?")
    assert len(app.subheader) == len(CLAIMS) + 1
    shown = " ".join(block.value for block in app.markdown)
    for place, claim in enumerate(CLAIMS):
        dataset = next(iter(claim.results))
        assert claim.claim in shown
        assert evidence._measured(place, dataset)[1].numbers in shown
        assert claim.commands[dataset] in [block.value for block in app.code]
    table = app.dataframe[0].value
    assert len(table) == sum(len(claim.results) for claim in CLAIMS)
    assert links == ["pages/flow.py", "pages/which_method.py"]


def test_another_data_set_has_another_verdict():
    app = load("paper").run()
    place = next(place for place, claim in enumerate(CLAIMS) if claim.figures == (5,))
    app.session_state[f"evidence_{place}"] = "tiny-imagenet"
    app = app.run()
    assert not app.exception
    shown = " ".join(block.value for block in app.markdown)
    assert evidence._measured(place, "tiny-imagenet")[1].numbers in shown


@pytest.mark.parametrize("dataset", ["mnist", "tiny-imagenet"])
def test_the_classes_that_overlap_most_have_pictures_where_there_are_any(dataset, monkeypatch):
    monkeypatch.delenv("BRIDGEVIZ_DATA", raising=False)  # without the pictures of Tiny-ImageNet
    strips = []
    monkeypatch.setattr(thumbnails, "strip", lambda pictures, captions: strips.append(len(pictures)))
    place = next(place for place, claim in enumerate(CLAIMS) if claim.figures == (5,))
    app = load("paper").run()
    app.session_state[f"evidence_{place}"] = dataset
    app = app.run()
    (toggle,) = app.toggle
    app = toggle.set_value(True).run()
    assert not app.exception
    named = most_overlap(CLAIMS[place].rows(dataset))
    assert len(named) == 5
    if dataset == "mnist":
        assert strips == [evidence.PICTURES_PER_CLASS] * 5
        shown = " ".join(block.value for block in app.markdown)
        assert all(f"**{name}**" in shown for name in named)
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
