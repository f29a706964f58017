"""A plan that is a product of two thin factors, and is never multiplied out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int
from scipy import sparse

BLOCK_BYTES = 2**25
"""Of the rows that are multiplied out at a time."""


@dataclass(frozen=True, eq=False)
class Factored:
    """The (u, v) matrix `left @ right.T >= 0`, which behaves like a matrix where a plan is read.

    Mass takes the way row -> anchor -> column: a column of both factors is an anchor.

    Attributes:
        left: (u, g) >= 0, dense or sparse.
        right: (v, g) likewise.

    >>> plan = Factored(np.array([[1.0], [2.0]]), np.array([[3.0], [0.0]]))
    >>> plan.sum(axis=1), plan.toarray().tolist()
    (array([3., 6.]), [[3.0, 0.0], [6.0, 0.0]])
    """

    left: Any
    right: Any

    @property
    def shape(self) -> tuple[int, int]:
        """(u, v)."""
        return self.left.shape[0], self.right.shape[0]

    @property
    def nbytes(self) -> int:
        """The memory of the factors, in bytes."""
        return sum(
            side.data.nbytes + side.indices.nbytes if sparse.issparse(side) else side.nbytes
            for side in (self.left, self.right)
        )

    @property
    def anchors(self) -> np.ndarray:
        """(g,) the mass that goes through each anchor."""
        return _sums(self.left, 0) * _sums(self.right, 0)

    def sum(self, axis: int | None = None) -> Any:
        """The sums of the rows (axis 1), of the columns (axis 0), or of everything."""
        if axis is None:
            return self.anchors.sum()
        mine, other = (self.left, self.right) if axis == 1 else (self.right, self.left)
        return np.asarray(mine @ _sums(other, 0))

    def __matmul__(self, matrix: np.ndarray) -> np.ndarray:
        return np.asarray(self.left @ (self.right.T @ matrix))

    def __getitem__(self, key: Any) -> Factored:
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        return Factored(self.left[rows], self.right[columns])

    def toarray(self) -> np.ndarray:
        """The matrix."""
        product = self.left @ self.right.T
        return np.asarray(product.toarray() if sparse.issparse(product) else product, np.float64)

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """The matrix, some rows at a time."""
        u, v = self.shape
        step = max(1, BLOCK_BYTES // (8 * v))
        for first in range(0, u, step):
            rows = slice(first, min(first + step, u))
            yield rows, self[rows].toarray()

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Int[np.ndarray, " size"], Int[np.ndarray, " size"]]:
        """(row, column) numbers: an anchor by its mass, then a row and a column by their parts of it."""
        mass = self.anchors
        anchor = np.sort(rng.choice(len(mass), size, p=mass / mass.sum()))
        rows, columns = (_draw_in(side, anchor, rng) for side in (self.left, self.right))
        order = rng.permutation(size)
        return rows[order], columns[order]


def _draw_in(side: Any, anchors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A row of each of the sorted anchors, by the entries of its column."""
    if sparse.issparse(side):
        side = sparse.csc_array(side)
    out = np.empty(len(anchors), np.int64)
    numbers, starts = np.unique(anchors, return_index=True)
    for number, part in zip(numbers, np.split(np.arange(len(anchors)), starts[1:]), strict=True):
        if sparse.issparse(side):
            column = slice(side.indptr[number], side.indptr[number + 1])
            rows, mass = side.indices[column], side.data[column]
        else:
            rows, mass = None, side[:, number]
        ends = np.cumsum(mass, dtype=np.float64)
        at = np.minimum(np.searchsorted(ends, rng.random(len(part)) * ends[-1], side="right"), len(ends) - 1)
        out[part] = at if rows is None else rows[at]
    return out


def _sums(side: Any, axis: int) -> np.ndarray:
    return np.asarray(side.sum(axis=axis, dtype=np.float64)).reshape(-1)
