"""The cost within one space as Gromov-Wasserstein needs it: never a matrix, where the metric allows that."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs.atoms import Atoms
from bridgeviz.costs.cost import refuse_above_limit
from bridgeviz.costs.intra import Metric
from bridgeviz.costs.intra import metric as find_metric


class Within:
    """`C[i, i'] = d(x_i, x_i')` of one space, kept as its embedded rows: O(n p) memory, and exact.

    Our metrics are multiples of a squared chord, `s |e - e'|^2 = s (|e|^2 + |e'|^2 - 2 e.e')`, so that a product with
    C costs O(n p) a column.

    Attributes:
        rows: (n, p).
        metric: that d is.

    >>> Within([[0.0], [1.0], [3.0]], metric="sqeuclidean").dense()
    array([[0., 1., 9.],
           [1., 0., 4.],
           [9., 4., 0.]])
    """

    def __init__(self, x: ArrayLike, *, metric: str = "cosine"):
        self.rows = check.matrix(x, "x", "Within", rows=1)
        self.metric: Metric = find_metric(metric, "Within")
        self.metric.usable(self.rows, "x", "Within")

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n)."""
        return len(self.rows), len(self.rows)

    def mean(self) -> float:
        """Of all n^2 entries."""
        return self.metric.mean(self.rows)

    def dense(self) -> Float[np.ndarray, "n n"]:
        """The whole matrix."""
        refuse_above_limit(*self.shape, "cost within a space")
        return self.metric.matrix(self.rows, self.rows)

    def on(self, atoms: Atoms, scale: float) -> Chords:
        """C between atoms, divided by `scale`, for the device."""
        return Chords.of(self._embedded(self.rows[atoms.rows]) / np.sqrt(scale))

    def rows_on_device(self) -> Chords:
        """C of all rows in float32, about the size of one, for `Chords.take`."""
        e = self._embedded(self.rows)
        return Chords.of((e / (np.sqrt((e**2).sum(1).mean()) or 1.0)).astype(np.float32))

    def _embedded(self, rows: np.ndarray) -> np.ndarray:
        e = self.metric.embed(rows.astype(np.float64), "x", "Within")
        return (e - e.mean(0)) * np.sqrt(self.metric.scale)  # centred: less rounding


@partial(jax.tree_util.register_dataclass, data_fields=("e", "r"), meta_fields=())
class Chords:
    """`C[i, i'] = |e_i - e_i'|^2`, as its rows e and their squared lengths r."""

    def __init__(self, e: Any, r: Any):
        self.e, self.r = e, r

    @classmethod
    def of(cls, e: np.ndarray) -> Chords:
        """Of embedded rows."""
        return cls(jnp.asarray(e), jnp.asarray((e**2).sum(1)))

    def take(self, rows: Any) -> Chords:
        """C between some rows, divided by its mean."""
        e = self.e[rows]
        e = e - e.mean(0)
        r = (e**2).sum(1)
        mean = jnp.maximum(2 * r.mean(), 1e-12)  # of |e - e'|^2 over all pairs of centred rows
        return Chords(e / jnp.sqrt(mean), r / mean)

    def apply(self, plan: Any) -> Any:
        """`C plan`."""
        return self.r[:, None] * plan.sum(0) + (self.r @ plan) - 2 * self.e @ (self.e.T @ plan)

    def apply_square(self, mass: Any) -> Any:
        """`(C * C) mass`, each entry squared."""
        e, r = self.e, self.r
        linear = -4 * (r * (e @ (e.T @ mass)) + e @ (e.T @ (r * mass)))
        quadratic = 4 * ((e @ (e.T @ (mass[:, None] * e))) * e).sum(1)
        return r**2 * mass.sum() + 2 * r * (r @ mass) + (r**2) @ mass + linear + quadratic


@partial(jax.tree_util.register_dataclass, data_fields=("c",), meta_fields=())
class Matrix:
    """C as it stands: a symmetric matrix."""

    def __init__(self, c: Any):
        self.c = c

    def apply(self, plan: Any) -> Any:
        """`C plan`."""
        return self.c @ plan

    def apply_square(self, mass: Any) -> Any:
        """`(C * C) mass`, each entry squared."""
        return (self.c**2) @ mass
