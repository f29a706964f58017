"""The legs of the bridge cost: distances to the anchors, of which only some rows are computed at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from bridgeviz.costs._anchors import Anchored
from bridgeviz.costs._intra import Metric
from bridgeviz.costs._memory import refuse_factors

LARGE, HUGE = 2**24, 2**30
"""Entries of a factor from which on it is float32, and from which on it is not stored."""

ANCHORS, ROWS = 512, 4096
"""Anchors and rows of a block: few enough for the cache, and for the matrices of distances to stay small."""


@dataclass(frozen=True, eq=False)
class Legs:
    """The (w, g) matrix of distances from points to the nearest anchor of each group, in units of a mean distance.

    It behaves like an array that is read by rows, and computes them again whenever they are read.

    Attributes:
        x: (n, p).
        rows: (w,) the row of x that each point is.
        anchors: (k,) rows of x.
        group: (k,) the group of each anchor, sorted.
        groups: the number g of groups.
        metric: within the space.
        mean: that distances are divided by.
        dtype: of the distances.
        product: the type that matrices are multiplied in: float32 only if x is, and the distances are not stored.
    """

    x: np.ndarray
    rows: Int[np.ndarray, " w"]
    anchors: Int[np.ndarray, " k"]
    group: Int[np.ndarray, " k"]
    groups: int
    metric: Metric
    mean: float
    dtype: np.dtype
    product: np.dtype

    @classmethod
    def of(cls, anchored: Anchored, side: str, x: np.ndarray) -> Legs:
        """Those of the atoms on one side."""
        atoms, at = anchored.atoms(side)
        # The pairs of a group share their other leg, so that only the shortest leg on this side counts.
        group, at = np.unique(np.stack([anchored.group, at]), axis=1)
        shape = len(atoms), anchored.groups
        dtype = np.dtype(np.float32 if np.prod(shape) >= LARGE else np.float64)
        product = x.dtype if is_huge(*shape) else np.dtype(np.float64)
        mean = anchored.metric.mean(x) or 1.0
        return cls(x, atoms.rows, atoms.rows[at], group, anchored.groups, anchored.metric, mean, dtype, product)

    @property
    def shape(self) -> tuple[int, int]:
        """(w, g)."""
        return len(self.rows), self.groups

    @property
    def ndim(self) -> int:
        """2."""
        return 2

    @property
    def nbytes(self) -> int:
        """The memory that is held besides x, in bytes."""
        return self.rows.nbytes + sum(part.nbytes for part in self._embedded)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Any) -> Float[np.ndarray, "r g"]:
        points = self.rows[rows]
        out = np.full((len(points), self.groups), np.inf, self.dtype)
        for first in range(0, len(points), ROWS):
            self._put(points[first : first + ROWS], out[first : first + ROWS])
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)

    def take(self, rows: np.ndarray) -> Legs:
        """Those of some of the points, neither stored nor computed."""
        return replace(self, rows=self.rows[rows])

    @cached_property
    def _embedded(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The centre of the anchors, what they are from there, and half of their squared lengths."""
        f = self._points(self.anchors)
        centre = f.mean(0)  # leaves differences alone; far from the origin their squares would drown in rounding
        f -= centre
        return centre, f.astype(self.product), np.square(f).sum(1) / 2

    def _points(self, rows: np.ndarray) -> np.ndarray:
        return self.metric.embed(self.x[rows].astype(np.float64), "x", self.metric.name)

    def _put(self, points: np.ndarray, out: np.ndarray) -> None:
        """Their legs into `out`, which is infinite."""
        centre, f, half = self._embedded
        e = self._points(points) - centre
        lengths = np.square(e).sum(1) / 2
        e, half = e.astype(f.dtype), half.astype(f.dtype)
        for first in range(0, len(f), ANCHORS):
            block = slice(first, first + ANCHORS)
            near = f[block] @ -e.T
            near += half[block, None]  # half of the squared distance, less what the row has in common
            columns, starts = np.unique(self.group[block], return_index=True)
            if len(columns) < len(near):
                near = _least_of_each(near, starts)
            distance = np.maximum((near + lengths.astype(f.dtype)) * (2 * self.metric.scale / self.mean), 0)
            out[:, columns] = np.minimum(out[:, columns], distance.T)
        own, anchor = _equal_pairs(points, self.anchors)
        out[own, self.group[anchor]] = 0.0  # exactly, whatever the rounding of a matrix product


def _least_of_each(rows: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The least of each run of rows that begins at a start; `np.minimum.reduceat` takes several times as long."""
    least = np.empty((len(starts), rows.shape[1]), rows.dtype)
    for run, start, end in zip(least, starts, [*starts[1:], len(rows)], strict=True):
        np.minimum.reduce(rows[start:end], axis=0, out=run)
    return least


Factor = np.ndarray | sparse.csr_array | Legs
"""What a factor of a cost is kept as."""


def taken(factor: Any, rows: np.ndarray) -> Any:
    """Some rows of a factor; those of legs are not computed."""
    return factor.take(rows) if isinstance(factor, Legs) else factor[rows]


def both_legs(anchored: Anchored, where: str) -> tuple[np.ndarray | Legs, np.ndarray | Legs]:
    """The distances of the atoms of both sides to each group, in units of the means within the spaces.

    They are stored unless there are too many.

    Raises:
        TooLarge: what is stored exceeds the memory limit.
    """
    sides = Legs.of(anchored, "source", anchored.x), Legs.of(anchored, "target", anchored.y)
    stored = [legs for legs in sides if not is_huge(*legs.shape)]
    size, rows = sum(len(legs) * legs.groups * legs.dtype.itemsize for legs in stored), sum(map(len, stored))
    if stored:
        refuse_factors(rows, anchored.groups, size // rows, where)
    source, target = (legs if is_huge(*legs.shape) else legs[:] for legs in sides)
    return source, target


def is_huge(rows: int, groups: int) -> bool:
    """Whether a factor of this shape is not stored."""
    return rows * groups >= HUGE


def _equal_pairs(values: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The positions of all pairs of equal numbers."""
    order = np.argsort(others, kind="stable")
    first, last = (np.searchsorted(others, values, side, sorter=order) for side in ("left", "right"))
    counts = last - first
    at = np.repeat(np.arange(len(values)), counts)
    within = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
    return at, order[first[at] + within]
