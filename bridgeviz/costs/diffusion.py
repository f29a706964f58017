"""The diffusion bridge: every pair through every path, instead of the one cheapest pair in a straight line."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz.costs.anchors import Anchored, anchor
from bridgeviz.costs.atoms import Atoms
from bridgeviz.costs.cost import Cost, Route, neg_log_share, one_minus_inner
from bridgeviz.costs.geodesic import island_advice, island_facts
from bridgeviz.costs.graph import Neighbours, neighbours
from bridgeviz.costs.resolvent import resolvent

FORMS = ("kernel", "profile")
_BLOCK = 256  # anchors diffused at a time when only the strongest are kept


def diffusion_bridge(
    x: ArrayLike,
    y: ArrayLike,
    pairs: ArrayLike,
    *,
    metric: str = "cosine",
    k: int = 10,
    a: float | None = None,
    form: str = "kernel",
    strongest: int | None = None,
) -> Cost:
    r"""`C = -log K` with `K = F_X F_Y^T`: the mass that reaches both x_i and y_j from the same pairs.

    Each space gets a symmetric kNN graph with self-tuned affinities `w_ij = exp(-d_ij^2 / (s_i s_j))`, d the metric and
    s the distance to the k-th neighbour, and `S = D^-1/2 W D^-1/2`. Mass starts at the anchors and diffuses:
    `F = (1 - a) (I - a S)^-1 E`, where E marks the paired rows. The factors F_X (n, l) and F_Y (m, l) are all that is
    kept; pairs that share a point share a column.

    - `form="kernel"`: rows of K are divided by their sum, and `C = -log K`. Range [0, 27.6]: where no path leads, the
      floor 1e-12.
    - `form="profile"`: the cosine distance between the rows of `log F_X` and `log F_Y`, each column centred on its
      mean: how far a row is from every anchor, in logarithms. Range [0, 2].

    Choose it when classes form connected clouds and pairs are few: `bridgeviz bench costs` has it ahead of every other
    cost there. Ours; the paper's KNN cost (Appendix F) is its nearest relative.

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
        form: "kernel" or "profile".
        strongest: keep, of each row's mass, that from so many anchors, the strongest, as sparse factors; None keeps
            all. `facts["dropped_x"]` and `facts["dropped_y"]` say what share of the mass that drops. Only for
            "kernel".

    Raises:
        InputError: as for `bridge`, or an option out of range.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> diffusion_bridge(x, x, [[0, 0], [5, 5]], k=5).shape
    (40, 40)
    """
    where = "diffusion_bridge"
    given = anchor(x, y, pairs, metric, where)
    k = check.count(k, "k", where)
    if a is None:
        a = 0.99 if len(given.pairs) <= 0.02 * len(given.x) else 0.9
    expected = "a float from 0.001 to 0.9999"
    if not 1e-3 <= check.real(a, "a", where, expected) <= 0.9999:
        raise check.fail("a", where, expected, a)
    form = check.choice(form, "form", where, FORMS)
    if strongest is not None:
        strongest = check.count(strongest, "strongest", where)
        if form == "profile":
            raise check.fail("strongest", where, "None with form 'profile', which compares all anchors", strongest)
    facts: dict[str, Any] = {"form": form, "k": k, "a": a}
    factors, flows = [], []
    for side, points, letter in (("source", given.x, "x"), ("target", given.y, "y")):
        atoms, _ = given.atoms(side)
        s = affinities(neighbours(points, atoms, metric=given.metric, k=k), atoms, k=k)
        flows.append(s)
        facts.update(island_facts(s, given, side, letter))
        f, dropped = _diffused(s, given.marks(side), a, strongest)
        if strongest is not None:
            facts[f"dropped_{letter}"] = dropped
        factors.append(f)
    f_x, f_y = factors
    if form == "profile":
        factors, combine = [_profile(f_x, given.source), _profile(f_y, given.target)], one_minus_inner
    else:
        total = f_x @ (f_y.T @ given.target.multiplicity)
        share = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
        f_x = sparse.csr_array(sparse.diags_array(share) @ f_x) if sparse.issparse(f_x) else f_x * share[:, None]
        factors, combine = [f_x, f_y], neg_log_share
    return Cost(
        where, factors[0], factors[1], combine, given.source, given.target, anchors=given.pairs, facts=facts,
        advice=island_advice(facts, k, "get no mass, and with it the largest cost"),
        route=lambda i, j: _strongest_pair(given, flows, a, i, j),
    )  # fmt: skip


def _strongest_pair(given: Anchored, flows: list, a: float, i: int, j: int) -> Route:
    """The pair that carries most of `K[i, j] = sum_p F_X[i, p] F_Y[j, p]`; S is symmetric, so one solve a side."""
    mass = []
    for (atoms, at), s, row in zip((given.atoms("source"), given.atoms("target")), flows, (i, j), strict=True):
        start = np.zeros((len(atoms), 1))
        start[atoms.index[row]] = 1 - a
        reached = resolvent(sparse.csr_array(a * s), start, bound=a, tolerance=1e-10)[at, 0]
        mass.append(reached / (reached.sum() or 1.0))
    together = mass[0] * mass[1]
    p = int(np.argmax(together if together.sum() > 0 else mass[0] + mass[1]))
    source, target = (int(row) for row in given.pairs[p])
    share = float(together[p] / together.sum()) if together.sum() > 0 else 0.0
    return Route(p, float(mass[0][p]), float(mass[1][p]), [i, source], [target, j], share)


def affinities(near: Neighbours, atoms: Atoms, *, k: int) -> sparse.csr_array:
    """The normalised affinities S (u, u) of the symmetric kNN graph; an atom's own copies use up its k neighbours."""
    u = len(near.points)
    if u == 1:
        return sparse.csr_array((1, 1))
    distance = near.distance / (near.distance.max() or 1.0)  # the self-tuning cancels the unit
    # Rows (copies counted) met before each neighbour: keep neighbours until k rows are met.
    copies = atoms.multiplicity[near.index]
    met = (atoms.multiplicity - 1)[:, None] + np.cumsum(copies, axis=1) - copies
    keep = met < k
    last = np.maximum(keep.sum(1) - 1, 0)
    scale = np.sqrt(np.maximum(distance[np.arange(u), last], 1e-12))
    w = near.graph(np.exp(-((distance / scale[:, None] / scale[near.index]) ** 2)), keep=keep)
    degree = np.asarray(w.sum(axis=1)).reshape(-1)
    root = np.divide(1.0, np.sqrt(degree), out=np.zeros(u), where=degree > 0)
    return sparse.csr_array(sparse.diags_array(root) @ w @ sparse.diags_array(root))


def _diffused(s: sparse.csr_array, e: Any, a: float, strongest: int | None) -> tuple[Any, float]:
    """`F = (1 - a) (I - a S)^-1 E`, and the share of its mass that keeping the strongest anchors drops."""
    flow, start = sparse.csr_array(a * s), (1 - a) * e
    u, g = e.shape
    if strongest is None or strongest >= g:
        return resolvent(flow, start.toarray(), bound=a, tolerance=1e-10), 0.0
    value, anchors, total = np.zeros((u, 0)), np.zeros((u, 0), np.int64), 0.0
    for first in range(0, g, _BLOCK):
        part = resolvent(flow, start[:, first : first + _BLOCK].toarray(), bound=a, tolerance=1e-10)
        total += part.sum()
        value = np.concatenate([value, part], axis=1)
        anchors = np.concatenate([anchors, np.broadcast_to(first + np.arange(part.shape[1]), part.shape)], axis=1)
        if value.shape[1] > strongest:
            best = np.argpartition(-value, strongest - 1, axis=1)[:, :strongest]
            value, anchors = np.take_along_axis(value, best, 1), np.take_along_axis(anchors, best, 1)
    f = sparse.csr_array((value.ravel(), (np.repeat(np.arange(u), strongest), anchors.ravel())), shape=(u, g))
    f.eliminate_zeros()
    return f, float(1 - value.sum() / total)


def _profile(f: np.ndarray, atoms: Atoms) -> np.ndarray:
    """Rows of `log F` less the mean row, at length one: their inner products are the cosines."""
    log = np.log(np.maximum(f, 1e-12 * (f.max() or 1.0)))
    log -= atoms.multiplicity @ log / atoms.multiplicity.sum()
    return log / np.maximum(np.linalg.norm(log, axis=1, keepdims=True), 1e-300)
