"""Forbidden matches on the device, for the batches of the local strategy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from bridgeviz._forbidden import Forbidden


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("source", "target", "ends", "codes"),
    meta_fields=("halvings",),
)
@dataclass(frozen=True, eq=False)
class Lookup:
    """Looks matches up in the sparse table of `Forbidden`, by binary search: no dense table is made.

    Attributes:
        source, target: (u,) and (v,) the code of each atom.
        ends: (s + 1,) where the entries of each code of the source begin and end.
        codes: (k,) the codes of the target that it may not be matched with, sorted.
        halvings: steps of the search.
    """

    source: jax.Array
    target: jax.Array
    ends: jax.Array
    codes: jax.Array
    halvings: int

    @classmethod
    def of(cls, forbidden: Forbidden) -> Lookup:
        """The same matches."""
        table = forbidden.table.sorted_indices()
        codes = table.indices if table.nnz else np.zeros(1, np.int32)
        longest = int(np.diff(table.indptr).max())
        arrays = (forbidden.source, forbidden.target, table.indptr, codes)
        return cls(*(jnp.asarray(array, jnp.int32) for array in arrays), halvings=longest.bit_length())

    def among(self, u: jax.Array, v: jax.Array) -> jax.Array:
        """(b, c) which matches of the atoms u (b,) and v (c,) are forbidden."""
        row, wanted = self.source[u], self.target[v]
        shape = (len(u), len(v))
        low = jnp.broadcast_to(self.ends[row][:, None], shape)
        end = jnp.broadcast_to(self.ends[row + 1][:, None], shape)
        high = end
        for _ in range(self.halvings):
            middle = (low + high) // 2
            below = (middle < high) & (self.codes[jnp.minimum(middle, len(self.codes) - 1)] < wanted)
            low, high = jnp.where(below, middle + 1, low), jnp.where(below, high, middle)
        found = jnp.minimum(low, len(self.codes) - 1)
        return (low < end) & (self.codes[found] == wanted)
