"""The cost within one space on the device: products with it for Gromov-Wasserstein."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np


@partial(jax.tree_util.register_dataclass, data_fields=("e", "r"), meta_fields=())
@dataclass(frozen=True, eq=False)
class Chords:
    """`C[i, i'] = |e_i - e_i'|^2`, never formed: a product with it costs O(n p) per column.

    Attributes:
        e: (n, p) the embedded rows.
        r: (n,) their squared lengths.
    """

    e: jax.Array
    r: jax.Array

    @classmethod
    def of(cls, e: np.ndarray) -> Chords:
        """The cost between embedded rows."""
        return cls(jnp.asarray(e), jnp.asarray((e**2).sum(1)))

    def take(self, rows: jax.Array) -> Chords:
        """C between the given rows, divided by its mean."""
        e = self.e[rows]
        e = e - e.mean(0)
        r = (e**2).sum(1)
        mean = jnp.maximum(2 * r.mean(), 1e-12)  # the mean of |e - e'|^2 over all pairs of centred rows
        return Chords(e / jnp.sqrt(mean), r / mean)

    @property
    def rank(self) -> int:
        """The number of columns of the factors."""
        return self.e.shape[1] + 2

    def factors(self) -> tuple[jax.Array, jax.Array]:
        """Two matrices (n, rank); C is the first times the other's transpose."""
        one = jnp.ones_like(self.r)
        return jnp.column_stack([-2 * self.e, self.r, one]), jnp.column_stack([self.e, one, self.r])

    def apply(self, plan: jax.Array) -> jax.Array:
        """`C plan`: (n, m) -> (n, m)."""
        return self.r[:, None] * plan.sum(0) + (self.r @ plan) - 2 * self.e @ (self.e.T @ plan)

    def apply_square(self, mass: jax.Array) -> jax.Array:
        """`(C * C) mass`, with each entry of C squared: (n,) -> (n,)."""
        e, r = self.e, self.r
        linear = -4 * (r * (e @ (e.T @ mass)) + e @ (e.T @ (r * mass)))
        quadratic = 4 * ((e @ (e.T @ (mass[:, None] * e))) * e).sum(1)
        return r**2 * mass.sum() + 2 * r * (r @ mass) + (r**2) @ mass + linear + quadratic


@partial(jax.tree_util.register_dataclass, data_fields=("c",), meta_fields=())
@dataclass(frozen=True, eq=False)
class Matrix:
    """C as a dense symmetric matrix.

    Attributes:
        c: (n, n).
    """

    c: jax.Array

    @property
    def rank(self) -> int:
        """The number of columns of the factors."""
        return len(self.c)

    def factors(self) -> tuple[jax.Array, jax.Array]:
        """C itself and the identity."""
        return self.c, jnp.eye(len(self.c), dtype=self.c.dtype)

    def apply(self, plan: jax.Array) -> jax.Array:
        """`C plan`: (n, m) -> (n, m)."""
        return self.c @ plan

    def apply_square(self, mass: jax.Array) -> jax.Array:
        """`(C * C) mass`, with each entry of C squared: (n,) -> (n,)."""
        return (self.c**2) @ mass
