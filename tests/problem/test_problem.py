"""Spaces, problems, and sampling pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridgeviz as bv


def problem(n: int = 40, classes: int = 4) -> bv.Problem:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % classes
    truth = np.stack([rng.permutation(n), rng.permutation(n)], axis=1)
    space = bv.Space(rng.normal(size=(n, 3)), labels=labels)
    return bv.Problem(space, bv.Space(rng.normal(size=(n, 2)), labels=labels), truth=truth)


@given(seed=st.integers(0, 10**6), few=st.integers(0, 40), many=st.integers(0, 40), cover=st.booleans())
def test_a_larger_draw_contains_a_smaller_one(seed, few, many, cover):
    few, many = sorted((few, many))
    if cover and few < 4:
        few, many = 4, max(many, 4)
    p = problem()
    small = p.sample_pairs(count=few, seed=seed, cover_classes=cover)
    large = p.sample_pairs(count=many, seed=seed, cover_classes=cover)
    assert len(small) == few
    np.testing.assert_array_equal(np.asarray(large)[:few], small)
    known = set(map(tuple, p.truth))
    assert set(map(tuple, np.asarray(large))) <= known
    assert len(set(map(tuple, np.asarray(large)))) == many


@pytest.mark.parametrize(("fraction", "count"), [(1.0, 40), (0.5, 20), (0.1, 4), (0.045, 2), (0.03, 1), (0.0, 0)])
def test_a_fraction_refers_to_the_known_pairs(fraction, count):
    p = problem()
    pairs = p.sample_pairs(fraction, seed=1)
    assert len(pairs) == count
    np.testing.assert_array_equal(pairs, p.sample_pairs(count=count, seed=1))
    assert isinstance(pairs, bv.Pairs)
    assert pairs.shape == (count, 2)


def test_the_seed_determines_the_draw():
    p = problem()
    np.testing.assert_array_equal(p.sample_pairs(0.5, seed=3), p.sample_pairs(0.5, seed=3))
    assert (np.asarray(p.sample_pairs(0.5, seed=3)) != np.asarray(p.sample_pairs(0.5, seed=4))).any()


@given(seed=st.integers(0, 10**6), count=st.integers(4, 40))
def test_cover_classes_draws_a_pair_of_every_class(seed, count):
    p = problem()
    pairs = p.sample_pairs(count=count, seed=seed, cover_classes=True)
    assert set(p.source.labels[pairs.source[:4]]) == {0, 1, 2, 3}
    assert len(pairs) == count


def test_pairs_have_source_and_target_rows():
    pairs = bv.Pairs([[0, 3], [2, 1]], shape=(3, 4))
    np.testing.assert_array_equal(pairs.source, [0, 2])
    np.testing.assert_array_equal(pairs.target, [3, 1])
    assert type(pairs.source) is np.ndarray


def test_take_restricts_a_space_to_some_rows():
    images = np.arange(5 * 4).reshape(5, 2, 2)
    space = bv.Space(np.eye(5), labels=list("abbca"), names=["A", "B", "C"], images=images)
    part = space.take([4, 1])
    np.testing.assert_array_equal(part.x, np.eye(5)[[4, 1]])
    np.testing.assert_array_equal(part.labels, ["a", "b"])
    np.testing.assert_array_equal(part.classes, list("abc"))
    assert list(part.names) == ["A", "B", "C"]
    np.testing.assert_array_equal(part.pictures([1, 0]), images[[1, 4]])
    np.testing.assert_array_equal(space.take(np.array([True, False, True, False, False])).x, np.eye(5)[[0, 2]])
    assert space.take([0, 4]).labels is None
    assert bv.Space(np.eye(2)).pictures([0]) is None
    assert len(space) == 5


def test_labels_and_arrays_are_cleaned():
    space = bv.Space([[1, 2], [3, 4]], labels=[1.0, 2.0])
    assert space.x.dtype == np.float64
    assert space.labels.dtype == np.int64
    assert space.names == ("1", "2")
    assert bv.Space(np.ones((2, 2), np.float16)).x.dtype == np.float32
    assert bv.Space(np.ones((2, 2), np.float32)).x.dtype == np.float32


def test_what_carries_names_is_read_by_them():
    x = pd.DataFrame(np.eye(4), index=list("abcd"))
    space = bv.Space(x, labels=pd.Series({"d": "D", "c": "C", "b": "B", "a": "A"}))
    assert space.labels.tolist() == list("ABCD")
    part = bv.Space(x.loc[list("ca")], labels=pd.Series(list("ABCD"), index=list("abcd")).loc[list("ca")])
    assert part.labels.tolist() == ["C", "A"]
    assert bv.Space(np.eye(2), labels=pd.Series([4, 5], index=[7, 3])).labels.tolist() == [4, 5]  # names of no row here
    table = pd.DataFrame({"target": [1, 2], "weight": [0.5, 0.5], "source": [3, 0]})
    np.testing.assert_array_equal(bv.Pairs(table, shape=(5, 5)), [[3, 1], [0, 2]])
    np.testing.assert_array_equal(bv.Pairs(pd.DataFrame([[3, 1]]), shape=(5, 5)), [[3, 1]])


def test_reversed_swaps_everything():
    p = problem()
    test = problem(20)
    both = bv.Problem(p.source, p.target, truth=p.truth, test=test, name="n")
    back = both.reversed()
    assert back.source is p.target
    assert back.shape == (40, 40)
    np.testing.assert_array_equal(back.truth, p.truth[:, ::-1])
    assert back.test.source is test.target
    assert back.name == "n"
    np.testing.assert_array_equal(back.reversed().truth, p.truth)
