"""What a cost between two spaces is: lazy, on atoms, and where possible two thin factors instead of a matrix."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.costs.atoms import Atoms, every_row

BLOCK_BYTES = 2**20
"""The size of a block of a lazily computed matrix: small enough for a core's cache, which min_plus lives in."""


MOST_BYTES = 4 * 2**30
"""The largest dense matrix that is made without asking; solving with it takes a few times as much."""


class TooLarge(InputError):
    """A matrix beyond the memory limit, refused before it is allocated.

    Attributes:
        bytes, limit: what it would take, and what is allowed.
    """

    def __init__(self, said: str, size: int, limit: int):
        super().__init__(said)
        self.bytes, self.limit = size, limit


def memory_limit() -> int:
    """The largest dense matrix that is made, in bytes: 4 GB, or BRIDGEVIZ_MEMORY_GB."""
    given = os.environ.get("BRIDGEVIZ_MEMORY_GB")
    if not given:
        return MOST_BYTES
    try:
        return int(check.positive(float(given), "BRIDGEVIZ_MEMORY_GB", "memory_limit") * 2**30)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise check.fail("BRIDGEVIZ_MEMORY_GB", "memory_limit", "a number of GB > 0", check.describe(given)) from None


def refuse_above_limit(n: int, m: int, what: str) -> None:
    """An error with the size in GB, before anything is allocated."""
    _refuse(
        8 * n * m, f"The {what} as a dense {n:,} x {m:,} matrix",
        "Use strategy 'local' or 'true', or a sample of the rows.",
    )  # fmt: skip


def refuse_factors(rows: int, groups: int, where: str) -> None:
    """The same for the two factors of a cost: `rows` of both spaces, one column a group of pairs."""
    _refuse(
        8 * rows * groups, f"The factors of {where}(), {rows:,} rows x {groups:,} anchors,",
        "Use fewer pairs, a sample of the rows, or strategy 'true'.",
    )  # fmt: skip


def _refuse(size: int, what: str, instead: str) -> None:
    limit = memory_limit()
    if size > limit:
        said = f"{what} would take {size / 2**30:.3g} GB, above the limit of {limit / 2**30:.3g} GB. {instead}"
        raise TooLarge(said, size, limit)


def min_plus(a: Any, b: Any) -> Any:
    """`min_p a[i, p] + b[j, p]`: (r, g), (c, g) -> (r, c). NumPy in, NumPy out; JAX in, JAX out."""
    if isinstance(a, np.ndarray):
        out = np.full((len(a), len(b)), np.inf, np.result_type(a, b))
        for p in range(a.shape[1]):
            np.minimum(out, a[:, p, None] + b[None, :, p], out=out)
        return out
    return jnp.min(a[:, None, :] + b[None, :, :], axis=-1)


def neg_log_inner(a: Any, b: Any) -> Any:
    """`-log sum_p a[i, p] b[j, p]`, for non-negative factors; finite where the sum underflows to 0."""
    return -_log(a, b, 1e-300)


def neg_log_share(a: Any, b: Any) -> Any:
    """The same, floored at 1e-12: the cost of "no path" where the sums are shares of a row's mass."""
    return -_log(a, b, 1e-12)


def _log(a: Any, b: Any, least: float) -> Any:
    product = a @ b.T
    if sparse.issparse(product):
        product = product.toarray()
    xp = np if isinstance(product, np.ndarray) else jnp
    return xp.log(xp.maximum(product, max(least, float(np.finfo(product.dtype).tiny))))


def one_minus_inner(a: Any, b: Any) -> Any:
    """`1 - <a_i, b_j>`: the cosine distance of rows of length one."""
    return 1 - a @ b.T


class Route(NamedTuple):
    """How a source and a target row are bridged.

    Attributes:
        pair: its number in the pairs.
        leg_x, leg_y: the two legs: lengths that add up to the cost; or, with a `share`, the parts of the two rows'
            mass that come from this pair.
        way_x: source rows from x_i to the pair's source.
        way_y: target rows from the pair's target to y_j.
        share: of what the two rows have in common, the part that this pair carries; None where one pair is the cost.
    """

    pair: int
    leg_x: float
    leg_y: float
    way_x: list[int]
    way_y: list[int]
    share: float | None = None

    @property
    def cost(self) -> float:
        """The sum of the legs."""
        return self.leg_x + self.leg_y


@dataclass(frozen=True, eq=False)
class Cost:
    """A cost C (n, m) between the rows of two spaces, kept as factors on merged atoms.

    `C[i, j] = combine(source_factor[u(i)], target_factor[v(j)])`, where u and v are the atoms of the rows. The
    factors have one column an anchor (a pair, or the pairs that share a target atom), so they take O((n + m) l)
    memory where the matrix takes O(n m).

    Attributes:
        name: of the cost.
        source_factor: (u, g), dense or sparse.
        target_factor: (v, h), h = g for every cost on pairs; a plain matrix numbers its columns here.
        combine: (r, g), (c, g) -> (r, c), on NumPy or JAX arrays.
        source_atoms: the atoms of the n source rows.
        target_atoms: the atoms of the m target rows.
        default_epsilon: the entropy regularisation that suits this cost once it is divided by its mean.
        anchors: (l, 2) the pairs it was built on.
        facts: what its making found, by name: islands of a graph, correlations, mass that was dropped.
        advice: what to do about them, or "".
        route: (i, j) -> which pair bridges source row i and target row j in this cost; None where no single pair does.
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
        """Memory that `dense()` takes, in bytes."""
        return 8 * self.shape[0] * self.shape[1]

    @property
    def nbytes_factors(self) -> int:
        """Memory that the two factors take, in bytes: what this object holds before anything is asked of it."""
        return sum(
            factor.nbytes if isinstance(factor, np.ndarray) else factor.data.nbytes + factor.indices.nbytes
            for factor in (self.source_factor, self.target_factor)
        )

    @cached_property
    def on_atoms(self) -> Float[np.ndarray, "u v"]:
        """The cost between atoms, computed block by block and kept."""
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
        """The whole (n, m) matrix; `nbytes_dense` says what it will take."""
        refuse_above_limit(*self.shape, "cost")
        return self.on_atoms[np.ix_(self.source_atoms.index, self.target_atoms.index)]

    def unmerged(self) -> Cost:
        """The same cost with every row its own atom."""
        return replace(
            self,
            source_factor=self.source_factor[self.source_atoms.index],
            target_factor=self.target_factor[self.target_atoms.index],
            source_atoms=every_row(self.shape[0]),
            target_atoms=every_row(self.shape[1]),
        )


def pick_columns(a: Any, b: Any) -> Any:
    """The columns of `a` that `b` (c, 1) numbers: a plain matrix, kept as its own source factor."""
    return a[:, b[:, 0].astype(int)]


def from_matrix(value: ArrayLike, where: str) -> Cost:
    """Wrap a plain (n, m) matrix, such as `costs.cosine(x, y)`, as a cost."""
    matrix = check.matrix(value, "cost", where, rows=1).astype(np.float64)
    n, m = matrix.shape
    return Cost("matrix", matrix, np.arange(m, dtype=np.float64)[:, None], pick_columns, every_row(n), every_row(m))


def as_cost(value: Any, where: str) -> Cost:
    """`value` if it is a cost, else the matrix it is, wrapped."""
    return value if isinstance(value, Cost) else from_matrix(value, where)


def positive_mean(cost: Cost, where: str) -> float:
    """The mean of a cost, to divide by; 1 where the whole cost is zero.

    With negative entries the mean says nothing about the size of the cost, or turns it round.
    """
    least = float(cost.on_atoms.min())
    if least < -1e-9 * float(np.abs(cost.on_atoms).max()):
        hint = "It is divided by its mean: shift it (a similarity is no cost), or give scale_cost."
        raise check.fail("cost", where, "nowhere negative", f"an entry of {least:.3g}", hint)
    return cost.mean() or 1.0
