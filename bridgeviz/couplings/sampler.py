"""Drawing (i, j) from a plan inside a compiled training step, without an n*m categorical."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("row_cdf", "rows", "column_cdf", "columns"),
    meta_fields=(),
)
class PlanSampler:
    """A row by its marginal, then a column of that row, each by inverting a cumulative table made once.

    The tables are ragged rows padded to the widest: (r,) and (r, w). A draw costs O(log r + log w).
    """

    def __init__(self, row_cdf: Any, rows: Any, column_cdf: Any, columns: Any):
        self.row_cdf, self.rows, self.column_cdf, self.columns = row_cdf, rows, column_cdf, columns

    @classmethod
    def of(cls, plan: np.ndarray | sparse.csr_array, rows: np.ndarray, columns: np.ndarray) -> PlanSampler:
        """Tables for a (u, v) plan whose entry (a, b) stands for row number `rows[a]` and `columns[b]`."""
        plan = sparse.csr_array(plan)
        plan.eliminate_zeros()
        mass = np.asarray(plan.sum(axis=1)).reshape(-1)
        used = np.flatnonzero(mass > 0)
        widths = np.diff(plan.indptr)[used]
        width = int(widths.max())
        inside = np.arange(width) < widths[:, None]
        at = np.minimum(plan.indptr[used][:, None] + np.arange(width), plan.nnz - 1)
        share = np.where(inside, plan.data[at], 0.0) / mass[used][:, None]
        cdf = np.where(inside, np.cumsum(share, axis=1), 2.0)  # padding is above any uniform number
        last = np.arange(len(used)), widths - 1
        cdf[last] = 1.0
        row_cdf = np.cumsum(mass[used])
        index = np.where(inside, columns[plan.indices[at]], 0)
        return cls(
            jnp.asarray(row_cdf / row_cdf[-1], jnp.float32),
            jnp.asarray(rows[used], jnp.int32),
            jnp.asarray(cdf, jnp.float32),
            jnp.asarray(index, jnp.int32),
        )

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` row numbers (i, j), drawn from the normalised plan."""
        first, second = jax.random.split(key)
        r = jnp.searchsorted(self.row_cdf, jax.random.uniform(first, (size,)), side="right")
        r = jnp.minimum(r, len(self.row_cdf) - 1)
        uniform = jax.random.uniform(second, (size,))
        c = jax.vmap(partial(jnp.searchsorted, side="right"))(self.column_cdf[r], uniform)
        c = jnp.minimum(c, self.columns.shape[1] - 1)
        return self.rows[r], self.columns[r, c]
