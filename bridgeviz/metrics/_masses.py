"""Reading a plan: its strongest entries, what each class receives, and the plan in blocks that fit on a screen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from bridgeviz.costs import Atoms
from bridgeviz.couplings import Coupling, Plan, group_shares, strongest_entries
from bridgeviz.metrics._matching import shares_of_rows
from bridgeviz.problem import Problem


class Received(NamedTuple):
    """Mass by target class.

    Attributes:
        classes: (c,).
        received: the share of the plan's mass that each class receives.
        expected: the share of the rows that belong to it, or of their weights, which an enforced marginal gives it.
    """

    classes: np.ndarray
    received: Float[np.ndarray, " c"]
    expected: Float[np.ndarray, " c"]


class Blocks(NamedTuple):
    """A plan summed into blocks of rows that follow one another once they are sorted by class.

    Attributes:
        mass: (r, c) share of each block of source rows (rows summing to 1) that goes to each block of target rows.
        source, target: (r,) and (c,) the most frequent class of each block's rows, or None without labels.
        source_rows, target_rows: how many rows a block stands for, on average.
        even: (c,) the share of the target's weight in each block: where a flat plan sends the mass of every row.
    """

    mass: Float[np.ndarray, "r c"]
    source: np.ndarray | None
    target: np.ndarray | None
    source_rows: float
    target_rows: float
    even: Float[np.ndarray, " c"]


def strongest(plan: Coupling, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The `size` largest entries between atoms: (i, j) first rows of the two atoms, and the mass of that entry.

    >>> import bridgeviz as bv
    >>> strongest(bv.couplings.linear([[0.0, 1.0], [2.0, 0.0]], epsilon=0.1), 1)[0].shape
    (1,)
    """
    u, v, mass = strongest_entries(plan.plan, size)
    return plan.source_atoms.rows[u], plan.target_atoms.rows[v], mass


def received(plan: Plan, target_labels: np.ndarray) -> Received:
    """Where the mass arrives, by class. Balanced transport gives each class its share of the rows; tau_y < 1 may not.

    A local coupling has no marginals and is refused.
    """
    classes, code = np.unique(target_labels, return_inverse=True)
    mass, expected = (
        np.bincount(code, weights=share, minlength=len(classes)) for share in (plan.marginals()[1], plan.required()[1])
    )
    return Received(classes, mass / (mass.sum() or 1.0), expected / expected.sum())


def blocks(
    plan: Coupling, source_labels: np.ndarray | None, target_labels: np.ndarray | None, *, most: int = 120
) -> Blocks:
    """The plan in at most `most` x `most` blocks; a side with few atoms keeps one block per atom."""
    of_source, source = _blocks_of(plan.source_atoms, source_labels, most)
    of_target, target = _blocks_of(plan.target_atoms, target_labels, most)
    mass = shares_of_rows(of_source.T @ plan.times(of_target))
    n, m = plan.shape
    even = plan.target_atoms.mass @ of_target
    return Blocks(mass, source, target, n / len(mass), m / mass.shape[1], even)


def _blocks_of(atoms: Atoms, labels: np.ndarray | None, most: int) -> tuple[np.ndarray, np.ndarray | None]:
    """(u, blocks) share of each atom's rows in each block, and each block's class."""
    n = len(atoms.index)
    code = np.zeros(n, np.int64) if labels is None else np.unique(labels, return_inverse=True)[1]
    if len(atoms) <= most:
        order = np.argsort(code[atoms.rows], kind="stable")
        block = np.empty(len(atoms), np.int64)
        block[order] = np.arange(len(atoms))
        block = block[atoms.index]
    else:
        block = np.empty(n, np.int64)
        block[np.argsort(code, kind="stable")] = np.arange(n) * most // n
    shares = group_shares(atoms, block, int(block.max()) + 1)
    if labels is None:
        return shares, None
    classes = np.unique(labels)
    counts = np.zeros((block.max() + 1, len(classes)))
    np.add.at(counts, (block, code), 1.0)
    return shares, classes[counts.argmax(1)]


def masses_by_class(
    problem: Problem, plan: Plan, side: str, groups: np.ndarray, size: int, *, seed: int = 0
) -> Float[np.ndarray, "size c"]:
    """The mass that groups of rows of one side send to each class of the other side, or receive from it.

    Args:
        problem: whose plan it is.
        plan: of any strategy; the masses of a local one are numbers of draws.
        side: of the groups, "source" or "target".
        groups: the group of each row of that side, from 0.
        size: the number of groups.
        seed: of the draws.

    Returns:
        (size, c) masses by class, in the order of the other side's classes; one column if it has no labels.
    """
    other = problem.target if side == "source" else problem.source
    classes, of_other = 1, np.zeros(len(other), np.int64)
    if other.labels is not None and other.classes is not None:
        classes, of_other = len(other.classes), np.searchsorted(other.classes, other.labels)
    if side == "source":
        return np.asarray(plan.between(groups, of_other, (size, classes), seed=seed), float)
    return np.asarray(plan.between(of_other, groups, (classes, size), seed=seed), float).T
