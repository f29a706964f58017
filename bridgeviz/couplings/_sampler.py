"""Drawing (i, j) from a plan inside a compiled training step: one alias table over its entries, O(1) per draw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse

from bridgeviz.costs import Atoms, refuse_above_limit

_TABLES = 12
"""Tables of one number for each entry, at the peak of the memory."""


class MassSample(NamedTuple):
    """A sample of what the reweighting networks learn (Eq. 4).

    Attributes:
        i, j: rows of the source and of the target.
        eta, xi: `n pi_X` at the rows i, and `m pi_Y` at the rows j.
    """

    i: jax.Array
    eta: jax.Array
    j: jax.Array
    xi: jax.Array


@partial(jax.tree_util.register_dataclass, data_fields=("order", "start", "count"), meta_fields=())
@dataclass(frozen=True, eq=False)
class Members:
    """The rows of each atom, to draw one of them.

    Attributes:
        order: (n,) row numbers sorted by atom.
        start, count: (u,) where the rows of each atom start in `order`, and how many there are.
    """

    order: jax.Array
    start: jax.Array
    count: jax.Array

    @classmethod
    def of(cls, atoms: Atoms) -> Members:
        """The rows of these atoms."""
        order, start = atoms.members()
        return cls(*(jnp.asarray(array, jnp.int32) for array in (order, start, atoms.multiplicity)))

    def draw(self, key: jax.Array, atoms: jax.Array) -> jax.Array:
        """A row of each of the given atoms."""
        share = jax.random.uniform(key, atoms.shape)
        step = jnp.minimum((share * self.count[atoms]).astype(jnp.int32), self.count[atoms] - 1)
        return self.order[self.start[atoms] + step]


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("rows", "columns", "keep", "alias", "eta", "xi", "sources", "targets"),
    meta_fields=(),
)
@dataclass(frozen=True, eq=False)
class PlanSampler:
    """Walker's alias method: pick an entry uniformly, and keep it with its own probability, else take its alias.

    The tables are padded to a power of two, so that another plan of about the same size does not compile the training
    step again. A draw reads four numbers, whatever the size of the plan; an entry takes 16 bytes.

    Attributes:
        rows, columns: (N,) the row numbers that each entry stands for; atoms, on a side that has members.
        keep, alias: (N,) the tables of `alias_table`.
        eta, xi: (n,) and (m,) the marginals of all rows, times n and m.
        sources, targets: the members of the atoms of a side; None where the rows of an atom are equal, so that one of
            them stands for all.
    """

    rows: jax.Array
    columns: jax.Array
    keep: jax.Array
    alias: jax.Array
    eta: jax.Array
    xi: jax.Array
    sources: Members | None = None
    targets: Members | None = None

    settings: ClassVar[str] = ""

    @classmethod
    def of(
        cls,
        plan: np.ndarray | sparse.csr_array,
        source: Atoms,
        target: Atoms,
        marginals: tuple[np.ndarray, np.ndarray],
    ) -> PlanSampler:
        """The tables of a plan.

        Entries below 1e-8 of their row's mass are left out: a float32 uniform number would never pick them.

        Args:
            plan: (u, v) mass between atoms.
            source: (u,) atoms.
            target: (v,) atoms.
            marginals: of all (n,) and (m,) rows.
        """
        rows, columns = (atoms.rows if atoms.exact else np.arange(len(atoms)) for atoms in (source, target))
        flat = sparse.coo_array(plan)
        row, column = flat.coords
        mass = np.asarray(plan.sum(axis=1)).reshape(-1)
        used = flat.data > 1e-8 * mass[row]
        size = 1 << max(0, int(used.sum()) - 1).bit_length()
        refuse_above_limit(size, 1, "tables of the plan's entries", matrices=_TABLES)
        share = np.zeros(size)
        share[: used.sum()] = flat.data[used]
        keep, alias = alias_table(share)
        i, j = np.zeros(size, np.int32), np.zeros(size, np.int32)
        i[: used.sum()], j[: used.sum()] = rows[row[used]], columns[column[used]]
        eta, xi = ((len(side) * side).astype(np.float32) for side in marginals)
        return cls(
            rows=jnp.asarray(i),
            columns=jnp.asarray(j),
            keep=jnp.asarray(keep.astype(np.float32)),
            alias=jnp.asarray(alias.astype(np.int32)),
            eta=jnp.asarray(eta),
            xi=jnp.asarray(xi),
            sources=None if source.exact else Members.of(source),
            targets=None if target.exact else Members.of(target),
        )

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` row numbers (i, j), drawn from the normalised plan."""
        first, second = jax.random.split(key)
        at = jax.random.randint(first, (size,), 0, len(self.keep))
        at = jnp.where(jax.random.uniform(second, (size,)) < self.keep[at], at, self.alias[at])
        i, j = self.rows[at], self.columns[at]
        if self.sources is not None:
            i = self.sources.draw(jax.random.fold_in(key, 2), i)
        if self.targets is not None:
            j = self.targets.draw(jax.random.fold_in(key, 3), j)
        return i, j

    def draw_with_masses(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array, MassSample]:
        """The same draws, and `size` rows of each space, drawn uniformly, with their masses."""
        rows, columns = jax.random.split(jax.random.fold_in(key, 1))
        i = jax.random.randint(rows, (size,), 0, len(self.eta))
        j = jax.random.randint(columns, (size,), 0, len(self.xi))
        return *self.draw(key, size), MassSample(i, self.eta[i], j, self.xi[j])


def alias_table(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`keep` (N,) in [0, 1] and `alias` (N,): drawing k uniformly, then k or alias[k], has probabilities `share`.

    Walker's tables without a loop: entries below the mean, in order, are filled up from those above it, in order, so
    that the running sums of what is missing and of what is left over say which entry fills up which.

    Args:
        share: (N,) >= 0, not all zero; need not sum to one.
    """
    scaled = share * (len(share) / share.sum())
    light = scaled < 1.0
    low, high = np.flatnonzero(light), np.flatnonzero(~light)
    missing, surplus = np.cumsum(1.0 - scaled[low]), np.cumsum(scaled[high] - 1.0)
    keep, alias = np.ones(len(share)), np.arange(len(share))
    # A light entry is filled up by the heavy one whose surplus is not used up by the light ones before it.
    before = np.concatenate([[0.0], missing])[: len(low)]
    keep[low] = scaled[low]
    alias[low] = high[np.minimum(np.searchsorted(surplus, before, side="right"), len(high) - 1)]
    # A heavy one may give more than its surplus to its last light one; the next heavy one makes up for it.
    served = np.searchsorted(before, surplus, side="left")  # light ones filled up by it and the heavy ones before it
    spent = np.concatenate([[0.0], missing])[served]
    keep[high] = np.clip(1.0 + surplus - spent, 0.0, 1.0)
    alias[high] = np.append(high[1:], high[-1])
    keep[high[-1]] = 1.0
    return keep, alias
