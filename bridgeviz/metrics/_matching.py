"""Whether a plan sends points to their own class."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs import Atoms
from bridgeviz.couplings import Plan, RowsWithMass, as_plan, as_whole, group_shares


def matching_accuracy(
    plan: Plan,
    source_labels: ArrayLike,
    target_labels: ArrayLike,
    *,
    samples: int | None = None,
    seed: int = 0,
) -> float:
    """The share of the plan's mass between rows of the same class, in [0, 1] (Sec. 5.1.3).

    Args:
        plan: of any strategy.
        source_labels: (n,).
        target_labels: (m,).
        samples: None averages over the plan exactly; a number draws that many (i, j) from it and counts matches, as
            the paper does. A local coupling has no plan and is always sampled (10,000 draws by default).
        seed: of the draws.

    >>> import bridgeviz as bv
    >>> plan = bv.couplings.true([[0, 1], [1, 0]], shape=(2, 2))
    >>> matching_accuracy(plan, ["a", "b"], ["b", "a"])
    1.0
    """
    plan = as_plan(plan, "matching_accuracy")
    classes, source, target = _numbered(plan, source_labels, target_labels, "matching_accuracy")
    return plan.agreement(source, target, len(classes), samples=samples, seed=seed)


def rows_with_mass(plan: Plan, source_labels: ArrayLike, target_labels: ArrayLike, *, seed: int = 0) -> RowsWithMass:
    """Which rows carry mass, and how many of all source rows are sent to their own class.

    `matching_accuracy` counts mass, so that a plan with all of its mass on a few easy rows scores 1. This says how many
    rows that concerns. A row carries mass if it has at least 1% of an even share; groups are the classes of both
    sides, sorted. A local coupling is estimated from 20,000 draws.

    Args:
        plan: of any strategy.
        source_labels: (n,).
        target_labels: (m,).
        seed: of the draws.

    >>> import bridgeviz as bv
    >>> plan = bv.couplings.true([[0, 0]], shape=(4, 4))
    >>> rows = rows_with_mass(plan, ["a", "a", "b", "b"], ["a", "a", "b", "b"])
    >>> rows.source, rows.agreement, rows.source_groups
    (0.25, 0.25, array([0.5, 0. ]))
    """
    plan = as_plan(plan, "rows_with_mass")
    classes, source, target = _numbered(plan, source_labels, target_labels, "rows_with_mass")
    return plan.rows_with_mass(source, target, len(classes), seed=seed)


def class_plan(plan: Plan, source_labels: ArrayLike, target_labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The plan between classes, rows summing to 1, and the classes: which class is sent where."""
    return _between(as_whole(plan, "class_plan"), source_labels, target_labels, 0, "class_plan")


def between_classes(
    plan: Plan, source_labels: ArrayLike, target_labels: ArrayLike, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """As `class_plan`, for a plan of any strategy: a local coupling is estimated from 20,000 draws.

    Args:
        plan: of any strategy.
        source_labels: (n,).
        target_labels: (m,).
        seed: of the draws.
    """
    return _between(as_plan(plan, "between_classes"), source_labels, target_labels, seed, "between_classes")


def class_shares(atoms: Atoms, labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(u, classes) share of each atom's rows that carry each label."""
    return group_shares(atoms, np.searchsorted(classes, labels), len(classes))


def shares_of_rows(masses: np.ndarray) -> np.ndarray:
    """Each row divided by its sum; rows of zeros stay zero."""
    total = masses.sum(1, keepdims=True)
    return np.divide(masses, total, out=np.zeros(masses.shape), where=total > 0)


def _between(
    plan: Plan, source_labels: ArrayLike, target_labels: ArrayLike, seed: int, where: str
) -> tuple[np.ndarray, np.ndarray]:
    classes, source, target = _numbered(plan, source_labels, target_labels, where)
    return shares_of_rows(plan.between(source, target, (len(classes), len(classes)), seed=seed)), classes


def _numbered(
    plan: Plan, source_labels: ArrayLike, target_labels: ArrayLike, where: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The classes of both sides, and the number of each row's class among them."""
    source = check.labels(source_labels, "source_labels", where, length=plan.shape[0])
    target = check.labels(target_labels, "target_labels", where, length=plan.shape[1])
    check.same_kind(source, target, ("source_labels", "target_labels"), where)
    classes = np.union1d(source, target)
    return classes, np.searchsorted(classes, source), np.searchsorted(classes, target)
