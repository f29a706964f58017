"""Drawing rows by their weights inside a compiled training step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from bridgeviz.couplings._alias import alias_table


@partial(jax.tree_util.register_dataclass, data_fields=("keep", "alias"), meta_fields=())
@dataclass(frozen=True, eq=False)
class RowSampler:
    """Walker's alias method over the rows of a space, O(1) per draw.

    Attributes:
        keep, alias: (n,) the tables of `alias_table`.
    """

    keep: jax.Array
    alias: jax.Array

    @classmethod
    def of(cls, weights: np.ndarray | None) -> RowSampler | None:
        """The sampler of (n,) weights; None if all rows weigh the same."""
        if weights is None:
            return None
        keep, alias = alias_table(weights)
        return cls(jnp.asarray(keep, jnp.float32), jnp.asarray(alias, jnp.int32))

    def draw(self, key: jax.Array, size: int) -> jax.Array:
        """`size` row numbers."""
        first, second = jax.random.split(key)
        at = jax.random.randint(first, (size,), 0, len(self.keep))
        return jnp.where(jax.random.uniform(second, (size,)) < self.keep[at], at, self.alias[at])


def draw_rows(sampler: RowSampler | None, key: jax.Array, size: int, n: int) -> jax.Array:
    """`size` of n row numbers, by their weights where a sampler knows them."""
    return jax.random.randint(key, (size,), 0, n) if sampler is None else sampler.draw(key, size)
