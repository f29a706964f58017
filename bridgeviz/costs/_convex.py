"""A convex combination of costs, which is a cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.costs._atoms import Atoms
from bridgeviz.costs._cost import Cost
from bridgeviz.costs._matrix_cost import as_cost
from bridgeviz.costs._soft_pairs import SoftPairs

_SAMPLED = 2000
"""Atoms per side from which the mean of a large cost is estimated."""


def convex_combination(costs: Sequence[Cost | ArrayLike], weights: ArrayLike | None = None) -> Cost:
    """`C = sum_k w_k C_k / mean(C_k)`: costs on a common scale, averaged.

    Costs that see different things make different mistakes, and a pair of rows that two of them call near is more
    likely to be a match. The result holds the factors of all of them side by side, so that it stays as lazy as they
    are. Matches that one of them forbids stay forbidden. The mean of a cost with over 4 million entries is estimated
    from a sample.

    Args:
        costs: two or more costs, or (n, m) matrices, between the same rows.
        weights: >= 0, one per cost, divided by their sum; None: all the same.

    Raises:
        InputError: no costs, different shapes, or weights that are negative, all zero, or not one per cost.

    >>> import numpy as np
    >>> both = convex_combination([np.array([[0.0, 2.0]]), np.array([[3.0, 1.0]])], [3, 1])
    >>> both.dense()
    array([[0.375, 1.625]])
    """
    where = "convex_combination"
    if not isinstance(costs, (list, tuple)) or not costs:
        raise check.fail("costs", where, "a list of costs", check.describe(costs))
    parts = [as_cost(cost, where) for cost in costs]
    shares = np.ones(len(parts)) if weights is None else check.vector(weights, "weights", where, length=len(parts))
    if shares.min() < 0 or not 0 < shares.sum() < np.inf:
        raise check.fail("weights", where, "numbers >= 0 with a sum above 0", check.describe(list(shares)))
    shapes = [part.shape for part in parts]
    if len(set(shapes)) > 1:
        raise check.fail("costs", where, "between the same rows", f"shapes {', '.join(map(str, shapes))}")
    kept = [(part, float(share)) for part, share in zip(parts, shares / shares.sum(), strict=True) if share > 0]
    return kept[0][0] if len(kept) == 1 else _combined([part for part, _ in kept], [share for _, share in kept])


@dataclass(frozen=True)
class _SideBySide:
    """Combines factors that stand side by side: (r, g), (c, h) -> (r, c). It compares by value, for JAX.

    Attributes:
        parts: (combine, columns of the source factor, columns of the target factor, multiplier) of each cost.
    """

    parts: tuple[tuple[Any, int, int, float], ...]

    def __call__(self, a: Any, b: Any) -> Any:
        total, left, right = 0.0, 0, 0
        for combine, g, h, multiplier in self.parts:
            total = total + multiplier * combine(a[:, left : left + g], b[:, right : right + h])
            left, right = left + g, right + h
        return total


def _combined(parts: list[Cost], shares: list[float]) -> Cost:
    source = _common([part.source_atoms for part in parts])
    target = _common([part.target_atoms for part in parts])
    combine = _SideBySide(tuple(
        (part.combine, _columns(part.source_factor), _columns(part.target_factor), share / _scale(part))
        for part, share in zip(parts, shares, strict=True)
    ))  # fmt: skip
    anchors = next((part.anchors for part in parts if part.anchors is not None), None)
    cost = Cost(
        name="convex_combination",
        source_factor=np.hstack([_rows(p.source_factor, p.source_atoms, source) for p in parts]),
        target_factor=np.hstack([_rows(p.target_factor, p.target_atoms, target) for p in parts]),
        combine=combine,
        source_atoms=source,
        target_atoms=target,
        default_epsilon=sum(share * part.default_epsilon for part, share in zip(parts, shares, strict=True)),
        anchors=anchors,
        facts={f"{part.name}: {name}": fact for part in parts for name, fact in part.facts.items()},
        advice=" ".join(dict.fromkeys(part.advice for part in parts if part.advice)),
        route=next((part.route for part in parts if part.route is not None), None),
        rebuild=None if any(part.rebuild is None for part in parts) else partial(_rebuilt, parts, shares),
    )
    for part in parts:
        if part.forbidden is not None:
            cost = cost.forbid(part.forbidden.take(part.source_atoms.index, part.target_atoms.index))
    return cost


def _columns(factor: Any) -> int:
    return factor.shape[1]


def _rebuilt(parts: list[Cost], shares: list[float], soft: SoftPairs) -> Cost:
    """The combination of the same costs on soft pairs."""
    return _combined([part.rebuild(soft) for part in parts if part.rebuild is not None], shares)


def _common(atoms: list[Atoms]) -> Atoms:
    """The rows that at least one of the costs can tell apart."""
    common, exact = atoms[0], all(one.exact for one in atoms)
    for other in atoms[1:]:
        common, _ = common.split(other.index)
    return replace(common, exact=exact)


def _rows(factor: Any, atoms: Atoms, common: Atoms) -> np.ndarray:
    """The factor's rows for the common atoms, dense."""
    rows = factor[atoms.index[common.rows]]
    return rows.toarray() if sparse.issparse(rows) else np.asarray(rows)


def _scale(cost: Cost) -> float:
    """The mean of a cost, estimated where the cost is large; 1 where it is zero.

    Raises:
        InputError: a cost whose mean is negative.
    """
    sizes = cost.atom_shape
    if sizes[0] * sizes[1] <= _SAMPLED**2:
        mean = cost.mean()
    else:
        rng = np.random.default_rng(0)
        rows, columns = (
            rng.choice(len(atoms), min(len(atoms), _SAMPLED), replace=True, p=atoms.mass / atoms.mass.sum())
            for atoms in (cost.source_atoms, cost.target_atoms)
        )
        block = cost.block(cost.source_atoms.rows[rows], cost.target_atoms.rows[columns])
        mean = float(np.mean(block, where=np.isfinite(block)))
    if mean < 0:
        raise InputError(f"convex_combination() divides each cost by its mean, and that of '{cost.name}' is {mean:g}.")
    return mean or 1.0
