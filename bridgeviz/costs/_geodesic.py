"""The geodesic bridge: Eq. 6 along the cloud of points instead of along straight lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz._options import Interval, option
from bridgeviz.costs._anchors import Anchored, anchor
from bridgeviz.costs._combine import min_plus
from bridgeviz.costs._cost import Cost
from bridgeviz.costs._cost_options import CostOptions, CostVariant, functional, metric_option, neighbours_option
from bridgeviz.costs._graph import SHORTEST, neighbours, path_lengths
from bridgeviz.costs._islands import island_advice, island_facts, join_islands
from bridgeviz.costs._route import Route


@dataclass(frozen=True, kw_only=True)
class GeodesicBridge(CostOptions):
    r"""`C[i, j] = min_p g_X(x_i, x_p) + g_Y(y_p, y_j)`: Eq. 6 with graph geodesics g in place of straight distances.

    Each space gets a kNN graph with edges of length `d^power`, d the metric, and the shortest path along it from every
    row to every anchor (Dijkstra; every path from X to Y crosses a pair). A power above 1 makes many short steps
    cheaper than one long step, so that paths keep to dense regions (Fermat distances). Each side is divided by its
    mean over all paths from anchors to rows. Range [0, inf), of order 1.

    Choose it when classes are curved or stretched clouds. Where they are not, it is no better than `bridge`:
    `bridgeviz bench costs` has both cases.

    The islands of a graph are joined, each by its shortest straight edge, so that every cost is finite. `facts` counts
    the islands (`islands_x`, `islands_y`) and the rows on islands without a pair (`stranded_x`, `stranded_y`), whose
    paths are a guess; `advice` says what to do.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond, l >= 1.
        metric: "cosine", "sqeuclidean" or "pearson".
        k: neighbours in the graphs, >= 1, counted in distinct rows; a space with fewer uses them all.
        power: exponent of the edges' lengths, >= 0.5; with "sqeuclidean", 0.5 gives plain Euclidean lengths.

    Raises:
        InputError: as for `bridge`, or `k` or `power` out of range.

    >>> import numpy as np
    >>> x = np.array([[0.0], [1.0], [2.0], [9.0]])
    >>> cost = geodesic_bridge(x, x, [[0, 0]], metric="sqeuclidean", k=1, power=1.0)
    >>> cost.facts["islands_x"], cost.facts["stranded_x"]
    (1, 0)
    """

    name = "geodesic_bridge"
    summary = "over the cheapest pair, along the cloud of points"
    lead = (
        "The cheapest path over one pair, as in Eq. 6, but its legs keep to the cloud of points, from neighbour to "
        "neighbour."
    )
    formula = r"C_{ij} = \min_p \; g_X(x_i, x_p) + g_Y(y_p, y_j)"
    variants = (CostVariant({}, title="geodesic bridge"), CostVariant({"k": 5}))
    metric: str = metric_option("cosine")
    k: int = neighbours_option()
    power: float = option(
        Interval(0.5),
        2.0,
        label="Power of steps",
        stops=("0.5", "1", "2", "3", "4"),
        limits=(0.5, 20.0),
        help="Above 1, many short steps are cheaper than one long step, so that paths keep to dense regions.",
    )

    def build(self, x: ArrayLike, y: ArrayLike, pairs: ArrayLike) -> Cost:
        """The cost between the rows of x and y."""
        anchored = anchor(x, y, pairs, self.metric, self.name)
        sides = {side: self._side(anchored, side) for side in ("source", "target")}
        facts = {name: value for side in sides.values() for name, value in side.facts.items()}
        return Cost(
            name=self.name,
            source_factor=sides["source"].factor,
            target_factor=sides["target"].factor,
            combine=min_plus,
            source_atoms=anchored.source,
            target_atoms=anchored.target,
            anchors=anchored.pairs,
            facts=facts,
            advice=island_advice(facts, self.k, "are joined by straight edges"),
            route=partial(_geodesic_route, anchored, sides),
        )

    def _side(self, anchored: Anchored, side: str) -> _Side:
        """The graph of one space and the shortest paths along it."""
        points, letter = (anchored.x, "x") if side == "source" else (anchored.y, "y")
        atoms, _ = anchored.atoms(side)
        near = neighbours(points, atoms, metric=anchored.metric, k=self.k)
        scale = anchored.metric.scale
        extent = 2 * scale * float(near.points.var(0).sum())  # the mean distance between all atoms
        # The unit keeps powers in range, also where most rows are copies up to rounding; the mean cancels it.
        typical = max(float(np.median(near.distance)) if near.distance.size else 0.0, 1e-10 * extent) or 1.0
        lengths = (near.distance / typical) ** self.power
        graph = near.graph(np.maximum(lengths, SHORTEST))
        facts: dict[str, Any] = island_facts(graph, anchored, side)
        graph = join_islands(graph, near.points, lambda chord: (scale * chord**2 / typical) ** self.power)
        factor = path_lengths(graph, anchored.members(side))
        mean = float(atoms.multiplicity @ factor.mean(1) / atoms.multiplicity.sum())
        with np.errstate(over="ignore"):  # in the units of the space, a high power may be infinite
            facts[f"mean_{letter}"] = float(mean * np.float64(typical) ** self.power)
        mean = mean or 1.0
        return _Side(graph=graph, mean=mean, factor=factor / mean, facts=facts)


geodesic_bridge = functional(GeodesicBridge)


class _Side(NamedTuple):
    """One space: its connected graph, the mean length of its paths, (u, g) their lengths over that mean, and facts."""

    graph: sparse.csr_array
    mean: float
    factor: np.ndarray
    facts: dict[str, Any]


def _geodesic_route(anchored: Anchored, sides: dict[str, _Side], i: int, j: int) -> Route:
    """The pair and the two paths that make the cost of rows i and j."""
    from scipy.sparse.csgraph import dijkstra

    legs, predecessors = [], []
    for (name, side), row in zip(sides.items(), (i, j), strict=True):
        atoms, at = anchored.atoms(name)
        length, previous = dijkstra(side.graph, directed=False, indices=atoms.index[row], return_predecessors=True)
        legs.append((length / side.mean)[at])
        predecessors.append(previous)
    p = int(np.argmin(legs[0] + legs[1]))
    paths = []
    for column, (name, previous, row) in enumerate(zip(sides, predecessors, (i, j), strict=True)):
        atoms, at = anchored.atoms(name)
        path, node = [int(anchored.pairs[p, column])], int(at[p])
        for _ in range(len(atoms)):
            if node == atoms.index[row]:
                break
            node = int(previous[node])
            path.append(int(atoms.rows[node]))
        paths.append([*(path[:-1] if len(path) > 1 else path), row])
    return Route(pair=p, leg_x=float(legs[0][p]), leg_y=float(legs[1][p]), way_x=paths[0][::-1], way_y=paths[1])
