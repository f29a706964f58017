"""Drawing (i, j) from a plan inside a compiled training step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse

from bridgeviz.costs import Atoms
from bridgeviz.couplings._alias import alias_table
from bridgeviz.couplings._factored import Factored
from bridgeviz.couplings._row_sampler import RowSampler, draw_rows
from bridgeviz.couplings._tables import AnchorTables, EntryTable


class MassSample(NamedTuple):
    """A sample of what the reweighting networks learn (Eq. 4).

    Attributes:
        i, j: rows of the source and of the target.
        eta, xi: `pi_X / mu` at the rows i, and `pi_Y / nu` at the rows j; `n pi_X` and `m pi_Y` without weights.
    """

    i: jax.Array
    eta: jax.Array
    j: jax.Array
    xi: jax.Array


@partial(jax.tree_util.register_dataclass, data_fields=("order", "start", "count", "keep", "alias"), meta_fields=())
@dataclass(frozen=True, eq=False)
class Members:
    """The rows of each atom, to draw one of them.

    Attributes:
        order: (n,) row numbers sorted by atom.
        start, count: (u,) where the rows of each atom start in `order`, and how many there are.
        keep, alias: (n,) the tables of `alias_table` within each atom; None if its rows share its mass equally.
    """

    order: jax.Array
    start: jax.Array
    count: jax.Array
    keep: jax.Array | None = None
    alias: jax.Array | None = None

    @classmethod
    def of(cls, atoms: Atoms) -> Members:
        """The rows of these atoms."""
        order, start = atoms.members()
        rows = cls(*(jnp.asarray(array, jnp.int32) for array in (order, start, atoms.multiplicity)))
        if atoms.weights is None:
            return rows
        shares = np.split(atoms.shares[order], start[1:])
        tables = [alias_table(part) if part.any() else (np.ones(len(part)), np.arange(len(part))) for part in shares]
        keep, alias = (np.concatenate([table[k] for table in tables]) for k in (0, 1))
        return replace(rows, keep=jnp.asarray(keep, jnp.float32), alias=jnp.asarray(alias, jnp.int32))

    def draw(self, key: jax.Array, atoms: jax.Array) -> jax.Array:
        """A row of each of the given atoms."""
        share = jax.random.uniform(key, atoms.shape)
        step = jnp.minimum((share * self.count[atoms]).astype(jnp.int32), self.count[atoms] - 1)
        if self.keep is not None and self.alias is not None:
            at = self.start[atoms] + step
            kept = jax.random.uniform(jax.random.fold_in(key, 1), atoms.shape) < self.keep[at]
            step = jnp.where(kept, step, self.alias[at])
        return self.order[self.start[atoms] + step]


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("entries", "eta", "xi", "sources", "targets", "mu", "nu"),
    meta_fields=(),
)
@dataclass(frozen=True, eq=False)
class PlanSampler:
    """Draws from a whole plan.

    Attributes:
        entries: draw row numbers; atoms, on a side that has members.
        eta, xi: (n,) and (m,) the marginals of all rows, divided by the required ones.
        sources, targets: the members of the atoms of a side; None where the rows of an atom are equal, so that one of
            them stands for all.
        mu, nu: draw rows of the source and of the target by their weights; None where all weigh the same.
    """

    entries: EntryTable | AnchorTables
    eta: jax.Array
    xi: jax.Array
    sources: Members | None = None
    targets: Members | None = None
    mu: RowSampler | None = None
    nu: RowSampler | None = None

    settings: ClassVar[str] = ""

    @classmethod
    def of(
        cls,
        plan: np.ndarray | sparse.csr_array | Factored,
        source: Atoms,
        target: Atoms,
        marginals: tuple[np.ndarray, np.ndarray],
    ) -> PlanSampler:
        """The tables of a plan.

        Args:
            plan: (u, v) mass between atoms.
            source: (u,) atoms.
            target: (v,) atoms.
            marginals: of all (n,) and (m,) rows.
        """
        numbers = (atoms.rows if atoms.exact else np.arange(len(atoms)) for atoms in (source, target))
        eta, xi = (_densities(side, atoms.weights) for side, atoms in zip(marginals, (source, target), strict=True))
        return cls(
            entries=AnchorTables.of(plan, *numbers) if isinstance(plan, Factored) else EntryTable.of(plan, *numbers),
            eta=jnp.asarray(eta),
            xi=jnp.asarray(xi),
            sources=None if source.exact else Members.of(source),
            targets=None if target.exact else Members.of(target),
            mu=RowSampler.of(source.weights),
            nu=RowSampler.of(target.weights),
        )

    def draw(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
        """`size` row numbers (i, j), drawn from the normalised plan."""
        i, j = self.entries.draw(key, size)
        if self.sources is not None:
            i = self.sources.draw(jax.random.fold_in(key, 2), i)
        if self.targets is not None:
            j = self.targets.draw(jax.random.fold_in(key, 3), j)
        return i, j

    def draw_with_masses(self, key: jax.Array, size: int) -> tuple[jax.Array, jax.Array, MassSample]:
        """The same draws, and `size` rows of each space, drawn by their weights, with their masses."""
        rows, columns = jax.random.split(jax.random.fold_in(key, 1))
        i = draw_rows(self.mu, rows, size, len(self.eta))
        j = draw_rows(self.nu, columns, size, len(self.xi))
        return *self.draw(key, size), MassSample(i, self.eta[i], j, self.xi[j])


def _densities(marginal: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """The marginal of all rows over the required one; 0 for rows of weight zero."""
    if weights is None:
        return (len(marginal) * marginal).astype(np.float32)
    return np.divide(marginal, weights, out=np.zeros(len(marginal)), where=weights > 0).astype(np.float32)
