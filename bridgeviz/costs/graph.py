"""Neighbour graphs within a space, on its atoms: their edges, their islands, the shortest ways along them."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra
from sklearn.neighbors import NearestNeighbors

from bridgeviz.costs.atoms import Atoms
from bridgeviz.costs.intra import Metric

_KEPT = 8
_recent: OrderedDict[tuple, tuple[np.ndarray, np.ndarray]] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k nearest other atoms of each atom.

    Attributes:
        points: (u, p) the atoms, embedded so that the metric is a multiple of the squared chord between them.
        distance: (u, k) in the metric.
        index: (u, k) atoms.
    """

    points: Float[np.ndarray, "u p"]
    distance: Float[np.ndarray, "u k"]
    index: Int[np.ndarray, "u k"]

    @property
    def rows(self) -> np.ndarray:
        """(u, k) the atom each entry belongs to."""
        return np.repeat(np.arange(len(self.index)), self.index.shape[1]).reshape(self.index.shape)

    def graph(self, weight: np.ndarray, *, keep: np.ndarray | None = None) -> sparse.csr_array:
        """The symmetric (u, u) graph: an edge where either end counts the other among its neighbours."""
        u = len(self.points)
        where = slice(None) if keep is None else keep
        w = sparse.csr_array((weight[where].ravel(), (self.rows[where].ravel(), self.index[where].ravel())), (u, u))
        return sparse.csr_array(w.maximum(w.T))


def neighbours(x: np.ndarray, atoms: Atoms, *, metric: Metric, k: int) -> Neighbours:
    """Exact nearest neighbours (scikit-learn) among the atoms of x; all others where there are fewer than k.

    The last few answers are kept: other pairs, another cost or another fold ask the same of the same space.
    """
    points = metric.embed(x[atoms.rows].astype(np.float64), "x", "neighbours")
    reach = min(k, len(points) - 1)
    if reach == 0:
        return Neighbours(points, np.zeros((1, 0)), np.zeros((1, 0), np.int64))
    key = hashlib.blake2b(points.tobytes(), digest_size=16).digest(), points.shape, reach
    with _lock:
        found = _recent.get(key)
    if found is None:
        found = NearestNeighbors(n_neighbors=reach).fit(points).kneighbors()  # a row itself is not counted
        for array in found:
            array.flags.writeable = False
    with _lock:
        _recent[key] = found
        _recent.move_to_end(key)
        while len(_recent) > _KEPT:
            _recent.popitem(last=False)
    chord, index = found
    return Neighbours(points, metric.scale * chord**2, index)


def islands(graph: sparse.csr_array) -> tuple[int, np.ndarray]:
    """How many parts of the graph have no edge between them, and the part of each atom."""
    count, part = connected_components(graph, directed=False)
    return int(count), part


def joined(graph: sparse.csr_array, points: np.ndarray, length) -> sparse.csr_array:
    """The graph with its islands joined: each to the rest by its shortest straight edge, until there is one.

    Args:
        graph: symmetric, edges with their lengths.
        points: embedded atoms.
        length: chord -> length of an edge.
    """
    count, part = islands(graph)
    while count > 1:
        found = []
        # The largest island need not look: every other one will reach it or something that does.
        for one in np.argsort(-np.bincount(part), kind="stable")[1:]:
            inside = part == one
            other = np.flatnonzero(~inside)
            chord, at = NearestNeighbors(n_neighbors=1).fit(points[other]).kneighbors(points[inside])
            nearest = int(chord[:, 0].argmin())
            found.append((np.flatnonzero(inside)[nearest], other[at[nearest, 0]], length(chord[nearest, 0])))
        i, j, edge = (np.array(column) for column in zip(*found, strict=True))
        bridge = sparse.csr_array((edge, (i, j)), shape=graph.shape)
        graph = sparse.csr_array(graph.maximum(bridge).maximum(bridge.T))
        count, part = islands(graph)
    return graph


def ways(graph: sparse.csr_array, groups: Sequence[np.ndarray]) -> Float[np.ndarray, "u g"]:
    """Length of the shortest way along the graph from each atom to the nearest member of each group (Dijkstra)."""
    if all(len(group) == 1 for group in groups):
        return np.ascontiguousarray(dijkstra(graph, directed=False, indices=np.concatenate(groups)).T)
    return np.stack([dijkstra(graph, directed=False, indices=group, min_only=True) for group in groups], axis=1)
