"""The geodesic bridge: Eq. 6 along the cloud of points instead of straight through the air."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import dijkstra

from bridgeviz import _checks as check
from bridgeviz.costs.anchors import Anchored, anchor
from bridgeviz.costs.cost import Cost, Route, min_plus
from bridgeviz.costs.graph import islands, joined, neighbours, ways


def geodesic_bridge(
    x: ArrayLike, y: ArrayLike, pairs: ArrayLike, *, metric: str = "cosine", k: int = 10, power: float = 2.0
) -> Cost:
    r"""`C[i, j] = min_p g_X(x_i, x_p) + g_Y(y_p, y_j)`: Eq. 6 with graph geodesics g in place of straight distances.

    A kNN graph in each space, its edges `d^power` long with d the metric, and the shortest way along it from every row
    to every anchor (Dijkstra; every path from X to Y crosses a pair). A power above 1 makes many short steps cheaper
    than one long one, so that ways keep to where points are dense (Fermat distances). Each side is divided by its
    mean over all ways from anchors to rows. Range [0, inf), of order 1.

    Choose it when classes are curved or stretched clouds. Where they are not, it is no better than `bridge`:
    `bridgeviz bench costs` has both cases.

    Islands of a graph are joined, each by its shortest straight edge, so that every cost is finite. `facts` counts
    them (`islands_x`, `islands_y`) and the rows on islands without a pair (`stranded_x`, `stranded_y`), whose way is
    a guess; `advice` says what to do.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond, l >= 1.
        metric: "cosine", "sqeuclidean" or "pearson".
        k: neighbours in the graphs, >= 1, counted in distinct rows; a space with fewer uses them all.
        power: of the edges' lengths, >= 0.5, which with "sqeuclidean" are plain Euclidean lengths.

    Raises:
        InputError: as for `bridge`, or `k` or `power` out of range.

    >>> import numpy as np
    >>> x = np.array([[0.0], [1.0], [2.0], [9.0]])
    >>> cost = geodesic_bridge(x, x, [[0, 0]], metric="sqeuclidean", k=1, power=1.0)
    >>> cost.facts["islands_x"], cost.facts["stranded_x"]
    (1, 0)
    """
    a = anchor(x, y, pairs, metric, "geodesic_bridge")
    k = check.count(k, "k", "geodesic_bridge")
    if check.real(power, "power", "geodesic_bridge", "a float >= 0.5") < 0.5:
        raise check.fail("power", "geodesic_bridge", "a float >= 0.5", power)
    facts: dict[str, Any] = {}
    factors, means, graphs = [], [], []
    for side, points, atoms, letter in (("source", a.x, a.source, "x"), ("target", a.y, a.target, "y")):
        near = neighbours(points, atoms, metric=a.metric, k=k)
        typical = float(np.median(near.distance)) or 1.0 if near.distance.size else 1.0
        lengths = (near.distance / typical) ** power  # the unit is divided out again; it keeps powers in range
        graph = near.graph(lengths)
        facts.update(island_facts(graph, a, side, letter))
        scale = a.metric.scale
        graph = joined(graph, near.points, lambda chord, t=typical, s=scale: (s * chord**2 / t) ** power)
        factor = ways(graph, a.members(side))
        mean = float(atoms.multiplicity @ factor.mean(1) / atoms.multiplicity.sum())
        facts[f"mean_{letter}"] = mean * typical**power
        means.append(mean or 1.0)
        graphs.append(graph)
        factors.append(factor / means[-1])
    return Cost(
        "geodesic_bridge", factors[0], factors[1], min_plus, a.source, a.target,
        anchors=a.pairs, facts=facts, advice=island_advice(facts, k, "are joined by straight edges"),
        route=lambda i, j: _along(a, graphs, means, i, j),
    )  # fmt: skip


def _along(a: Anchored, graphs: list, means: list[float], i: int, j: int) -> Route:
    """The pair and the two ways that make the cost of rows i and j."""
    far, before = [], []
    for (atoms, _), graph, mean, row in zip((a.atoms("source"), a.atoms("target")), graphs, means, (i, j), strict=True):
        length, previous = dijkstra(graph, directed=False, indices=atoms.index[row], return_predecessors=True)
        far.append(length / mean)
        before.append(previous)
    at_x, at_y = (a.atoms(side)[1] for side in ("source", "target"))
    p = int(np.argmin(far[0][at_x] + far[1][at_y]))
    ways = []
    for side, at, previous, row in (("source", at_x, before[0], i), ("target", at_y, before[1], j)):
        atoms, _ = a.atoms(side)
        end, node = int(a.pairs[p, 0 if side == "source" else 1]), int(at[p])
        way = [end]
        while node != atoms.index[row]:
            node = int(previous[node])
            way.append(int(atoms.rows[node]))
        ways.append([*(way[:-1] if len(way) > 1 else way), row])
    return Route(p, float(far[0][at_x[p]]), float(far[1][at_y[p]]), ways[0][::-1], ways[1])


def island_facts(graph, a: Anchored, side: str, letter: str) -> dict[str, int]:
    """How many islands a side's graph has, and how many rows lie on one without an anchor."""
    count, part = islands(graph)
    atoms, _ = a.atoms(side)
    reached = np.unique(part[np.concatenate(a.members(side))])
    return {
        f"islands_{letter}": count,
        f"stranded_{letter}": int(atoms.multiplicity[~np.isin(part, reached)].sum()),
    }


def island_advice(facts: dict[str, Any], k: int, what: str) -> str:
    """One sentence if any row lies on an island without a pair, else ""."""
    said = [
        f"{facts[f'stranded_{letter}']:,} {side} rows lie on islands of the neighbour graph without a pair "
        f"({facts[f'islands_{letter}']:,} islands in all)"
        for letter, side in (("x", "source"), ("y", "target"))
        if facts[f"stranded_{letter}"]
    ]
    if not said:
        return ""
    return f"{'; '.join(said)}. They {what}: add pairs there, or try a larger k (now {k})."
