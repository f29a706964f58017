"""Neighbour graphs within a space, on its atoms: their edges and the shortest paths along them."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from bridgeviz.costs._atoms import Atoms
from bridgeviz.costs._intra import Metric

APPROXIMATE = 20_000
"""Atoms above which neighbours are searched by descent instead of exactly, and their recall is measured."""

SHORTEST = np.finfo(float).tiny
"""The length of an edge between points at distance 0: sparse matrices drop an edge of length 0."""

_CACHE_SIZE = 8
_cache: OrderedDict[tuple, tuple[np.ndarray, np.ndarray, float]] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k nearest other atoms of each atom.

    Attributes:
        points: (u, p) the atoms, embedded so that the metric is a multiple of the squared chord between them.
        distance: (u, k) in the metric.
        index: (u, k) atoms.
        recall: the share of the nearest atoms that are among them, measured on a sample of rows; 1 if they are exact.
    """

    points: Float[np.ndarray, "u p"]
    distance: Float[np.ndarray, "u k"]
    index: Int[np.ndarray, "u k"]
    recall: float = 1.0

    @property
    def rows(self) -> np.ndarray:
        """(u, k) the atom whose neighbour each entry is."""
        return np.repeat(np.arange(len(self.index)), self.index.shape[1]).reshape(self.index.shape)

    def graph(self, weight: np.ndarray, *, keep: np.ndarray | None = None) -> sparse.csr_array:
        """The symmetric (u, u) graph: an edge where either end has the other among its neighbours.

        Args:
            weight: (u, k) of the edges.
            keep: (u, k) mask of the neighbours that count; None keeps all.
        """
        u = len(self.points)
        where = slice(None) if keep is None else keep
        w = sparse.csr_array((weight[where].ravel(), (self.rows[where].ravel(), self.index[where].ravel())), (u, u))
        return sparse.csr_array(w.maximum(w.T))


def neighbours(x: np.ndarray, atoms: Atoms, *, metric: Metric, k: int) -> Neighbours:
    """Nearest neighbours among the atoms of x; all other atoms where there are fewer than k.

    They are exact (scikit-learn) up to `APPROXIMATE` atoms. Above, they are found by descent (PyNNDescent), and
    `recall` says how many of the nearest are found.

    The last few results are cached, because other pairs, another cost or another fold ask for the same neighbours.
    """
    points = _near_the_origin(metric.embed(x[atoms.rows].astype(np.float64), "x", "neighbours"))
    k = min(k, len(points) - 1)
    if k == 0:
        return Neighbours(points=points, distance=np.zeros((1, 0)), index=np.zeros((1, 0), np.int64))
    chord, index, recall = _cached_neighbours(points, k)
    return Neighbours(points=points, distance=metric.scale * chord**2, index=index, recall=recall)


def _near_the_origin(points: np.ndarray) -> np.ndarray:
    """Points far from the origin are centred: the search expands squared distances, which then lose their digits."""
    centre = points.mean(0)
    far = float(centre @ centre) > 100 * float(points.var(0).sum())
    return points - centre if far else points


def _cached_neighbours(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, float]:
    """The chords to k near neighbours of each point, nearest first, and their numbers, both (u, k); their recall."""
    from bridgeviz.costs._search import exact, searched

    key = hashlib.blake2b(points.tobytes(), digest_size=16).digest(), points.shape, k
    with _lock:
        result = _cache.get(key)
    if result is None:
        result = (*exact(points, k), 1.0) if len(points) <= APPROXIMATE else searched(points, k)
        for array in result[:2]:
            array.flags.writeable = False
    with _lock:
        _cache[key] = result
        _cache.move_to_end(key)
        while len(_cache) > _CACHE_SIZE:
            _cache.popitem(last=False)
    return result


def path_lengths(graph: sparse.csr_array, groups: Sequence[np.ndarray]) -> Float[np.ndarray, "u g"]:
    """The length of the shortest path from each atom to the nearest member of each group (Dijkstra)."""
    from scipy.sparse.csgraph import dijkstra

    if all(len(group) == 1 for group in groups):
        return np.ascontiguousarray(dijkstra(graph, directed=False, indices=np.concatenate(groups)).T)
    return np.stack([dijkstra(graph, directed=False, indices=group, min_only=True) for group in groups], axis=1)
