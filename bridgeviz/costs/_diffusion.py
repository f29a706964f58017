"""The diffusion bridge: every pair along every path, instead of the one cheapest pair along a straight line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz._options import Choice, Count, Interval, option
from bridgeviz.costs._anchors import Anchored, anchor
from bridgeviz.costs._atoms import Atoms
from bridgeviz.costs._combine import neg_log_share, one_minus_inner, scale_rows
from bridgeviz.costs._cost import Cost
from bridgeviz.costs._cost_options import CostOptions, CostVariant, functional, metric_option, neighbours_option
from bridgeviz.costs._graph import Neighbours, neighbours
from bridgeviz.costs._islands import island_advice, island_facts
from bridgeviz.costs._resolvent import SERIES_BOUND, resolvent
from bridgeviz.costs._route import Route
from bridgeviz.costs._soft_pairs import SoftPairs

LARGE = 2**24
"""Entries of a factor from which on it is computed in float32."""

COMPILED = 2**18
"""Entries of a factor from which on compiled loops, which take a second to load, are faster than SciPy's."""

TOLERANCE = 1e-10
"""The relative error that the diffusion may have in float64."""

_BLOCK = 256  # anchors per block of float64 when only the strongest are kept


@dataclass(frozen=True, kw_only=True)
class DiffusionBridge(CostOptions):
    r"""`C = -log K` with `K = F_X F_Y^T`: the mass that reaches both x_i and y_j from the same pairs.

    Each space gets a symmetric kNN graph with self-tuned affinities `w_ij = exp(-d_ij^2 / (s_i s_j))`, d the metric and
    s the distance to the k-th neighbour, and `S = D^-1/2 W D^-1/2`. Mass starts at the anchors and diffuses:
    `F = (1 - a) (I - a S)^-1 E`, where E marks the paired rows. Only the factors F_X (n, l) and F_Y (m, l) are kept;
    pairs that share a point share a column.

    - `form="kernel"`: rows of K are divided by their sum, and `C = -log K`. Range [0, 27.6]: where no path leads, the
      floor of K is 1e-12.
    - `form="profile"`: the cosine distance between the rows of `log F_X` and `log F_Y`, each column centred on its
      mean: how far a row is from every anchor, on a logarithmic scale. Range [0, 2].

    Choose it when classes form connected clouds and pairs are few: in `bridgeviz bench costs` it is ahead of every
    other cost there. Ours; the paper's KNN cost (Appendix F) is its nearest relative.

    A row that occurs more than k times is its own island, because its copies are its k nearest neighbours; the graph
    on the merged atoms represents exactly that.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond, l >= 1.
        metric: "cosine", "sqeuclidean" or "pearson".
        k: neighbours in the graphs, >= 1; a space with fewer rows uses them all.
        a: how far mass diffuses, in [0.001, 0.9999]: 1 / (1 - a) is the mean number of steps. None takes 0.99 when at
            most 2 % of the source rows are paired and 0.9 above: the more anchors, the nearer the next one.
        form: "kernel" or "profile".
        strongest: for each row, keep only the mass from this many anchors, the strongest, as sparse factors; None
            keeps all. `facts["dropped_x"]` and `facts["dropped_y"]` hold the share of the mass that this drops. Only
            for "kernel".
        power: >= 1, to which a row's mass from each anchor, over that from its strongest, is raised before the factors
            are multiplied: the nearest pairs count more, and a plan whose kernel is K itself is sharper (see
            `couplings.Linear(method="factorised")`). At infinity it would be the single best pair. Only for "kernel".

    Raises:
        InputError: as for `bridge`, or an option out of range.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> diffusion_bridge(x, x, [[0, 0], [5, 5]], k=5).shape
    (40, 40)
    """

    name = "diffusion_bridge"
    summary = "over every pair, along every path from neighbour to neighbour"
    lead = (
        "Every pair counts: mass starts at the pairs and diffuses from neighbour to neighbour, and two points are "
        "close if mass from the same pairs reaches both."
    )
    formula = r"C = -\log F_X F_Y^\top, \qquad F = (1 - a) (I - a S)^{-1} E, \qquad S = D^{-1/2} W D^{-1/2}"
    variants = (
        CostVariant({}, title="diffusion bridge"),
        CostVariant({"k": 5}),
        CostVariant({"a": 0.9}),
        CostVariant({"form": "profile"}, title="diffusion bridge, profile"),
    )
    metric: str = metric_option("cosine")
    k: int = neighbours_option()
    a: float | None = option(
        Interval(1e-3, 0.9999),
        None,
        label="Diffusion a",
        word="auto",
        stops=("auto", "0.5", "0.8", "0.9", "0.95", "0.99", "0.995"),
        help="How far mass diffuses from the pairs. auto: 0.99 for few pairs, 0.9 for many.",
    )
    form: str = option(
        Choice(("kernel", "profile")),
        "kernel",
        label="Form",
        key="diffusion_form",
        help="kernel: the mass that two points have in common. profile: how alike their distances to all pairs are.",
    )
    strongest: int | None = option(Count(), None, help="Anchors whose mass is kept per row; None keeps all.")

    power: float = option(
        Interval(1, 100), 1.0, label="Sharpness", help="How much more the nearest pairs count than all others."
    )

    def __post_init__(self):
        super().__post_init__()
        if self.form == "profile":
            if self.strongest is not None:
                expected = "None with form 'profile', which compares all anchors"
                raise check.fail("strongest", self.where or self.name, expected, self.strongest)
            if self.power != 1:
                raise check.fail("power", self.where or self.name, "1 with form 'profile'", self.power)

    def build(self, x: ArrayLike, y: ArrayLike, pairs: ArrayLike) -> Cost:
        """The cost between the rows of x and y."""
        anchored = anchor(x, y, pairs, self.metric, self.name, row_bytes=self._row_bytes)
        a = self.a
        if a is None:
            a = 0.99 if len(anchored.pairs) <= 0.02 * len(anchored.x) else 0.9
        near = [
            neighbours(points, atoms, metric=anchored.metric, k=self.k)
            for points, atoms in ((anchored.x, anchored.source), (anchored.y, anchored.target))
        ]
        graphs = [
            affinities(side, atoms, k=self.k)
            for side, atoms in zip(near, (anchored.source, anchored.target), strict=True)
        ]
        return self._between(anchored, graphs, a, {"recall_x": near[0].recall, "recall_y": near[1].recall})

    def _row_bytes(self, atoms: int, groups: int) -> int:
        """The memory of a row of a factor: numbers, with the number of their anchor if only the strongest are kept."""
        number = 4 if atoms * groups >= 2 * LARGE else 8
        return number * groups if self.strongest is None else (number + 4) * min(groups, self.strongest)

    def _between(self, anchored: Anchored, graphs: list[sparse.csr_array], a: float, recall: dict[str, float]) -> Cost:
        """The cost from the anchors along the two graphs, whose neighbours have this recall."""
        facts: dict[str, Any] = {"form": self.form, "k": self.k, "a": a, **recall}
        factors = []
        for side, letter, s in zip(("source", "target"), "xy", graphs, strict=True):
            facts.update(island_facts(s, anchored, side))
            f, dropped = _diffuse(s, anchored.incidence(side), a, self.strongest)
            if self.strongest is not None:
                facts[f"dropped_{letter}"] = dropped
            factors.append(f)
        f_x, f_y = factors
        if self.form == "profile":
            f_x, f_y, combine = _profile(f_x, anchored.source), _profile(f_y, anchored.target), one_minus_inner
        else:
            if self.power != 1:
                facts["power"] = self.power
                f_x, f_y = _sharpened(f_x, self.power), _sharpened(f_y, self.power)
            f_x, combine = _row_shares(f_x, f_y, anchored.target), neg_log_share
        return Cost(
            name=self.name,
            source_factor=f_x,
            target_factor=f_y,
            combine=combine,
            source_atoms=anchored.source,
            target_atoms=anchored.target,
            anchors=anchored.pairs,
            facts=facts,
            advice=island_advice(facts, self.k, "receive no mass and so have the largest cost"),
            route=partial(_strongest_pair, anchored, graphs, a),
            rebuild=partial(self._rebuilt, anchored, graphs, a, recall),
        )

    def _rebuilt(
        self, anchored: Anchored, graphs: list[sparse.csr_array], a: float, recall: dict[str, float], soft: SoftPairs
    ) -> Cost:
        """The same, where mass starts at all rows that a plan has guessed a partner for, as much as it is sure."""
        return replace(self._between(anchored.on(soft), graphs, a, recall), anchors=soft.known, route=None)


diffusion_bridge = functional(DiffusionBridge)


def affinities(near: Neighbours, atoms: Atoms, *, k: int) -> sparse.csr_array:
    """The normalised affinities S (u, u) of the symmetric kNN graph; an atom's own copies count among its k."""
    u = len(near.points)
    if u == 1:
        return sparse.csr_array((1, 1))
    distance = near.distance / (near.distance.max() or 1.0)  # self-tuning cancels the unit
    # The rows (with copies) nearer than each neighbour: neighbours count until k rows are reached.
    copies = atoms.multiplicity[near.index]
    nearer = (atoms.multiplicity - 1)[:, None] + np.cumsum(copies, axis=1) - copies
    keep = nearer < k
    last = np.maximum(keep.sum(1) - 1, 0)
    scale = np.sqrt(np.maximum(distance[np.arange(u), last], 1e-12))
    w = near.graph(np.exp(-((distance / scale[:, None] / scale[near.index]) ** 2)), keep=keep)
    degree = np.asarray(w.sum(axis=1)).reshape(-1)
    root = np.divide(1.0, np.sqrt(degree), out=np.zeros(u), where=degree > 0)
    return sparse.csr_array(sparse.diags_array(root) @ w @ sparse.diags_array(root))


def _diffuse(s: sparse.csr_array, e: Any, a: float, strongest: int | None) -> tuple[Any, float]:
    """`F = (1 - a) (I - a S)^-1 E`, and the share of its mass lost by keeping only the strongest anchors.

    A large one is float32.
    """
    u, g = e.shape
    blocks = _blocks(sparse.csr_array(a * s), sparse.csr_array((1 - a) * e), a)
    if strongest is None or strongest >= g:
        f = np.empty((u, g), np.float32 if u * g >= LARGE else np.float64)
        for columns, block in blocks:
            f[:, columns] = block
        return f, 0.0
    value, anchors, total = np.zeros((u, 0)), np.zeros((u, 0), np.int32), 0.0
    for columns, block in blocks:
        total += float(block.sum(dtype=np.float64))
        value = np.concatenate([value.astype(block.dtype), block], axis=1)
        numbers = np.arange(columns.start, columns.stop, dtype=np.int32)
        anchors = np.concatenate([anchors, np.broadcast_to(numbers, block.shape)], axis=1)
        if value.shape[1] > strongest:
            best = np.argpartition(-value, strongest - 1, axis=1)[:, :strongest]
            value, anchors = np.take_along_axis(value, best, 1), np.take_along_axis(anchors, best, 1)
    ends = np.arange(0, u * strongest + 1, strongest, dtype=np.int32 if u * strongest < 2**31 else np.int64)
    f = sparse.csr_array((value.ravel(), anchors.ravel(), ends), shape=(u, g))
    f.sort_indices()
    f.eliminate_zeros()
    return f, float(1 - value.sum(dtype=np.float64) / total)


def _blocks(flow: sparse.csr_array, start: Any, a: float) -> Iterator[tuple[slice, np.ndarray]]:
    """`(I - flow)^-1 start`, some columns at a time."""
    u, g = start.shape
    if u * g >= LARGE or (u * g >= COMPILED and a > SERIES_BOUND):
        from bridgeviz.costs._chebyshev import resolvent_blocks

        exact = {} if u * g >= LARGE else {"tolerance": TOLERANCE, "dtype": np.float64}
        yield from resolvent_blocks(flow, start, bound=a, **exact)
        return
    for first in range(0, g, _BLOCK):
        columns = slice(first, min(first + _BLOCK, g))
        yield columns, resolvent(flow, start[:, columns].toarray(), bound=a, tolerance=TOLERANCE)


def _sharpened(f: Any, power: float) -> Any:
    """The mass from each anchor, divided by the largest in its row and raised to a power."""
    largest = f.max(axis=1).toarray().reshape(-1) if sparse.issparse(f) else f.max(axis=1)
    share = np.divide(1.0, largest, out=np.zeros_like(largest), where=largest > 0)
    shares = scale_rows(f, share)
    return shares.power(power) if sparse.issparse(shares) else np.power(shares, power)


def _row_shares(f_x: Any, f_y: Any, target: Atoms) -> Any:
    """F_X with its rows divided by the row sums of the (n, m) kernel K."""
    total = f_x @ (f_y.T @ target.multiplicity)
    tiny = np.finfo(f_x.dtype).tiny
    share = np.divide(1.0, total, out=np.zeros_like(total), where=total > tiny).astype(f_x.dtype)
    return scale_rows(f_x, share)


def _profile(f: np.ndarray, atoms: Atoms) -> np.ndarray:
    """The rows of `log F` minus their mean row, at length one: their inner products are the cosines."""
    log = np.log(np.maximum(f, 1e-12 * (f.max() or 1.0)))
    log -= atoms.multiplicity @ log / atoms.multiplicity.sum()
    return log / np.maximum(np.linalg.norm(log, axis=1, keepdims=True), 1e-300)


def _strongest_pair(anchored: Anchored, graphs: list[sparse.csr_array], a: float, i: int, j: int) -> Route:
    """The pair that carries most of `K[i, j] = sum_p F_X[i, p] F_Y[j, p]`; S is symmetric: one solve per side."""
    shares = []
    for side, s, row in zip(("source", "target"), graphs, (i, j), strict=True):
        atoms, at = anchored.atoms(side)
        start = np.zeros((len(atoms), 1))
        start[atoms.index[row]] = 1 - a
        mass = resolvent(sparse.csr_array(a * s), start, bound=a, tolerance=TOLERANCE)[at, 0]
        shares.append(mass / (mass.sum() or 1.0))
    common = shares[0] * shares[1]
    p = int(np.argmax(common if common.sum() > 0 else shares[0] + shares[1]))
    source, target = (int(row) for row in anchored.pairs[p])
    return Route(
        pair=p,
        leg_x=float(shares[0][p]),
        leg_y=float(shares[1][p]),
        way_x=[i, source],
        way_y=[target, j],
        share=float(common[p] / common.sum()) if common.sum() > 0 else 0.0,
    )
