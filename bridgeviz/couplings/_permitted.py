"""Which atoms can take part in a transport, and whether what is permitted leaves a plan at all."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from bridgeviz import _checks as check
from bridgeviz.costs import Atoms, Cost

ATTEMPT = 100
"""The number of Sinkhorn iterations on a problem that has no solution."""

_UNITS = 2**30
"""The whole mass in the integers of the maximum flow."""

_LARGEST = 1_000_000
"""The largest table of codes that a maximum flow is computed for."""

_SHORT = 1e-6
"""A smaller part of the mass without a place may be rounding."""


class Support(NamedTuple):
    """The atoms between which a plan is solved; it is zero elsewhere.

    Attributes:
        rows, columns: (u,) and (v,) booleans; slices of everything if all atoms take part.
        shape: (u, v) of the whole plan.
    """

    rows: np.ndarray | slice
    columns: np.ndarray | slice
    shape: tuple[int, int]

    @property
    def whole(self) -> bool:
        """Whether all atoms take part."""
        return isinstance(self.rows, slice) and isinstance(self.columns, slice)

    def spread_columns(self, values: np.ndarray) -> np.ndarray:
        """Values of these columns, and zeros for all others."""
        out = np.zeros(self.shape[1], values.dtype)
        out[self.columns] = values
        return out

    def spread(self, plan: Any) -> Any:
        """A dense or sparse plan between these atoms as one between all."""
        if self.whole:
            return plan
        rows, columns = (np.arange(size)[used] for size, used in zip(self.shape, self[:2], strict=True))
        if sparse.issparse(plan):
            flat = sparse.coo_array(plan)
            return sparse.csr_array((flat.data, (rows[flat.coords[0]], columns[flat.coords[1]])), self.shape)
        out = np.zeros(self.shape, plan.dtype)
        out[np.ix_(rows, columns)] = plan
        return out


def support(cost: Cost, tau: tuple[float, float] | None, where: str) -> Support:
    """The atoms that take part: those with weight that have a permitted match with weight.

    Args:
        cost: between the spaces.
        tau: of the two marginals: where it is below 1, a row without a permitted match is left out.
        where: the function that errors name.

    Raises:
        InputError: a row whose marginal is enforced has no permitted match, or no row has one.
    """
    sides: list[np.ndarray] = []
    for atoms, alone, t, name in zip(
        (cost.source_atoms, cost.target_atoms), _alone(cost), tau or (1.0, 1.0), ("source", "target"), strict=True
    ):
        used = (atoms.mass > 0) & ~alone
        if (t == 1 and alone.any()) or not used.any():
            raise _no_match(atoms, alone, name, where)
        sides.append(used)
    rows, columns = (slice(None) if used.all() else used for used in sides)
    return Support(rows, columns, cost.atom_shape)


def shortage(cost: Cost, tau: tuple[float, float] | None) -> str:
    """Why no plan has both marginals although each row has a permitted match (Hall); "" if one has.

    A maximum flow between the kinds of rows that are forbidden alike says how much of the mass has a place, and its
    minimum cut which rows compete. For more than a million pairs of kinds this is not computed: see `doubt`.
    """
    if cost.forbidden is None or tau != (1.0, 1.0) or _too_large(cost):
        return ""
    forbidden = cost.forbidden
    a, b = forbidden.by_code(cost.source_atoms.mass, cost.target_atoms.mass)
    s, t = len(a), len(b)
    permitted = np.argwhere(~forbidden.table.toarray())
    start, end = s + t, s + t + 1
    edges = np.concatenate([
        np.stack([np.full(s, start), np.arange(s)], axis=1),
        permitted + np.array([0, s]),
        np.stack([s + np.arange(t), np.full(t, end)], axis=1),
    ])  # fmt: skip
    units = [np.round(side * _UNITS).astype(np.int64) for side in (a, b)]
    capacity = np.concatenate([units[0], np.full(len(permitted), _UNITS), units[1]]).astype(np.int32)
    graph = sparse.csr_array((capacity, (edges[:, 0], edges[:, 1])), shape=(end + 1, end + 1))
    result = csgraph.maximum_flow(graph, start, end)
    missing = 1 - result.flow_value / _UNITS
    if missing <= max(_SHORT, (s + t) / _UNITS):
        return ""
    residual = sparse.csr_array(graph - result.flow)
    residual.eliminate_zeros()
    reached = csgraph.breadth_first_order(residual, start, return_predecessors=False)
    codes = np.isin(np.arange(s), reached)
    partners = np.isin(np.arange(t), reached - s)
    rows = np.flatnonzero((codes[forbidden.source] & (cost.source_atoms.mass > 0))[cost.source_atoms.index])
    return (
        f"The forbidden matches leave no plan with these marginals: {len(rows):,} source rows, the first of them row "
        f"{rows[0]}, hold {a[codes].sum():.3g} of the mass, and all rows that they may be matched with take only "
        f"{b[partners].sum():.3g}. Forbid less, change the weights, or relax a marginal with a tau below 1."
    )


def doubt(cost: Cost, tau: tuple[float, float] | None) -> str:
    """What else to think of if a solver did not converge, as a sentence that follows; "" if nothing."""
    if cost.forbidden is None or tau != (1.0, 1.0) or not _too_large(cost):
        return ""
    return " It may also be that the forbidden matches leave no plan with these marginals: a tau below 1 relaxes one."


def _too_large(cost: Cost) -> bool:
    return cost.forbidden is not None and int(np.prod(cost.forbidden.kinds)) > _LARGEST


def _alone(cost: Cost) -> tuple[np.ndarray, np.ndarray]:
    """(u,) and (v,) which atoms with weight have no permitted match with weight."""
    masses = cost.source_atoms.mass, cost.target_atoms.mass
    if cost.forbidden is None:
        return np.zeros(len(masses[0]), bool), np.zeros(len(masses[1]), bool)
    a, b = (side > 0 for side in cost.forbidden.by_code(*masses))
    table = cost.forbidden.table
    full = table.astype(np.int64) @ b == b.sum(), table.T.astype(np.int64) @ a == a.sum()
    return (masses[0] > 0) & full[0][cost.forbidden.source], (masses[1] > 0) & full[1][cost.forbidden.target]


def _no_match(atoms: Atoms, alone: np.ndarray, side: str, where: str) -> check.InputError:
    """The error for atoms without a permitted match."""
    rows = np.flatnonzero(alone[atoms.index] & (atoms.required > 0))
    count = f"{len(rows):,} {side} row{'s' * (len(rows) > 1)}"
    return check.InputError(
        f"The cost of {where}() leaves {count} without a permitted match, the first of them row {rows[0]}. Permit one, "
        "give such rows weight 0, or relax their marginal with a tau below 1."
    )
