"""Does the plan send points to their own class?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs.atoms import Atoms
from bridgeviz.couplings import Coupling, LocalCoupling


def matching_accuracy(
    plan: Coupling | LocalCoupling,
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
    source, target = _both_labels(plan, source_labels, target_labels, "matching_accuracy")
    if isinstance(plan, LocalCoupling) or samples is not None:
        i, j = plan.sample(seed, 10_000 if samples is None else samples)
        return float(np.mean(source[i] == target[j]))
    classes = np.union1d(source, target)
    of_source = class_shares(plan.source_atoms, source, classes)
    of_target = class_shares(plan.target_atoms, target, classes)
    matched = float(((plan.plan @ of_target) * of_source).sum())
    return matched / plan.mass if plan.mass > 0 else 0.0


def _both_labels(
    plan: Any,
    source_labels: Any,
    target_labels: Any,
    where: str,
    *,
    kinds: tuple[type, ...] = (Coupling, LocalCoupling),
) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(plan, kinds):
        expected = "a coupling, made by bv.couplings" + ("" if LocalCoupling in kinds else " (a local one has no plan)")
        raise check.fail("plan", where, expected, check.describe(plan))
    source = check.labels(source_labels, "source_labels", where, length=plan.shape[0])
    target = check.labels(target_labels, "target_labels", where, length=plan.shape[1])
    check.same_kind(source, target, ("source_labels", "target_labels"), where)
    return source, target


def class_shares(atoms: Atoms, labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(u, classes) share of each atom's rows that carry each label."""
    counts = np.zeros((len(atoms), len(classes)))
    np.add.at(counts, (atoms.index, np.searchsorted(classes, labels)), 1.0)
    return counts / atoms.multiplicity[:, None]


def class_plan(plan: Coupling, source_labels: ArrayLike, target_labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The plan between classes, rows summing to 1, and the classes: which class is sent where."""
    source, target = _both_labels(plan, source_labels, target_labels, "class_plan", kinds=(Coupling,))
    classes = np.union1d(source, target)
    between = class_shares(plan.source_atoms, source, classes).T @ (
        plan.plan @ class_shares(plan.target_atoms, target, classes)
    )
    total = between.sum(1, keepdims=True)
    return np.divide(between, total, out=np.zeros_like(between), where=total > 0), classes
