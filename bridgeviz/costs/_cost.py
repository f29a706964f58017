"""A cost between two spaces: lazy, on atoms, and where possible two thin factors instead of a matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz.costs._atoms import Atoms, every_row
from bridgeviz.costs._combine import pick_columns
from bridgeviz.costs._memory import refuse_above_limit
from bridgeviz.costs._route import Route

BLOCK_BYTES = 2**20
"""The size of one block of a lazily computed matrix: small enough for a core's cache, on which min_plus depends."""


@dataclass(frozen=True, eq=False)
class Cost:
    """A cost C (n, m) between the rows of two spaces, kept as factors on merged atoms.

    `C[i, j] = combine(source_factor[u(i)], target_factor[v(j)])`, where u and v are the atoms of the rows. The
    factors have one column per anchor (a pair, or the pairs that share an atom), so they take O((n + m) l) memory
    where the matrix takes O(n m).

    Attributes:
        name: of the cost.
        source_factor: (u, g), dense or sparse.
        target_factor: (v, h), with h = g for every cost on pairs; for a plain matrix, its column numbers.
        combine: (r, g), (c, g) -> (r, c), on NumPy or JAX arrays.
        source_atoms: the atoms of the n source rows.
        target_atoms: the atoms of the m target rows.
        default_epsilon: the entropy regularisation that suits this cost once it is divided by its mean.
        anchors: (l, 2) the pairs it was built on.
        facts: what its construction found, by name: islands of a graph, correlations, mass that was dropped.
        advice: what to do about them, or "".
        route: (i, j) -> the route over the pair that bridges source row i and target row j; None where no single pair
            does.
    """

    name: str
    source_factor: Float[np.ndarray, "u g"] | sparse.csr_array
    target_factor: Float[np.ndarray, "v h"] | sparse.csr_array
    combine: Callable[[Any, Any], Any]
    source_atoms: Atoms
    target_atoms: Atoms
    default_epsilon: float = 5e-3
    anchors: np.ndarray | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ""
    route: Callable[[int, int], Route] | None = None

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
        return sum(
            factor.nbytes if isinstance(factor, np.ndarray) else factor.data.nbytes + factor.indices.nbytes
            for factor in (self.source_factor, self.target_factor)
        )

    @cached_property
    def on_atoms(self) -> Float[np.ndarray, "u v"]:
        """The cost between atoms, computed block by block on first use and kept."""
        u, v = self.atom_shape
        refuse_above_limit(u, v, "cost")
        out = np.empty((u, v))
        factor: Any = self.source_factor
        step = max(1, BLOCK_BYTES // (8 * max(v, factor.shape[1])))
        for start in range(0, u, step):
            out[start : start + step] = self.combine(factor[start : start + step], self.target_factor)
        return out

    def mean(self) -> float:
        """The mean of the (n, m) matrix, by which Appendix D divides it."""
        return float(
            self.source_atoms.multiplicity
            @ self.on_atoms
            @ self.target_atoms.multiplicity
            / np.prod(self.shape, dtype=float)
        )

    def block(self, rows: ArrayLike, columns: ArrayLike) -> Float[np.ndarray, "r c"]:
        """The entries of the given source rows and target rows."""
        u = self.source_atoms.index[np.asarray(rows)]
        v = self.target_atoms.index[np.asarray(columns)]
        return np.asarray(self.combine(self.source_factor[u], self.target_factor[v]))

    def dense(self) -> Float[np.ndarray, "n m"]:
        """The whole (n, m) matrix, `nbytes_dense` bytes."""
        refuse_above_limit(*self.shape, "cost")
        return self.on_atoms[np.ix_(self.source_atoms.index, self.target_atoms.index)]

    def unmerged(self) -> Cost:
        """The same cost with every row as its own atom."""
        return replace(
            self,
            source_factor=self.source_factor[self.source_atoms.index],
            target_factor=self.target_factor[self.target_atoms.index],
            source_atoms=every_row(self.shape[0]),
            target_atoms=every_row(self.shape[1]),
        )


def as_cost(value: Cost | ArrayLike, where: str) -> Cost:
    """`value` itself if it is a cost; a plain (n, m) matrix, such as `cosine(x, y)`, is wrapped as one."""
    return value if isinstance(value, Cost) else _from_matrix(value, where)


def _from_matrix(value: ArrayLike, where: str) -> Cost:
    matrix = check.matrix(value, "cost", where, rows=1).astype(np.float64)
    n, m = matrix.shape
    return Cost(
        name="matrix",
        source_factor=matrix,
        target_factor=np.arange(m, dtype=np.float64)[:, None],
        combine=pick_columns,
        source_atoms=every_row(n),
        target_atoms=every_row(m),
    )


def positive_mean(cost: Cost, where: str) -> float:
    """The mean of a cost, to divide by; 1 where the whole cost is zero.

    With negative entries the mean is not a measure of the cost's size and may even flip its sign.
    """
    least = float(cost.on_atoms.min())
    if least < -1e-9 * float(np.abs(cost.on_atoms).max()):
        hint = "It is divided by its mean: shift it (a similarity is not a cost), or give scale_cost."
        raise check.fail("cost", where, "nowhere negative", f"an entry of {least:.3g}", hint)
    return cost.mean() or 1.0
