"""The paper's KNN cost (Appendix F, Eq. 13-16): shortest paths in one graph of both spaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz._options import Choice, Positive, option
from bridgeviz.costs._anchors import Anchored, anchor
from bridgeviz.costs._combine import min_plus, neg_log_inner
from bridgeviz.costs._cost import Cost
from bridgeviz.costs._cost_options import CostOptions, CostVariant, functional, metric_option, neighbours_option
from bridgeviz.costs._graph import SHORTEST, Neighbours, neighbours, path_lengths
from bridgeviz.costs._islands import island_advice, island_facts, join_islands
from bridgeviz.costs._resolvent import resolvent


@dataclass(frozen=True, kw_only=True)
class KNN(CostOptions):
    r"""`C[i, j] = ShortestPath(G_fused, x_i, y_j)` (Eq. 16), by heat or exactly.

    G_fused holds the kNN graph of each space, with the squared distances of Eq. 13-14 on its edges, and one edge per
    pair (Eq. 15). The paper leaves open what these mixed weights mean; here:

    - `form="heat"`, which the paper used: the weights are taken as printed, squared distances within a space and 1 at
      a pair, as conductances of the Laplacian `L = D - W`. Heat flows for one implicit step of length t (Crane et al.
      2013), `H = (I + t L)^-1`, and the cost is `-log H[i, j]`. With t None, Crane's rule takes the squared mean
      length of an edge. Long edges conduct better than short ones: that is the printed weight, and one reason why
      this cost loses to the bridge. Another is the unit: distances are in the units of the spaces, as printed, and
      where these are large, heat is everywhere at once. A small t (0.01 over the mean squared length) counts hops
      instead.
    - `form="path"`: the exact shortest path. Its lengths are the squared distances, divided by their mean in each
      space (H.4), and pairs have length 0. A path may cross several pairs.

    Neither form needs a matrix between all n + m nodes. H is exactly `F_X M F_Y^T`, with one column per group of
    pairs, because all heat crosses a pair (Woodbury). Everything is float64, and for small t every term is positive,
    so that entries of 1e-200 keep their digits. Range [0, inf); not divided by its mean.

    Choose it to reproduce the paper; `geodesic_bridge` and `diffusion_bridge` do better with the same graphs.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond, l >= 1.
        metric: "sqeuclidean" (Eq. 13), "cosine" or "pearson".
        k: neighbours in each space, >= 1, counted in distinct rows.
        form: "heat" or "path".
        t: heat time > 0; None takes Crane's rule. Only for "heat".

    Raises:
        InputError: as for `bridge`, or `k`, `form` or `t` out of range.

    >>> import numpy as np
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> knn(x, x, [[0, 0]], k=1, form="path").dense()[2, 1]  # 2 and 1 steps of squared length 1, their mean 4 / 3
    np.float64(2.25)
    """

    name = "knn"
    summary = "the shortest path in one graph of both spaces (the paper's KNN)"
    lead = "The paper's KNN cost (Eq. 13-16): the shortest path in one graph of both spaces, joined at the pairs."
    formula = r"C_{ij} = \mathrm{ShortestPath}(G_{\mathrm{fused}}, x_i, y_j) \quad (16)"
    variants = (CostVariant({"form": "path"}, title="KNN, exact paths"), CostVariant({}, title="KNN, heat"))
    metric: str = metric_option("sqeuclidean")
    k: int = neighbours_option()
    form: str = option(
        Choice(("heat", "path")),
        "heat",
        label="Form",
        key="knn_form",
        help="heat: one step of heat flow on the graph, as in the paper. path: the exact shortest paths.",
    )
    t: float | None = option(Positive(), None, help="Heat time of form 'heat'; None takes Crane's rule.")

    def __post_init__(self):
        super().__post_init__()
        if self.form == "path" and self.t is not None:
            raise check.fail("t", self.where or self.name, "None with form 'path', which has no heat", self.t)

    def build(self, x: ArrayLike, y: ArrayLike, pairs: ArrayLike) -> Cost:
        """The cost between the rows of x and y."""
        anchored = anchor(x, y, pairs, self.metric, self.name)
        near_x = neighbours(anchored.x, anchored.source, metric=anchored.metric, k=self.k)
        near_y = neighbours(anchored.y, anchored.target, metric=anchored.metric, k=self.k)
        graph_x, graph_y = near_x.graph(near_x.distance), near_y.graph(near_y.distance)
        facts: dict[str, Any] = {"form": self.form, "k": self.k}
        facts.update(island_facts(graph_x, anchored, "source"))
        facts.update(island_facts(graph_y, anchored, "target"))
        if self.form == "path":
            factors = _path_factors(
                anchored, _metric_graph(anchored, anchored.x, near_x), _metric_graph(anchored, anchored.y, near_y)
            )
            combine, consequence = min_plus, "are joined by straight edges"
        else:
            facts["t"] = _crane_time(near_x, near_y) if self.t is None else self.t
            factors = _heat_factors(anchored, graph_x, graph_y, facts["t"])
            combine, consequence = neg_log_inner, "receive no heat and so have the largest cost"
        return Cost(
            name=self.name,
            source_factor=factors[0],
            target_factor=factors[1],
            combine=combine,
            source_atoms=anchored.source,
            target_atoms=anchored.target,
            anchors=anchored.pairs,
            facts=facts,
            advice=island_advice(facts, self.k, consequence),
        )


knn = functional(KNN)


def _pair_edges(anchored: Anchored) -> sparse.csr_array:
    """adj_XY (u, v) on atoms: 1 where any rows of the two are paired."""
    e = sparse.csr_array(anchored.incidence("source") @ anchored.incidence("target").T)
    e.data[:] = 1.0
    return e


def _metric_graph(anchored: Anchored, points: np.ndarray, near: Neighbours) -> sparse.csr_array:
    """The connected graph of one space, its edges in units of the mean distance within the space."""
    scale = anchored.metric.scale / (anchored.metric.mean(points) or 1.0)
    graph = near.graph(np.maximum(near.distance * (scale / anchored.metric.scale), SHORTEST))
    return join_islands(graph, near.points, lambda chord: scale * chord**2)


def _path_factors(
    anchored: Anchored, graph_x: sparse.csr_array, graph_y: sparse.csr_array
) -> tuple[np.ndarray, np.ndarray]:
    """Path lengths from every node of the fused graph to the anchors: their (min, +) product is the shortest path."""
    u = len(anchored.source)
    e = _pair_edges(anchored)
    e.data[:] = SHORTEST
    fused = sparse.csr_array(sparse.block_array([[graph_x, e], [e.T, graph_y]]))
    side = anchored.grouped_by
    lengths = path_lengths(fused, [group + (0 if side == "source" else u) for group in anchored.members(side)])
    return np.ascontiguousarray(lengths[:u]), np.ascontiguousarray(lengths[u:])


def _crane_time(near_x: Neighbours, near_y: Neighbours) -> float:
    """The squared mean length of an edge, over both spaces."""
    edges = np.concatenate([near_x.distance.ravel(), near_y.distance.ravel()])
    return float(np.sqrt(edges).mean() ** 2) or 1.0 if edges.size else 1.0


def _heat_factors(
    anchored: Anchored, w_x: sparse.csr_array, w_y: sparse.csr_array, t: float
) -> tuple[np.ndarray, np.ndarray]:
    r"""The XY block of `(I + t L)^-1` as two factors.

    With `A = I + t (D_X - W_X)`, likewise `B`, and the pairs `P = E_X E_Y^T` (which both degrees include), the block is
    `t F_X (I - t^2 G_Y G_X)^-1 F_Y^T`, where `F_X = A^-1 E_X` and `G_X = E_X^T F_X`, and likewise for Y.
    """
    e_x, e_y = anchored.incidence("source"), anchored.incidence("target")
    e_x.data[:], e_y.data[:] = 1.0, 1.0
    p = _pair_edges(anchored)
    solutions = []
    for w, e, paired in ((w_x, e_x, p.sum(axis=1)), (w_y, e_y, p.sum(axis=0))):
        degree = 1 + t * (np.asarray(w.sum(axis=1)).reshape(-1) + np.asarray(paired).reshape(-1))
        root = 1 / np.sqrt(degree)
        flow = sparse.csr_array(sparse.diags_array(root) @ (t * w) @ sparse.diags_array(root))
        bound = float((np.asarray(w.sum(axis=1)).reshape(-1) * t / degree).max())
        f = root[:, None] * resolvent(flow, root[:, None] * e.toarray(), bound=bound)
        solutions.append((f, e.T @ f))
    (f_x, g_x), (f_y, g_y) = solutions
    middle = np.maximum(np.linalg.inv(np.eye(anchored.groups) - t**2 * g_y @ g_x), 0.0)
    return t * (f_x @ middle), f_y
