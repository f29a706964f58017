"""A cost between two spaces: lazy, on atoms, and where possible two thin factors instead of a matrix."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz._extent import SMALL, Extent, extent, row_blocks
from bridgeviz._forbidden import Forbidden, as_forbidden, refuse_forbidden_pairs
from bridgeviz._weights import weights
from bridgeviz.costs._atoms import Atoms, every_row
from bridgeviz.costs._combine import FLOORS
from bridgeviz.costs._fill import blocks, fill
from bridgeviz.costs._legs import Legs, taken
from bridgeviz.costs._memory import refuse_above_limit
from bridgeviz.costs._route import Route
from bridgeviz.costs._soft_pairs import SoftPairs

STREAMED = 2**26
"""Bytes of the rows of a large cost that are looked at together."""

ALL = slice(None)


@dataclass(frozen=True, eq=False)
class Cost:
    """A cost C (n, m) between the rows of two spaces, kept as factors on merged atoms.

    `C[i, j] = combine(source_factor[u(i)], target_factor[v(j)])`, where u and v are the atoms of the rows. The
    factors have one column per anchor (a pair, or the pairs that share an atom), so they take O((n + m) l) memory
    where the matrix takes O(n m).

    Attributes:
        name: of the cost.
        source_factor: (u, g), dense or sparse, or legs that are computed where they are read.
        target_factor: (v, h), with h = g for every cost on pairs; for a plain matrix, its column numbers.
        combine: (r, g), (c, g) -> (r, c), on NumPy or JAX arrays; finite.
        source_atoms: the atoms of the n source rows.
        target_atoms: the atoms of the m target rows.
        default_epsilon: the entropy regularisation that suits this cost once it is divided by its mean.
        anchors: (l, 2) the pairs it was built on.
        facts: what its construction found, by name: islands of a graph, correlations, mass that was dropped.
        advice: what to do about them, or "".
        route: (i, j) -> the route over the pair that bridges source row i and target row j; None where no single pair
            does.
        forbidden: (u, v) the matches of atoms where the cost is infinite, whatever `combine` returns; None if there
            are none. See `forbid`.
        rebuild: the same cost, without weights and forbidden matches, built on soft pairs instead; None where there is
            nothing to build it from, as for a plain matrix. `couplings.Global(refine=...)` uses it.
    """

    name: str
    source_factor: Float[np.ndarray, "u g"] | sparse.csr_array | Legs
    target_factor: Float[np.ndarray, "v h"] | sparse.csr_array | Legs
    combine: Callable[[Any, Any], Any]
    source_atoms: Atoms
    target_atoms: Atoms
    default_epsilon: float = 5e-3
    anchors: np.ndarray | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ""
    route: Callable[[int, int], Route] | None = None
    forbidden: Forbidden | None = None
    rebuild: Callable[[SoftPairs], Cost] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        return len(self.source_atoms.index), len(self.target_atoms.index)

    @property
    def atom_shape(self) -> tuple[int, int]:
        """(u, v): the size of the problem once equal rows are merged."""
        return len(self.source_atoms), len(self.target_atoms)

    @property
    def nbytes_dense(self) -> int:
        """The memory that `dense()` takes, in bytes."""
        return 8 * self.shape[0] * self.shape[1]

    @property
    def nbytes_factors(self) -> int:
        """The memory that the two factors take, in bytes: all that this object holds before `on_atoms` is read."""
        factors: tuple[Any, Any] = self.source_factor, self.target_factor
        return sum(
            factor.data.nbytes + factor.indices.nbytes if sparse.issparse(factor) else factor.nbytes
            for factor in factors
        )

    @cached_property
    def on_atoms(self) -> Float[np.ndarray, "u v"]:
        """The cost between atoms, computed block by block on first use and kept."""
        u, v = self.atom_shape
        refuse_above_limit(u, v, "cost")
        out = np.empty((u, v))
        fill(out, self.combine, self.source_factor, self.target_factor, self.forbidden)
        return out

    @property
    def keeps_matrix(self) -> bool:
        """Whether `on_atoms` is computed already, or small."""
        return "on_atoms" in self.__dict__ or math.prod(self.atom_shape) <= SMALL

    def write(
        self, out: np.ndarray, part: slice = ALL, *, rows: np.ndarray | slice = ALL, columns: np.ndarray | slice = ALL
    ) -> None:
        """Put the cost between these atoms into `out`, block by block and in its type. A large matrix is not kept.

        Args:
            out: of the part's shape.
            part: of the rows that are chosen.
            rows, columns: of the matrix between atoms, that are chosen.
        """
        u, v = (np.arange(size)[used] for size, used in zip(self.atom_shape, (rows, columns), strict=True))
        u = u[part]
        if self.keeps_matrix:
            for at, some in row_blocks(out):
                some[:] = self.on_atoms[u[at]][:, columns]
            return
        a, b, forbidden = self.source_factor, self.target_factor, self.forbidden
        a, b = (
            factor if len(used) == size else taken(factor, used)
            for factor, used, size in zip((a, b), (u, v), self.atom_shape, strict=True)
        )
        forbidden = None if forbidden is None else forbidden.take(u, v)
        fill(out, self.combine, a, b, forbidden, whole=math.prod(self.atom_shape))

    def blocks(self) -> Iterator[tuple[slice, Float[np.ndarray, "r v"]]]:
        """The cost between atoms, some rows at a time, with their numbers. A large matrix is not kept."""
        u, v = self.atom_shape
        if self.keeps_matrix:
            yield from row_blocks(self.on_atoms)
            return
        factor: Any = self.source_factor
        for rows in blocks(u, max(v, factor.shape[1]), STREAMED):
            out = np.empty((rows.stop - rows.start, v))
            self.write(out, rows)
            yield rows, out

    def extent(self) -> Extent:
        """The mean, by which Appendix D divides the (n, m) matrix, and the least and the largest of its entries."""
        return extent(self.blocks(), self.source_atoms.mass, self.target_atoms.mass)

    def mean(self) -> float:
        """The mean of the (n, m) matrix, by which Appendix D divides it: over the permitted matches, each with the
        product of its rows' weights."""
        return self.extent().mean

    @property
    def kernel_floor(self) -> float | None:
        """The floor of the kernel `exp(-C) = source_factor @ target_factor.T`; None where it is no product of factors,
        or where matches are forbidden."""
        return FLOORS.get(self.combine) if self.forbidden is None else None

    def block(self, rows: ArrayLike, columns: ArrayLike) -> Float[np.ndarray, "r c"]:
        """The entries of the given source rows and target rows."""
        u = self.source_atoms.index[np.asarray(rows)]
        v = self.target_atoms.index[np.asarray(columns)]
        out = np.asarray(self.combine(self.source_factor[u], self.target_factor[v]))
        return out if self.forbidden is None else np.where(self.forbidden.block(u, v), np.inf, out)

    def dense(self) -> Float[np.ndarray, "n m"]:
        """The whole (n, m) matrix, `nbytes_dense` bytes."""
        refuse_above_limit(*self.shape, "cost")
        return self.on_atoms[np.ix_(self.source_atoms.index, self.target_atoms.index)]

    def unmerged(self) -> Cost:
        """The same cost with every row as its own atom."""
        source, target = self.source_atoms, self.target_atoms
        return replace(
            self,
            source_factor=taken(self.source_factor, source.index),
            target_factor=taken(self.target_factor, target.index),
            source_atoms=replace(every_row(self.shape[0]), weights=source.weights),
            target_atoms=replace(every_row(self.shape[1]), weights=target.weights),
            forbidden=None if self.forbidden is None else self.forbidden.take(source.index, target.index),
        )

    def weighted(self, source: ArrayLike | None = None, target: ArrayLike | None = None) -> Cost:
        """The same cost between rows that carry these weights, for the couplings that are solved with it.

        Args:
            source: (n,) >= 0 and finite, divided by their sum; rows of weight zero carry no mass. None: all the same.
            target: (m,) likewise.

        >>> from bridgeviz.costs import as_cost
        >>> cost = as_cost([[0.0, 1.0], [1.0, 0.0]], "example").weighted(source=[3, 1])
        >>> cost.source_atoms.mass
        array([0.75, 0.25])
        """
        sides = {}
        for side, value, size in zip(("source", "target"), (source, target), self.shape, strict=True):
            given = None if value is None else weights(value, f"{side} weights", "weighted", length=size)
            if given is not None and (given == given[0]).all():
                given = None
            sides[f"{side}_atoms"] = replace(getattr(self, f"{side}_atoms"), weights=given)
        return replace(self, **sides)

    def forbid(
        self,
        forbidden: ArrayLike | Forbidden | None = None,
        *,
        classes: Iterable[tuple[Any, Any]] | None = None,
        labels: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> Cost:
        """The same cost, infinite where no mass may go, in addition to what is forbidden already.

        Atoms are divided where some of their rows are forbidden and others are not, so that merging stays exact. Only
        a mask takes memory of its own size; classes stay a small table.

        Args:
            forbidden: an (n, m) boolean mask, (k, 2) row numbers (source, target), or `Forbidden`.
            classes: (class of the source, class of the target) that may not be matched.
            labels: the classes of the n source rows and of the m target rows.

        Raises:
            InputError: a mask of another shape, rows or classes that don't exist, or a pair of the cost itself.

        >>> from bridgeviz.costs import as_cost
        >>> cost = as_cost([[0.0, 1.0], [1.0, 0.0]], "example").forbid([[0, 0]])
        >>> cost.dense()
        array([[inf,  1.],
               [ 1.,  0.]])
        >>> cost.forbid(classes=[("b", "a")], labels=(["a", "b"], ["b", "a"])).dense()
        array([[inf,  1.],
               [ 1., inf]])
        """
        if (forbidden is None) == (classes is None):
            got = "neither" if forbidden is None else "both"
            raise check.InputError(f"forbid() needs one of 'forbidden' and 'classes'. Got {got}.")
        if classes is None:
            more = as_forbidden(forbidden, shape=self.shape, where="forbid")
        else:
            if labels is None or len(labels) != 2:
                expected = "the source's and the target's, (n,) and (m,)"
                raise check.fail("labels", "forbid", expected, check.describe(labels))
            for side, value, size in zip(("source", "target"), labels, self.shape, strict=True):
                check.labels(value, f"{side} labels", "forbid", length=size, least=1)
            more = Forbidden.classes(classes, *labels)
        if self.anchors is not None:
            refuse_forbidden_pairs(more, self.anchors, "forbid")
        source, target = self.source_atoms, self.target_atoms
        if self.forbidden is not None:
            more = self.forbidden.take(source.index, target.index) | more
        (source, u), (target, v) = source.split(more.source), target.split(more.target)
        return replace(
            self, source_factor=taken(self.source_factor, u), target_factor=taken(self.target_factor, v),
            source_atoms=source, target_atoms=target, forbidden=more.take(source.rows, target.rows),
        )  # fmt: skip


def positive_mean(cost: Cost, where: str) -> float:
    """The mean of a cost, to divide by; 1 where the whole cost is zero.

    With negative entries the mean is not a measure of the cost's size and may even flip its sign.
    """
    return divisor(cost.extent(), where)


def divisor(extent: Extent, where: str) -> float:
    """The same for a cost of this extent."""
    if extent.negative:
        hint = "It is divided by its mean: shift it (a similarity is not a cost), or give scale_cost."
        raise check.fail("cost", where, "nowhere negative", f"an entry of {extent.least:.3g}", hint)
    return extent.mean or 1.0
