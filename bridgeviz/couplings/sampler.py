"""Drawing (i, j) from a plan inside a compiled training step: one alias table over its entries, O(1) a draw."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse


class MassSample(NamedTuple):
    """A sample of what the reweighting networks learn (Eq. 4): rows of each space, and `eta = n pi_X` or `xi = m pi_Y`
    there.
    """

    i: jax.Array
    eta: jax.Array
    j: jax.Array
    xi: jax.Array


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("rows", "columns", "keep", "alias", "eta", "xi"),
    meta_fields=(),
)
class PlanSampler:
    """Walker's alias method: an entry at random, kept with its own probability, else its alias is taken.

    The tables are padded to a power of two, so that another plan of about the same size does not compile the training
    step again. A draw reads four numbers, whatever the size of the plan; an entry takes 16 bytes.
    """

    def __init__(self, rows: Any, columns: Any, keep: Any, alias: Any, eta: Any, xi: Any):
        self.rows, self.columns, self.keep, self.alias = rows, columns, keep, alias
        self.eta, self.xi = eta, xi

    @classmethod
    def of(
        cls,
        plan: np.ndarray | sparse.csr_array,
        rows: np.ndarray,
        columns: np.ndarray,
        marginals: tuple[np.ndarray, np.ndarray],
    ) -> PlanSampler:
        """Tables for a (u, v) plan whose entry (a, b) stands for row number `rows[a]` and `columns[b]`.

        `marginals` are those of all (n,) and (m,) rows.

        Entries below 1e-8 of their row's mass are left out: a float32 uniform number would never pick them.
        """
        flat: Any = sparse.coo_array(plan)
        mass = np.asarray(plan.sum(axis=1)).reshape(-1)
        used = flat.data > 1e-8 * mass[flat.row]
        size = 1 << max(0, int(used.sum()) - 1).bit_length()
        share = np.zeros(size)
        share[: used.sum()] = flat.data[used]
        keep, alias = alias_table(share)
        i, j = np.zeros(size, np.int32), np.zeros(size, np.int32)
        i[: used.sum()], j[: used.sum()] = rows[flat.row[used]], columns[flat.col[used]]
        tables = i, j, keep.astype(np.float32), alias.astype(np.int32)
        masses = ((len(side) * side).astype(np.float32) for side in marginals)
        return cls(*(jnp.asarray(table) for table in (*tables, *masses)))

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` row numbers (i, j), drawn from the normalised plan."""
        first, second = jax.random.split(key)
        at = jax.random.randint(first, (size,), 0, len(self.keep))
        at = jnp.where(jax.random.uniform(second, (size,)) < self.keep[at], at, self.alias[at])
        return self.rows[at], self.columns[at]

    def draw_with_masses(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array, MassSample]:
        """As `draw`, and `size` rows of each space, uniformly drawn, with their masses."""
        rows, columns = jax.random.split(jax.random.fold_in(key, 1))
        i = jax.random.randint(rows, (size,), 0, len(self.eta))
        j = jax.random.randint(columns, (size,), 0, len(self.xi))
        return *self.draw(key, size), MassSample(i, self.eta[i], j, self.xi[j])


def alias_table(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`keep` (N,) in [0, 1] and `alias` (N,): drawing k uniformly, then k or alias[k], has probabilities `share`.

    Walker's tables without a loop: entries below the mean, in order, are topped up from those above it, in order, so
    that who tops up whom is read off the running sums of what is missing and of what is left over.

    Args:
        share: (N,) >= 0, not all zero; need not sum to one.
    """
    scaled = share * (len(share) / share.sum())
    light = scaled < 1.0
    low, high = np.flatnonzero(light), np.flatnonzero(~light)
    missing, left = np.cumsum(1.0 - scaled[low]), np.cumsum(scaled[high] - 1.0)
    keep, alias = np.ones(len(share)), np.arange(len(share))
    # A light entry is topped up by the heavy one whose surplus is not used up by the light ones before it.
    before = np.concatenate([[0.0], missing])[: len(low)]
    keep[low] = scaled[low]
    alias[low] = high[np.minimum(np.searchsorted(left, before, side="right"), len(high) - 1)]
    # A heavy one may give more than its surplus to its last light one; the next heavy one makes up for it.
    served = np.searchsorted(before, left, side="left")  # light ones that it and the heavy ones before it top up
    given = np.concatenate([[0.0], missing])[served]
    keep[high] = np.clip(1.0 + left - given, 0.0, 1.0)
    alias[high] = np.append(high[1:], high[-1])
    keep[high[-1]] = 1.0
    return keep, alias
