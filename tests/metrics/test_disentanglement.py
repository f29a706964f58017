"""The mutual information gap against cases whose value is known, and properties of drawn strokes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

import bridgeviz as bv
from bridgeviz.metrics import _disentanglement as module
from bridgeviz.metrics import mutual_information_gap, stroke_properties


def test_the_information_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    a, b = rng.integers(6, size=500), rng.integers(4, size=500)
    assert module._information(a, b) == pytest.approx(mutual_info_score(a, b), abs=1e-12)


def test_a_code_that_holds_each_factor_alone_has_a_gap_of_one_and_copies_have_none():
    rng = np.random.default_rng(0)
    classes, other = rng.integers(5, size=3000), rng.integers(5, size=3000)
    factors = {"class": classes, "other": other}
    assert mutual_information_gap(np.column_stack([classes, other]), factors) == pytest.approx(1, abs=0.01)
    assert mutual_information_gap(np.column_stack([classes, classes, other, other]), factors) == pytest.approx(0)
    noise = rng.normal(size=(3000, 3))
    assert mutual_information_gap(noise, factors) < 0.02


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (np.zeros((5, 1)), {"v": np.arange(5)}, "at least two dimensions"),
        (np.eye(5), {"v": np.zeros(5)}, "a factor that varies"),
        (np.eye(5), {"v": np.arange(4)}, "one value per code"),
    ],
)
def test_wrong_factors_are_refused(codes, factors, message):
    with pytest.raises(bv.InputError, match=message):
        mutual_information_gap(codes, factors)


def drawn(width: int, length: int, slant: float) -> np.ndarray:
    """A stroke of 40 x 40 pixels."""
    picture = np.zeros((40, 40))
    for row in range(20 - length // 2, 20 + length // 2):
        middle = 20 - slant * (row - 20)
        picture[row, round(middle - width / 2) : round(middle + width / 2)] = 1
    return picture


def test_strokes_have_the_slant_width_and_length_that_they_were_drawn_with():
    pictures = np.stack([drawn(4, 30, 0), drawn(8, 30, 0), drawn(4, 16, 0), drawn(4, 30, 0.4), np.zeros((40, 40))])
    found = stroke_properties(pictures)
    assert found["slant"][:3] == pytest.approx(0, abs=0.03)
    assert found["slant"][3] == pytest.approx(0.4, abs=0.05)
    assert found["width"][:2] == pytest.approx([4, 8], abs=0.6)
    assert found["length"][0] / found["length"][2] == pytest.approx(30 / 16, rel=0.1)
    assert [found[name][4] for name in ("slant", "width", "length")] == [0, 1, 0]
