"""The pages Paper and Which method?, drawn from the shipped files."""

from __future__ import annotations

import pytest

from bridgeviz.experiments.claims import CLAIMS
from bridgeviz.ui.panels import evidence

from .driver import load

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def test_every_claim_has_a_verdict_a_picture_and_a_command(links):
    app = load("paper").run()
    assert not app.exception
    assert app.title[0].value.endswith("?")
    assert len(app.subheader) == len(CLAIMS)
    shown = " ".join(block.value for block in app.markdown)
    for place, claim in enumerate(CLAIMS):
        dataset = next(iter(claim.results))
        assert claim.claim in shown
        assert evidence._measured(place, dataset)[1].numbers in shown
        assert claim.commands[dataset] in [block.value for block in app.code]
    table = app.dataframe[0].value
    assert len(table) == sum(len(claim.results) for claim in CLAIMS)
    assert links == ["pages/which_method.py"]


def test_another_data_set_has_another_verdict():
    app = load("paper").run()
    place = next(place for place, claim in enumerate(CLAIMS) if claim.figures == (5,))
    app.session_state[f"evidence_{place}"] = "tiny-imagenet"
    app = app.run()
    assert not app.exception
    shown = " ".join(block.value for block in app.markdown)
    assert evidence._measured(place, "tiny-imagenet")[1].numbers in shown


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
