"""The search for nearest neighbours: exactly, or by descent with its recall."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int

SAMPLE = 200
"""Rows on which the recall is measured."""

_ROWS = 4096  # whose chords are computed at a time


def exact(points: Float[np.ndarray, "u p"], k: int) -> tuple[Float[np.ndarray, "u k"], Int[np.ndarray, "u k"]]:
    """The chords to the k nearest other points, and their numbers (scikit-learn)."""
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=k).fit(points).kneighbors()  # a point is not its own neighbour


def searched(
    points: Float[np.ndarray, "u p"], k: int
) -> tuple[Float[np.ndarray, "u k"], Int[np.ndarray, "u k"], float]:
    """The same by descent in float32 (Dong et al. 2011, PyNNDescent): most of the k nearest, and which share of them.

    The chords are exact. A row for which the descent finds fewer than k is searched exactly.
    """
    from pynndescent import NNDescent
    from sklearn.neighbors import NearestNeighbors

    u, rows = len(points), np.arange(len(points))
    descent = NNDescent(points.astype(np.float32), n_neighbors=k + 1, random_state=0, compressed=True)
    graph: Any = descent.neighbor_graph
    found = np.asarray(graph[0], np.int64)
    bad = (found == rows[:, None]) | (found < 0)
    short = np.flatnonzero(bad.sum(1) > 1)
    order = np.argsort(bad, axis=1, kind="stable")[:, :k]  # without the row itself, or without the last one
    index = np.take_along_axis(found, order, axis=1)
    sample = np.random.default_rng(0).choice(u, min(SAMPLE, u), replace=False)
    asked = np.unique(np.concatenate([short, sample]))
    nearest = (
        NearestNeighbors(n_neighbors=k + 1, algorithm="brute")
        .fit(points)
        .kneighbors(points[asked], return_distance=False)
    )
    alone = np.argsort(nearest == asked[:, None], axis=1, kind="stable")[:, :k]
    nearest = np.take_along_axis(nearest, alone, axis=1)
    at = np.searchsorted(asked, sample)
    recall = np.mean([np.isin(mine, theirs).mean() for mine, theirs in zip(nearest[at], index[sample], strict=True)])
    index[short] = nearest[np.searchsorted(asked, short)]
    chord = np.empty((u, k))
    for first in range(0, u, _ROWS):
        part = slice(first, first + _ROWS)
        chord[part] = np.linalg.norm(points[part, None] - points[index[part]], axis=2)
    order = np.argsort(chord, axis=1, kind="stable")
    return np.take_along_axis(chord, order, 1), np.take_along_axis(index, order, 1), float(recall)
