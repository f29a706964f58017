"""The pairs as anchors on atoms: the starting point of every cost on pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz.costs._atoms import Atoms, find_atoms
from bridgeviz.costs._equal_rows import differing
from bridgeviz.costs._intra import Metric, find_metric
from bridgeviz.costs._memory import refuse_factors
from bridgeviz.costs._soft_pairs import SoftPairs

MOST_GROUPS = 1000
"""Groups of soft pairs, at most: without a limit, guesses for all rows would make the factors full matrices."""


@dataclass(frozen=True, eq=False)
class Anchored:
    """Two checked spaces on their atoms, with the pairs between them in groups.

    Pairs that share an atom share their leg on that side, so that a cost needs one column per group instead of one per
    pair. They are grouped by the side that makes fewer groups: 1,000 photos of ten classes are ten groups.

    Attributes:
        x, y: (n, p), (m, q).
        pairs: (l, 2) rows.
        metric: within each space.
        source, target: the atoms.
        grouped_by: "source" or "target": the side on which each group has a single atom.
        group: (l,) the group of each pair.
        groups: the number g of groups.
        counts: (l,) how many pairs each pair counts as; None if each is one.
    """

    x: np.ndarray
    y: np.ndarray
    pairs: Int[np.ndarray, "l 2"]
    metric: Metric
    source: Atoms
    target: Atoms
    grouped_by: str
    group: Int[np.ndarray, " l"]
    groups: int
    counts: Float[np.ndarray, " l"] | None = None

    def atoms(self, side: str) -> tuple[Atoms, np.ndarray]:
        """The atoms on one side, and (l,) the atom of each pair on that side."""
        atoms, column = (self.source, 0) if side == "source" else (self.target, 1)
        return atoms, atoms.index[self.pairs[:, column]]

    def incidence(self, side: str) -> sparse.csr_array:
        """E: (u, g) or (v, g), how many pairs of each group an atom carries.

        On the side that the pairs are grouped by, each group has one atom, which counts once: the product of the two
        sides' matrices is then the (u, v) count of pairs.
        """
        atoms, at = self.atoms(side)
        counts = np.ones(len(at)) if self.counts is None else self.counts
        e = sparse.csr_array((counts, (at, self.group)), shape=(len(atoms), self.groups))
        if side == self.grouped_by:
            e.data[:] = 1.0
        return e

    def members(self, side: str) -> list[np.ndarray]:
        """The distinct atoms of each group."""
        e = sparse.csc_array(self.incidence(side))
        return [e.indices[e.indptr[g] : e.indptr[g + 1]] for g in range(self.groups)]

    def on(self, soft: SoftPairs) -> Anchored:
        """The same spaces with soft pairs. Of many groups, those that hold the most pairs are kept, the known ones
        always."""
        pairs, counts = soft.pairs, soft.counts
        side, group, groups = _grouped(self.source, self.target, pairs)
        if groups > MOST_GROUPS:
            size = np.bincount(group, weights=counts)
            size[group[: len(soft.known)]] = np.inf
            most = max(MOST_GROUPS, int(np.isinf(size).sum()))
            kept = np.isin(group, np.argsort(-size, kind="stable")[:most])
            pairs, counts = pairs[kept], counts[kept]
            side, group, groups = _grouped(self.source, self.target, pairs)
        return replace(self, pairs=pairs, grouped_by=side, group=group, groups=groups, counts=counts)


def anchor(
    x: ArrayLike, y: ArrayLike, pairs: ArrayLike, metric: str, where: str, *, least: int = 1,
    row_bytes: Callable[[int, int], int] = lambda _, groups: 8 * groups,
) -> Anchored:  # fmt: skip
    """Check the arguments that all costs on pairs share, merge the rows that the metric cannot tell apart, and group
    the pairs.

    Args:
        x, y, pairs, metric: of the cost.
        where: its name.
        least: number of pairs.
        row_bytes: from the atoms of both sides and the groups to the memory of a factor's row.

    Raises:
        InputError: fewer than `least` pairs, rows out of range, NaN, a row that the metric is undefined for, or factors
            beyond the memory limit.
    """
    x, y = check.matrix(x, "x", where), check.matrix(y, "y", where)
    pairs = check.pair_index(pairs, "pairs", where, shape=(len(x), len(y)), least=least)
    distance = find_metric(metric, where)
    distance.require_defined(x, "x", where)
    distance.require_defined(y, "y", where)
    source, target = _atoms(x, distance), _atoms(y, distance)
    side, group, groups = _grouped(source, target, pairs)
    atoms = len(source) + len(target)
    refuse_factors(atoms, groups, row_bytes(atoms, groups), where)
    return Anchored(
        x=x,
        y=y,
        pairs=np.asarray(pairs),
        metric=distance,
        source=source,
        target=target,
        grouped_by=side,
        group=group,
        groups=groups,
    )


def _grouped(source: Atoms, target: Atoms, pairs: np.ndarray) -> tuple[str, np.ndarray, int]:
    """The side that makes fewer groups, (l,) the group of each pair, and the number of groups."""
    paired_atoms = {"target": target.index[pairs[:, 1]], "source": source.index[pairs[:, 0]]}
    side = min(paired_atoms, key=lambda name: len(np.unique(paired_atoms[name])))
    distinct, group = np.unique(paired_atoms[side], return_inverse=True)
    return side, group.reshape(-1), len(distinct)


def _atoms(x: np.ndarray, metric: Metric) -> Atoms:
    """The rows of x that the metric can tell apart."""
    atoms = find_atoms(x, metric.distinct)
    return replace(atoms, exact=not len(differing(x, atoms.rows[atoms.index])))
