"""The cost within one space, as Gromov-Wasserstein needs it: kept as rows instead of a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs._intra import Metric, find_metric
from bridgeviz.costs._memory import refuse_above_limit

if TYPE_CHECKING:
    from bridgeviz.costs._chords import Chords


class Within:
    """`C[i, i'] = d(x_i, x_i')` within one space, kept as its rows: O(n p) memory, and exact.

    Our metrics are multiples of a squared chord, `s |e - e'|^2 = s (|e|^2 + |e'|^2 - 2 e.e')`, so that a product with
    C costs O(n p) per column.

    Attributes:
        rows: (n, p).
        metric: the distance d.

    >>> Within([[0.0], [1.0], [3.0]], metric="sqeuclidean").dense()
    array([[0., 1., 9.],
           [1., 0., 4.],
           [9., 4., 0.]])
    """

    def __init__(self, x: ArrayLike, *, metric: str = "cosine"):
        self.rows = check.matrix(x, "x", "Within", rows=1)
        self.metric: Metric = find_metric(metric, "Within")
        self.metric.require_defined(self.rows, "x", "Within")

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n)."""
        return len(self.rows), len(self.rows)

    def mean(self, weights: np.ndarray | None = None) -> float:
        """The mean of all n^2 entries, each with the product of its rows' weights (n,), which sum to one."""
        return self.metric.mean(self.rows, weights)

    def dense(self) -> Float[np.ndarray, "n n"]:
        """The whole matrix."""
        refuse_above_limit(*self.shape, "cost within a space")
        return self.metric.matrix(self.rows, self.rows)

    def on(self, rows: Int[np.ndarray, " u"], scale: float) -> Chords:
        """C between some of the rows, divided by `scale`, on the device."""
        from bridgeviz.costs._chords import Chords

        return Chords.of(self._embedded(self.rows[rows]) / np.sqrt(scale))

    def rows_on_device(self) -> Chords:
        """C of all rows in float32, scaled to a size near one, from which `Chords.take` picks batches."""
        from bridgeviz.costs._chords import Chords

        e = self._embedded(self.rows)
        return Chords.of((e / (np.sqrt((e**2).sum(1).mean()) or 1.0)).astype(np.float32))

    def _embedded(self, rows: np.ndarray) -> np.ndarray:
        e = self.metric.embed(rows.astype(np.float64), "x", "Within")
        return (e - e.mean(0)) * np.sqrt(self.metric.scale)  # centred, for less rounding
