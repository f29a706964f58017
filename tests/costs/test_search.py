"""Neighbours by descent: near, exact in their chords, and honest about what is missed."""

from __future__ import annotations

import numpy as np

from bridgeviz.costs import _graph, _search, diffusion_bridge


def test_neighbours_by_descent_are_those_that_are_near():
    points = np.random.default_rng(0).normal(size=(600, 8))
    chord, index, recall = _search.searched(points, 7)
    nearest = _search.exact(points, 7)[1]
    assert index.shape == chord.shape == (600, 7)
    assert not (index == np.arange(600)[:, None]).any()
    assert all(len(set(row)) == 7 for row in index)
    np.testing.assert_allclose(chord, np.linalg.norm(points[:, None] - points[index], axis=2))
    assert (np.diff(chord) >= 0).all()
    found = np.mean([np.isin(a, b).mean() for a, b in zip(nearest, index, strict=True)])
    assert recall > 0.9
    assert abs(recall - found) < 0.05


def test_a_bad_descent_is_said(monkeypatch):
    """Neighbours that are drawn at random have almost no recall; rows without enough of them are searched exactly."""

    class Random:
        def __init__(self, points, n_neighbors, **_):
            self.neighbor_graph = (np.random.default_rng(0).integers(0, len(points), (len(points), n_neighbors)), None)
            self.neighbor_graph[0][5] = -1

    monkeypatch.setattr("pynndescent.NNDescent", Random)
    points = np.random.default_rng(0).normal(size=(400, 5))
    _, index, recall = _search.searched(points, 4)
    assert recall < 0.2
    assert set(index[5]) == set(_search.exact(points, 4)[1][5])


def test_large_spaces_are_searched_by_descent_and_say_their_recall(monkeypatch):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 4)), rng.normal(size=(60, 3))
    pairs = np.stack([np.arange(10)] * 2, axis=1)
    exact = diffusion_bridge(x, y, pairs)
    monkeypatch.setattr(_graph, "APPROXIMATE", 100)
    _graph._cache.clear()
    found = diffusion_bridge(x, y, pairs)
    assert (exact.facts["recall_x"], exact.facts["recall_y"]) == (1.0, 1.0)
    assert 0.9 < found.facts["recall_x"] <= 1
    assert found.facts["recall_y"] == 1.0
    _graph._cache.clear()
    assert np.abs(np.exp(-exact.dense()) - np.exp(-found.dense())).sum() < 0.05 * 300
