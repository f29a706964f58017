"""Equal rows are found by a hash, and the hash decides nothing."""

from __future__ import annotations

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz import costs
from bridgeviz.costs import METRICS, _equal_rows, _legs, find_atoms


def sorted_atoms(x):
    """As `np.unique` has them, in order of first appearance."""
    first, index, counts = np.unique(x, axis=0, return_index=True, return_inverse=True, return_counts=True)[1:]
    rank = np.argsort(np.argsort(first))
    return np.sort(first), rank[index.reshape(-1)], counts[np.argsort(first)]


KINDS = {
    "float64": lambda rng: rng.integers(0, 3, (200, 4)).astype(float),
    "float32": lambda rng: rng.integers(0, 3, (200, 4)).astype(np.float32),
    "float16": lambda rng: rng.integers(0, 3, (200, 3)).astype(np.float16),
    "integers": lambda rng: rng.integers(0, 3, (200, 4)),
    "booleans": lambda rng: rng.random((200, 5)) < 0.5,
    "minus zero": lambda rng: rng.choice([0.0, -0.0, 1.0], (200, 4)),
    "distinct": lambda rng: rng.random((200, 4)),
    "one row": lambda rng: rng.random((1, 4)),
    "every other": lambda rng: rng.integers(0, 3, (200, 8))[:, ::2].astype(float),
}
HASHES = {
    "hash": _equal_rows.row_hashes,
    "constant": lambda rows: np.zeros(len(rows), np.uint64),
    "weak": lambda rows: (np.asarray(rows)[:, 0] > 0).astype(np.uint64),
}


@pytest.mark.parametrize("hashing", HASHES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_atoms_are_those_of_a_sort_whatever_the_hash(kind, hashing, monkeypatch):
    x = KINDS[kind](np.random.default_rng(0))
    monkeypatch.setattr(_equal_rows, "row_hashes", HASHES[hashing])
    monkeypatch.setattr(_equal_rows, "NUMBERS", 60)  # blocks of some rows
    atoms = find_atoms(x)
    for mine, theirs in zip((atoms.rows, atoms.index, atoms.multiplicity), sorted_atoms(x), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("hashing", HASHES)
@pytest.mark.parametrize("metric", METRICS)
def test_rows_that_a_metric_cannot_tell_apart(metric, hashing, monkeypatch):
    rng = np.random.default_rng(1)
    x = rng.random((30, 5)).astype(np.float32)[rng.integers(30, size=100)] * rng.choice([1.0, 2.0, 3.0], (100, 1))
    whole = sorted_atoms(METRICS[metric].distinct(x))
    monkeypatch.setattr(_equal_rows, "row_hashes", HASHES[hashing])
    monkeypatch.setattr(_equal_rows, "NUMBERS", 40)
    atoms = costs.bridge(x, x, [[0, 0]], metric=metric).source_atoms
    for mine, theirs in zip((atoms.rows, atoms.index, atoms.multiplicity), whole, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert atoms.exact == (metric == "sqeuclidean")


def test_means_and_undefined_rows_by_blocks(monkeypatch):
    x = np.random.default_rng(2).normal(size=(50, 6)) + 30
    weights = np.random.default_rng(3).dirichlet(np.ones(50))
    whole = {name: (metric.mean(x), metric.mean(x, weights)) for name, metric in METRICS.items()}
    monkeypatch.setattr(_equal_rows, "NUMBERS", 20)
    for name, metric in METRICS.items():
        dense = metric.matrix(x, x)
        np.testing.assert_allclose((metric.mean(x), metric.mean(x, weights)), whole[name], rtol=1e-9)
        np.testing.assert_allclose(whole[name], (dense.mean(), weights @ dense @ weights), rtol=1e-9)
    x[33] = 0
    with pytest.raises(bv.InputError, match="row 33"):
        METRICS["cosine"].require_defined(x, "x", "test")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("shape", [(80, 60), (60, 80)], ids=str)
def test_legs_that_are_not_stored_are_those_that_are(metric, dtype, shape, monkeypatch):
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(shape[0], 7)).astype(dtype), rng.normal(size=(shape[1], 5))[rng.integers(20, size=shape[1])]
    pairs = np.stack([np.arange(25), rng.integers(shape[1], size=25)], axis=1)
    stored = costs.bridge(x, y, pairs, metric=metric)
    monkeypatch.setattr(_legs, "HUGE", 0)
    monkeypatch.setattr(_legs, "ROWS", 9)
    monkeypatch.setattr(_legs, "ANCHORS", 7)
    lazy = costs.bridge(x, y, pairs, metric=metric)
    assert isinstance(lazy.source_factor, _legs.Legs)
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(lazy.on_atoms, stored.on_atoms, atol=tolerance)
    assert (lazy.dense()[pairs[:, 0], pairs[:, 1]] == 0).all()
    rows, columns = rng.integers(shape[0], size=9), rng.integers(shape[1], size=4)
    np.testing.assert_allclose(lazy.block(rows, columns), stored.block(rows, columns), atol=tolerance)
    np.testing.assert_allclose(lazy.unmerged().dense(), stored.dense(), atol=tolerance)
    free = np.setdiff1d(np.arange(shape[1]), pairs[:, 1])[:1]
    forbidden = [[3, int(free[0])]] if len(free) else [[3, int(pairs[5, 1])]]
    np.testing.assert_allclose(lazy.forbid(forbidden).dense(), stored.forbid(forbidden).dense(), atol=tolerance)
    assert lazy.nbytes_factors < stored.nbytes_factors
