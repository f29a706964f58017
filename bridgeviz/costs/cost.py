"""What a cost between two spaces is: lazy, on atoms, and where possible two thin factors instead of a matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.costs.atoms import Atoms, every_row

BLOCK_BYTES = 2**20
"""The size of a block of a lazily computed matrix: small enough for a core's cache, which min_plus lives in."""


MOST_BYTES = 4 * 2**30
"""The largest dense matrix that is made without asking; solving with it takes a few times as much."""


def refuse_above_limit(n: int, m: int, what: str) -> None:
    """An error with the size in GB, before anything is allocated."""
    if 8 * n * m > MOST_BYTES:
        raise InputError(
            f"The {what} as a dense {n} x {m} matrix takes {8 * n * m / 2**30:.1f} GB, above the limit of "
            f"{MOST_BYTES / 2**30:.0f} GB. Use strategy 'local' or 'true', or a sample of the rows."
        )


def min_plus(a: Any, b: Any) -> Any:
    """`min_p a[i, p] + b[j, p]`: (r, g), (c, g) -> (r, c). NumPy in, NumPy out; JAX in, JAX out."""
    if isinstance(a, np.ndarray):
        out = np.full((len(a), len(b)), np.inf, np.result_type(a, b))
        for p in range(a.shape[1]):
            np.minimum(out, a[:, p, None] + b[None, :, p], out=out)
        return out
    return jnp.min(a[:, None, :] + b[None, :, :], axis=-1)


def neg_log_inner(a: Any, b: Any) -> Any:
    """`-log sum_p a[i, p] b[j, p]`, for non-negative factors; floored where nothing diffuses.

    The floor, 1e-12 of a row's mass, is the cost of "no path": large, finite, the same for all.
    """
    xp = np if isinstance(a, np.ndarray) else jnp
    return -xp.log(xp.maximum(a @ b.T, 1e-12))


@dataclass(frozen=True, eq=False)
class Cost:
    """A cost C (n, m) between the rows of two spaces, kept as factors on merged atoms.

    `C[i, j] = combine(source_factor[u(i)], target_factor[v(j)])`, where u and v are the atoms of the rows. The
    factors have one column an anchor (a pair, or the pairs that share a target atom), so they take O((n + m) l)
    memory where the matrix takes O(n m).

    Attributes:
        name: of the cost.
        source_factor: (u, g).
        target_factor: (v, h), h = g for every cost on pairs; a plain matrix numbers its columns here.
        combine: (r, g), (c, g) -> (r, c), on NumPy or JAX arrays.
        source_atoms: the atoms of the n source rows.
        target_atoms: the atoms of the m target rows.
        default_epsilon: the entropy regularisation that suits this cost once it is divided by its mean.
        anchors: (l, 2) the pairs it was built on.
    """

    name: str
    source_factor: Float[np.ndarray, "u g"]
    target_factor: Float[np.ndarray, "v h"]
    combine: Callable[[Any, Any], Any]
    source_atoms: Atoms
    target_atoms: Atoms
    default_epsilon: float = 5e-3
    anchors: np.ndarray | None = None

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

    @cached_property
    def on_atoms(self) -> Float[np.ndarray, "u v"]:
        """The cost between atoms, computed block by block and kept."""
        u, v = self.atom_shape
        refuse_above_limit(u, v, "cost")
        out = np.empty((u, v))
        step = max(1, BLOCK_BYTES // (8 * max(v, self.source_factor.shape[1])))
        for start in range(0, u, step):
            out[start : start + step] = self.combine(self.source_factor[start : start + step], self.target_factor)
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
