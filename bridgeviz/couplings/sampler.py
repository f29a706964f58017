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

    The tables are ragged rows padded to the widest, and r and w to powers of two, so that another plan of about the
    same size does not compile the training step again. A draw costs O(log r + log w).
    """

    def __init__(self, row_cdf: Any, rows: Any, column_cdf: Any, columns: Any):
        self.row_cdf, self.rows, self.column_cdf, self.columns = row_cdf, rows, column_cdf, columns

    @classmethod
    def of(cls, plan: np.ndarray | sparse.csr_array, rows: np.ndarray, columns: np.ndarray) -> PlanSampler:
        """Tables for a (u, v) plan whose entry (a, b) stands for row number `rows[a]` and `columns[b]`.

        Entries below 1e-8 of their row's mass are left out: a float32 uniform number would never pick them.
        """
        mass = np.asarray(plan.sum(axis=1)).reshape(-1)
        if isinstance(plan, np.ndarray):
            plan = np.where(plan > 1e-8 * mass[:, None], plan, 0.0)
        plan = sparse.csr_array(plan)
        used = np.flatnonzero(mass > 0)
        widths = np.diff(plan.indptr)[used]
        r, w = _round_up(len(used)), _round_up(int(widths.max()))
        inside = np.arange(w) < widths[:, None]
        at = np.minimum(plan.indptr[used][:, None] + np.arange(w), plan.nnz - 1)
        share = np.where(inside, plan.data[at], 0.0)
        column_cdf = np.full((r, w), 2.0, np.float32)  # padding lies above any uniform number
        column_cdf[: len(used)] = np.where(inside, np.cumsum(share, axis=1) / share.sum(1, keepdims=True), 2.0)
        column_cdf[np.arange(len(used)), widths - 1] = 1.0
        row_cdf = np.full(r, 2.0, np.float32)
        row_cdf[: len(used)] = np.cumsum(mass[used]) / mass[used].sum()
        row_cdf[len(used) - 1] = 1.0
        row_numbers, column_numbers = np.zeros(r, np.int32), np.zeros((r, w), np.int32)
        row_numbers[: len(used)] = rows[used]
        column_numbers[: len(used)] = np.where(inside, columns[plan.indices[at]], 0)
        return cls(*(jnp.asarray(table) for table in (row_cdf, row_numbers, column_cdf, column_numbers)))

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` row numbers (i, j), drawn from the normalised plan."""
        first, second = jax.random.split(key)
        r = jnp.searchsorted(self.row_cdf, jax.random.uniform(first, (size,)), side="right")
        r = jnp.minimum(r, len(self.row_cdf) - 1)
        uniform = jax.random.uniform(second, (size,))
        c = jax.vmap(partial(jnp.searchsorted, side="right"))(self.column_cdf[r], uniform)
        c = jnp.minimum(c, self.columns.shape[1] - 1)
        return self.rows[r], self.columns[r, c]


def _round_up(size: int) -> int:
    return 1 << (size - 1).bit_length()
