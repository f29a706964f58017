"""The islands of a neighbour graph: its connected components, how to join them, and which have no pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import sparse

from bridgeviz.costs._anchors import Anchored
from bridgeviz.costs._graph import SHORTEST


def islands(graph: sparse.csr_array) -> tuple[int, np.ndarray]:
    """The number of islands, and (u,) the island of each atom."""
    from scipy.sparse.csgraph import connected_components

    count, island = connected_components(graph, directed=False)
    return int(count), island


def join_islands(graph: sparse.csr_array, points: np.ndarray, length: Callable[[float], float]) -> sparse.csr_array:
    """The graph with every island joined to the rest by its shortest straight edge, until it is connected.

    Args:
        graph: symmetric, the edges weighted by their lengths.
        points: (u, p) embedded atoms.
        length: from the chord between two points to the length of an edge.
    """
    from sklearn.neighbors import NearestNeighbors

    count, island = islands(graph)
    for _ in range(count):  # each round joins every island to another one
        if count == 1:
            break
        edges = []
        # The largest island can be left out: every other one joins it, or an island that does.
        for number in np.argsort(-np.bincount(island), kind="stable")[1:]:
            inside = island == number
            outside = np.flatnonzero(~inside)
            chord, at = NearestNeighbors(n_neighbors=1).fit(points[outside]).kneighbors(points[inside])
            nearest = int(chord[:, 0].argmin())
            shortest = max(length(chord[nearest, 0]), SHORTEST)
            edges.append((np.flatnonzero(inside)[nearest], outside[at[nearest, 0]], shortest))
        i, j, lengths = (np.array(column) for column in zip(*edges, strict=True))
        joints = sparse.csr_array((lengths, (i, j)), shape=graph.shape)
        graph = sparse.csr_array(graph.maximum(joints).maximum(joints.T))
        count, island = islands(graph)
    return graph


def island_facts(graph: sparse.csr_array, anchored: Anchored, side: str) -> dict[str, int]:
    """The number of islands of a side's graph, and the number of rows on islands without an anchor ("stranded")."""
    count, island = islands(graph)
    atoms, _ = anchored.atoms(side)
    paired = np.unique(island[np.concatenate(anchored.members(side))])
    letter = "x" if side == "source" else "y"
    return {
        f"islands_{letter}": count,
        f"stranded_{letter}": int(atoms.multiplicity[~np.isin(island, paired)].sum()),
    }


def island_advice(facts: Mapping[str, Any], k: int, consequence: str) -> str:
    """A sentence or two if any row lies on an island without a pair, else ""."""
    stranded = [
        f"{facts[f'stranded_{letter}']:,} {side} rows lie on islands of the neighbour graph without a pair "
        f"({facts[f'islands_{letter}']:,} islands in all)"
        for letter, side in (("x", "source"), ("y", "target"))
        if facts[f"stranded_{letter}"]
    ]
    if not stranded:
        return ""
    return f"{'; '.join(stranded)}. They {consequence}: add pairs there, or try a larger k (now {k})."
