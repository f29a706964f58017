"""The diffusion bridge: every pair through every path, instead of the one cheapest pair in a straight line."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.neighbors import NearestNeighbors

from bridgeviz import _checks as check
from bridgeviz.costs.atoms import Atoms, find_atoms
from bridgeviz.costs.bridge import check_spaces
from bridgeviz.costs.cost import Cost, neg_log_inner
from bridgeviz.costs.intra import metric as find_metric


def diffusion_bridge(
    x: ArrayLike, y: ArrayLike, pairs: ArrayLike, *, metric: str = "cosine", k: int = 10, a: float | None = None
) -> Cost:
    r"""`C = -log K` with `K = F_X F_Y^T`: the mass that reaches both x_i and y_j from the same pairs.

    Each space gets a symmetric kNN graph with self-tuned affinities `w_ij = exp(-d_ij^2 / (s_i s_j))`, d the metric and
    s the distance to the k-th neighbour, and `S = D^-1/2 W D^-1/2`. Mass starts at the anchors and diffuses:
    `F = (1 - a) (I - a S)^-1 E`, where E marks the paired rows. Rows of K are divided by their sum. Range [0, 27.6]:
    where no path leads, the floor 1e-12.

    Choose it when classes form connected clouds and pairs are few: `bridgeviz bench first-light` has both on MNIST.
    Ours; the paper's KNN cost (Appendix F) is its nearest relative.

    A row that occurs more than k times is its own island, because its copies are its k nearest neighbours; the graph
    is built on the merged atoms and says exactly that.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond, l >= 1.
        metric: "cosine", "sqeuclidean" or "pearson".
        k: neighbours in the graphs, >= 1; a space with fewer rows uses them all.
        a: how far mass diffuses, in [0.001, 0.9999]: 1 / (1 - a) is the mean number of steps. None takes 0.99 when at
            most 2 % of the source rows are paired and 0.9 above: the more anchors, the nearer the next one.

    Raises:
        InputError: as for `bridge`, or `k` or `a` out of range.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> diffusion_bridge(x, x, [[0, 0], [5, 5]], k=5).shape
    (40, 40)
    """
    x, y, pairs, _ = check_spaces(x, y, pairs, metric, "diffusion_bridge")
    k = check.count(k, "k", "diffusion_bridge")
    if a is None:
        a = 0.99 if len(pairs) <= 0.02 * len(x) else 0.9
    expected = "a float from 0.001 to 0.9999"
    if not 1e-3 <= check.real(a, "a", "diffusion_bridge", expected) <= 0.9999:
        raise check.fail("a", "diffusion_bridge", expected, a)
    source, target = find_atoms(x), find_atoms(y)
    # K is a sum over pairs, and pairs that share a target atom share F_Y: add up their E_X and diffuse once.
    anchor_atoms, group = np.unique(target.index[pairs[:, 1]], return_inverse=True)
    groups = len(anchor_atoms)
    e_x = np.zeros((len(source), groups))
    np.add.at(e_x, (source.index[pairs[:, 0]], group.reshape(-1)), 1.0)
    e_y = np.zeros((len(target), groups))
    e_y[anchor_atoms, np.arange(groups)] = 1.0
    f_x = diffuse(affinity_graph(x, source, metric=metric, k=k), e_x, a=a)
    f_y = diffuse(affinity_graph(y, target, metric=metric, k=k), e_y, a=a)
    total = f_x @ (target.multiplicity @ f_y)
    f_x = np.divide(f_x, total[:, None], out=np.zeros_like(f_x), where=total[:, None] > 0)
    return Cost("diffusion_bridge", f_x, f_y, neg_log_inner, source, target, anchors=pairs)


def affinity_graph(x: np.ndarray, atoms: Atoms, *, metric: str, k: int) -> sparse.csr_array:
    """The normalised affinities S (u, u) of the symmetric kNN graph on the atoms of x.

    An atom's own copies use up its k neighbours first.
    """
    points = find_metric(metric, "affinity_graph").embed(x[atoms.rows].astype(np.float64), "x", "affinity_graph")
    u = len(points)
    if u == 1:
        return sparse.csr_array((1, 1))
    reach = min(k, u - 1)
    chord, neighbour = NearestNeighbors(n_neighbors=reach).fit(points).kneighbors()  # a row itself is not counted
    # Every metric here is a multiple of the squared chord, and the self-tuning cancels the factor.
    distance = (chord / (chord.max() or 1.0)) ** 2
    # Rows (copies counted) met before each neighbour: keep neighbours until k rows are met.
    copies = atoms.multiplicity[neighbour]
    met = (atoms.multiplicity - 1)[:, None] + np.cumsum(copies, axis=1) - copies
    keep = met < k
    last = np.maximum(keep.sum(1) - 1, 0)
    scale = np.sqrt(np.maximum(distance[np.arange(u), last], 1e-12))
    rows = np.repeat(np.arange(u), reach).reshape(u, reach)
    weight = np.exp(-((distance / scale[:, None] / scale[neighbour]) ** 2))
    w = sparse.csr_array((weight[keep], (rows[keep], neighbour[keep])), shape=(u, u))
    w = w.maximum(w.T)
    degree = np.asarray(w.sum(axis=1)).reshape(-1)
    root = np.divide(1.0, np.sqrt(degree), out=np.zeros(u), where=degree > 0)
    return sparse.csr_array(sparse.diags_array(root) @ w @ sparse.diags_array(root))


def diffuse(s: sparse.csr_array, e: np.ndarray, *, a: float, tolerance: float = 1e-10) -> np.ndarray:
    """`F = (1 - a) (I - a S)^-1 E` for all columns at once, by Chebyshev iteration.

    The spectrum of `I - a S` lies in [1 - a, 1 + a], so the error after t steps is below
    2 ((1 - r) / (1 + r))^t with r = sqrt((1 - a) / (1 + a)): 168 steps for a = 0.99 at the default tolerance.
    """
    r = np.sqrt((1 - a) / (1 + a))
    steps = int(np.ceil(np.log(tolerance / 2) / np.log((1 - r) / (1 + r))))
    b = (1 - a) * e
    previous, f = b, a * (s @ b) + b
    w = 1 / (1 - a**2 / 2)
    for _ in range(steps):
        previous, f = f, w * (a * (s @ f) + b - previous) + previous
        w = 1 / (1 - a**2 * w / 4)
    return np.maximum(f, 0.0)
