"""The paper's KNN cost (Appendix F, Eq. 13-16): shortest paths in one graph of both spaces."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz.costs.anchors import Anchored, anchor
from bridgeviz.costs.cost import Cost, min_plus, neg_log_inner
from bridgeviz.costs.geodesic import island_advice, island_facts
from bridgeviz.costs.graph import joined, neighbours, ways
from bridgeviz.costs.resolvent import resolvent

FORMS = ("heat", "path")


def knn(
    x: ArrayLike,
    y: ArrayLike,
    pairs: ArrayLike,
    *,
    metric: str = "sqeuclidean",
    k: int = 10,
    form: str = "heat",
    t: float | None = None,
) -> Cost:
    r"""`C[i, j] = ShortestPath(G_fused, x_i, y_j)` (Eq. 16), by heat or exactly.

    G_fused holds the kNN graph of each space, with the squared distances of Eq. 13-14 on its edges, and an edge for
    each pair (Eq. 15). The paper leaves open what these mixed weights mean; here:

    - `form="heat"`, which the paper used: the weights are taken as they are printed, squared distances within a space
      and 1 at a pair, as conductances of the Laplacian `L = D - W`; heat flows for one implicit step of length t
      (Crane et al. 2013), `H = (I + t L)^-1`, and the cost is `-log H[i, j]`. None for t takes Crane's rule, the
      squared mean length of an edge. Far edges conduct better than near ones: that is the printed weight, and one
      reason why this cost loses to the bridge. So does the unit: distances are taken in the spaces' own, as printed,
      and in large ones heat is everywhere at once. A small t (0.01 over the mean squared length) counts hops instead.
    - `form="path"`: the exact shortest path, its lengths the squared distances, divided by their mean in each space
      (H.4), and pairs of length 0. A path may cross several pairs.

    Neither is ever a matrix between all n + m nodes. H is `F_X M F_Y^T` exactly, with one column a group of pairs,
    because all heat crosses a pair (Woodbury); everything is float64, and for small t every term is positive, so that
    entries of 1e-200 keep their digits. Range [0, inf); not divided by its mean.

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
    a = anchor(x, y, pairs, metric, "knn")
    k = check.count(k, "k", "knn")
    form = check.choice(form, "form", "knn", FORMS)
    if form == "path" and t is not None:
        raise check.fail("t", "knn", "None with form 'path', which has no heat", t)
    sides = [neighbours(points, atoms, metric=a.metric, k=k) for points, atoms in ((a.x, a.source), (a.y, a.target))]
    graphs = [near.graph(near.distance) for near in sides]
    facts: dict[str, Any] = {"form": form, "k": k}
    for graph, side, letter in zip(graphs, ("source", "target"), "xy", strict=True):
        facts.update(island_facts(graph, a, side, letter))
    if form == "path":
        scales = [a.metric.scale / (a.metric.mean(points) or 1.0) for points in (a.x, a.y)]
        graphs = [
            joined(graph * (s / a.metric.scale), near.points, lambda chord, s=s: s * chord**2)
            for graph, near, s in zip(graphs, sides, scales, strict=True)
        ]
        factors, combine, said = _paths(a, graphs[0], graphs[1]), min_plus, "are joined by straight edges"
    else:
        edges = np.concatenate([near.distance.ravel() for near in sides])
        h2 = float(np.sqrt(edges).mean() ** 2) or 1.0
        t = h2 if t is None else check.positive(t, "t", "knn")
        facts["t"] = t
        factors, combine, said = (
            _heat(a, graphs[0], graphs[1], t),
            neg_log_inner,
            "get no heat, and with it the largest cost",
        )
    return Cost(
        "knn",
        factors[0],
        factors[1],
        combine,
        a.source,
        a.target,
        anchors=a.pairs,
        facts=facts,
        advice=island_advice(facts, k, said),
    )


def _pair_edges(a: Anchored) -> sparse.csr_array:
    """adj_XY (u, v) on atoms: 1 where any rows of the two are paired."""
    e = sparse.csr_array(a.marks("source") @ a.marks("target").T)
    e.data[:] = 1.0
    return e


def _paths(a: Anchored, g_x: sparse.csr_array, g_y: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Ways from every node of the fused graph to the anchors, and on: their (min, +) product is the shortest path."""
    u = len(a.source)
    e = _pair_edges(a)
    e.data[:] = np.finfo(float).tiny  # a length of 0 that a sparse matrix keeps
    fused = sparse.csr_array(sparse.block_array([[g_x, e], [e.T, g_y]]))
    side = a.grouped_by
    far = ways(fused, [member + (0 if side == "source" else u) for member in a.members(side)])
    return np.ascontiguousarray(far[:u]), np.ascontiguousarray(far[u:])


def _heat(a: Anchored, w_x: sparse.csr_array, w_y: sparse.csr_array, t: float) -> tuple[np.ndarray, np.ndarray]:
    r"""The XY block of `(I + t L)^-1` as two factors.

    With `A = I + t (D_X - W_X)`, `B` alike and the pairs `P = E_X E_Y^T` (both degrees count them), the block is
    `t F_X (I - t^2 G_Y G_X)^-1 F_Y^T`, where `F_X = A^-1 E_X`, `G_X = E_X^T F_X`, and alike for Y.
    """
    e_x, e_y = a.marks("source"), a.marks("target")
    e_x.data[:], e_y.data[:] = 1.0, 1.0
    p = _pair_edges(a)
    solved = []
    for w, e, extra in ((w_x, e_x, p.sum(axis=1)), (w_y, e_y, p.sum(axis=0))):
        degree = 1 + t * (np.asarray(w.sum(axis=1)).reshape(-1) + np.asarray(extra).reshape(-1))
        root = 1 / np.sqrt(degree)
        flow = sparse.csr_array(sparse.diags_array(root) @ (t * w) @ sparse.diags_array(root))
        bound = float((np.asarray(w.sum(axis=1)).reshape(-1) * t / degree).max())
        f = root[:, None] * resolvent(flow, root[:, None] * e.toarray(), bound=bound)
        solved.append((f, e.T @ f))
    (f_x, g_x), (f_y, g_y) = solved
    middle = np.maximum(np.linalg.inv(np.eye(a.groups) - t**2 * g_y @ g_x), 0.0)
    return t * (f_x @ middle), f_y
