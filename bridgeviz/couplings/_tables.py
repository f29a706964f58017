"""Walker's alias tables that draw entries of a plan on the device, in O(1) whatever the size of the plan."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse

from bridgeviz.costs import refuse_above_limit
from bridgeviz.couplings._alias import alias_table
from bridgeviz.couplings._entries import row_parts, sums
from bridgeviz.couplings._factored import Factored

_TABLES = 12
"""Tables of one number for each entry, at the peak of the memory."""

_FAINT = 1e-8
"""Share of an entry in its row or column below which it is left out: a float32 number would never pick it."""


@partial(jax.tree_util.register_dataclass, data_fields=("rows", "columns", "keep", "alias"), meta_fields=())
@dataclass(frozen=True, eq=False)
class EntryTable:
    """An entry is picked uniformly, and kept with its own probability, else its alias is taken.

    The tables are padded to a power of two, so that another plan of about the same size does not compile the training
    step again. A draw reads four numbers; an entry takes 16 bytes.

    Attributes:
        rows, columns: (N,) the numbers that each entry stands for.
        keep, alias: (N,) the tables of `alias_table`.
    """

    rows: jax.Array
    columns: jax.Array
    keep: jax.Array
    alias: jax.Array

    @classmethod
    def of(cls, plan: np.ndarray | sparse.csr_array, rows: np.ndarray, columns: np.ndarray) -> EntryTable:
        """The tables of a (u, v) plan whose rows and columns have these numbers."""
        row, column, mass = _entries(plan)
        size = _padded(len(mass))
        share, i, j = np.zeros(size), np.zeros(size, np.int32), np.zeros(size, np.int32)
        share[: len(mass)] = mass
        keep, alias = alias_table(share)
        i[: len(mass)], j[: len(mass)] = rows[row], columns[column]
        return cls(jnp.asarray(i), jnp.asarray(j), jnp.asarray(keep, jnp.float32), jnp.asarray(alias, jnp.int32))

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` rows and columns."""
        first, second = jax.random.split(key)
        at = jax.random.randint(first, (size,), 0, len(self.keep))
        at = jnp.where(jax.random.uniform(second, (size,)) < self.keep[at], at, self.alias[at])
        return self.rows[at], self.columns[at]


@partial(jax.tree_util.register_dataclass, data_fields=("start", "count", "rows", "keep", "alias"), meta_fields=())
@dataclass(frozen=True, eq=False)
class ColumnTables:
    """The same for each column of a factor.

    Attributes:
        start, count: (g,) where the entries of a column start, and how many it has.
        rows: (N,) the number that each entry stands for.
        keep, alias: (N,) the tables of `alias_table`; aliases count from the start of the column.
    """

    start: jax.Array
    count: jax.Array
    rows: jax.Array
    keep: jax.Array
    alias: jax.Array

    @classmethod
    def of(cls, factor: Any, rows: np.ndarray) -> ColumnTables:
        """The tables of a (u, g) factor whose rows have these numbers."""
        g = factor.shape[1]
        by_column = sparse.csc_array(factor) if sparse.issparse(factor) else None
        parts, counts = [], np.zeros(g, np.int64)
        for column in range(g):
            if by_column is None:
                at, mass = np.arange(factor.shape[0]), factor[:, column].astype(np.float64)
            else:
                part = slice(by_column.indptr[column], by_column.indptr[column + 1])
                at, mass = by_column.indices[part], by_column.data[part].astype(np.float64)
            used = mass > _FAINT * mass.max(initial=0.0)
            counts[column] = used.sum()
            if counts[column]:
                keep, alias = alias_table(mass[used])
                parts.append((rows[at[used]].astype(np.int32), keep.astype(np.float32), alias.astype(np.int32)))
        size = _padded(int(counts.sum()))
        padded = [np.zeros(size, part.dtype) for part in parts[0]]
        for table, pieces in zip(padded, zip(*parts, strict=True), strict=True):
            table[: counts.sum()] = np.concatenate(pieces)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        return cls(*(jnp.asarray(array, jnp.int32) for array in (starts, counts)), *map(jnp.asarray, padded))

    def draw(self, key: jax.Array, columns: jax.Array) -> jax.Array:
        """A row of each of the columns."""
        first, second = jax.random.split(key)
        count = self.count[columns]
        step = jnp.minimum((jax.random.uniform(first, columns.shape) * count).astype(jnp.int32), count - 1)
        at = self.start[columns] + step
        kept = jax.random.uniform(second, columns.shape) < self.keep[at]
        return self.rows[jnp.where(kept, at, self.start[columns] + self.alias[at])]


@partial(jax.tree_util.register_dataclass, data_fields=("keep", "alias", "left", "right"), meta_fields=())
@dataclass(frozen=True, eq=False)
class AnchorTables:
    """A factored plan: an anchor is drawn by its mass, then a row and a column from its columns of both factors.

    Attributes:
        keep, alias: (g,) the tables of the anchors.
        left, right: of the two factors.
    """

    keep: jax.Array
    alias: jax.Array
    left: ColumnTables
    right: ColumnTables

    @classmethod
    def of(cls, plan: Factored, rows: np.ndarray, columns: np.ndarray) -> AnchorTables:
        """The tables of a plan whose rows and columns have these numbers."""
        mass = np.zeros(_padded(len(plan.anchors)))
        mass[: len(plan.anchors)] = plan.anchors
        keep, alias = alias_table(mass)
        sides = ColumnTables.of(plan.left, rows), ColumnTables.of(plan.right, columns)
        return cls(jnp.asarray(keep, jnp.float32), jnp.asarray(alias, jnp.int32), *sides)

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` rows and columns."""
        first, second, of_row, of_column = jax.random.split(key, 4)
        at = jax.random.randint(first, (size,), 0, len(self.keep))
        anchors = jnp.where(jax.random.uniform(second, (size,)) < self.keep[at], at, self.alias[at])
        return self.left.draw(of_row, anchors), self.right.draw(of_column, anchors)


def _entries(plan: np.ndarray | sparse.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows, the columns and the masses of the entries that a draw may pick."""
    found = []
    for rows, part in row_parts(plan) if isinstance(plan, np.ndarray) else [(slice(0), plan)]:
        flat = sparse.coo_array(part)
        row, column = flat.coords
        used = flat.data > _FAINT * sums(part, 1)[row]
        found.append((rows.start or 0, row[used], column[used], flat.data[used]))
    return (
        np.concatenate([first + row for first, row, _, _ in found]), np.concatenate([part[2] for part in found]),
        np.concatenate([part[3] for part in found]),
    )  # fmt: skip


def _padded(entries: int) -> int:
    """The next power of two, if tables of that size fit into the memory."""
    size = 1 << max(0, entries - 1).bit_length()
    refuse_above_limit(size, 1, "tables of the plan's entries", matrices=_TABLES)
    return size
