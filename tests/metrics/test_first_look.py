"""What a space is like, and how alike two spaces are on their pairs."""

from __future__ import annotations

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.metrics import inspect, linear_cka, mutual_neighbours

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 6))


def test_a_plain_space_has_no_cautions():
    found = inspect(bv.Space(X))
    assert (found.rows, found.columns, found.distinct, found.islands) == (80, 6, 80, 1)
    assert found.cautions == ()
    assert found.metric == "cosine"


@pytest.mark.parametrize(
    ("change", "caution", "metric"),
    [
        (lambda x: np.vstack([x, x[:3]]), "repeat another one: 3 of 83", "cosine"),
        (lambda x: np.vstack([x, np.zeros((1, 6))]), "Rows of zeros: 1.", "sqeuclidean"),
        (lambda x: np.hstack([x, np.ones((80, 1))]), "1 of 7.", "cosine"),
        (lambda x: x * [1, 1, 1, 1, 1, 1e4], "One column varies", "cosine"),
        (lambda x: x[:4], "more columns (6) than rows (4)", "cosine"),
        (lambda x: np.vstack([x, x + 100]), "2 islands", "cosine"),
        (lambda x: x + 100, None, "sqeuclidean"),
        (lambda x: x[:, :2], None, "sqeuclidean"),
    ],
)
def test_what_may_go_wrong_is_named(change, caution, metric):
    found = inspect(bv.Space(change(X)))
    assert found.metric == metric
    assert caution is None or any(caution in text for text in found.cautions), found.cautions


def test_a_rare_class_is_named():
    labels = np.r_[np.zeros(40), np.ones(39), 2].astype(int)
    found = inspect(bv.Space(X, labels=labels, names=["a", "b", "c"]))
    assert found.classes == {"a": 40, "b": 39, "c": 1}
    assert "The smallest class, 'c', has 1 of 80 rows." in found.cautions
    assert found.lines()["Classes"] == "3, with 1 to 40 rows"


def test_cka_is_its_definition_and_invariant():
    y = RNG.normal(size=(80, 4)) + X[:, :4]
    xc, yc = X - X.mean(0), y - y.mean(0)
    expected = np.linalg.norm(xc.T @ yc) ** 2 / np.linalg.norm(xc.T @ xc) / np.linalg.norm(yc.T @ yc)
    assert linear_cka(X, y).value == pytest.approx(expected)
    turn = np.linalg.qr(RNG.normal(size=(4, 4)))[0]
    assert linear_cka(X, 5 * y @ turn + 3).value == pytest.approx(expected)
    assert linear_cka(X, np.ones((80, 2))).value == 0


def test_mutual_neighbours_are_their_definition():
    y = RNG.normal(size=(80, 4)) + X[:, :4]
    shares = []
    units = [(s - s.mean(0)) / np.linalg.norm(s - s.mean(0), axis=1, keepdims=True) for s in (X, y)]
    for i in range(80):
        near = [set(np.argsort(-np.delete(u @ u[i], i))[:10]) for u in units]
        shares.append(len(near[0] & near[1]) / 10)
    assert mutual_neighbours(X, y).value == pytest.approx(np.mean(shares))


@pytest.mark.parametrize("likeness", [linear_cka, mutual_neighbours])
def test_chance_is_that_of_unrelated_rows(likeness):
    y = RNG.normal(size=(80, 40))
    unrelated, same = likeness(X, y), likeness(X, X)
    assert unrelated.value == pytest.approx(unrelated.chance, abs=0.05)
    assert unrelated.p > 0.02
    assert same.value == pytest.approx(1)
    assert same.p == 1 / 201
    with pytest.raises(bv.InputError, match="one row per row of 'x'"):
        likeness(X, y[:-1])
