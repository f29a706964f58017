"""Which method solves a linear transport, by the size and the structure of its cost."""

from __future__ import annotations

from bridgeviz._memory import memory_limit
from bridgeviz.costs import Cost
from bridgeviz.couplings._linear_sparse import has_paths
from bridgeviz.couplings._plan_memory import peak_bytes

METHODS = ("auto", "newton", "dense", "ott", "factorised", "sparse")

NARROW, MOST_EQUATIONS = 128, 1024
"""Atoms of the smaller side up to which the method "auto" begins with Newton's, and up to which it can be used."""

TRIED = 2_000
"""Iterations by the method "dense" after which "auto" goes on with Newton's where that can be used."""

SHARP = 0.02
"""Epsilon up to which the method "auto" expects that few entries carry mass."""


def quickest(cost: Cost, tolerance: float, *, own_epsilon: bool, epsilon: float) -> tuple[str, str]:
    """The method that "auto" takes, and why.

    Args:
        cost: what is transported by.
        tolerance: of the solver.
        own_epsilon: whether neither epsilon nor the divisor of the cost is given.
        epsilon: of the divided cost.
    """
    u, v = cost.atom_shape
    if newton_can(cost, NARROW, tolerance):
        return "newton", f"a side has at most {NARROW} atoms"
    if peak_bytes(u, v, "dense", tolerance) > memory_limit():
        why = f"a matrix of {u:,} x {v:,} atoms exceeds the memory, and"
        if cost.kernel_floor is not None and own_epsilon:
            return "factorised", f"{why} the kernel of {cost.name} has factors"
        if has_paths(cost) and epsilon <= SHARP:
            return "sparse", f"{why} few entries of {cost.name} carry mass"
    if min(u, v) <= NARROW:
        return "dense", f"Newton's method would exceed the memory with {u:,} x {v:,} atoms"
    return "dense", f"both sides have more than {NARROW} atoms"


def newton_can(cost: Cost, atoms: int, tolerance: float) -> bool:
    """Whether Newton's method fits into the memory, and the smaller side has at most this number of atoms."""
    u, v = cost.atom_shape
    return min(u, v) <= atoms and peak_bytes(u, v, "newton", tolerance) <= memory_limit()


def sizes_of_others(cost: Cost, tolerance: float) -> dict[str, int]:
    """The methods that the cost allows beside the one that is asked for, and the least memory that they take."""
    shape, least = cost.atom_shape, 2 * cost.nbytes_factors
    sizes = {"dense": peak_bytes(*shape, "dense", tolerance)}
    sizes |= {"factorised": least} if cost.kernel_floor is not None else {}
    return sizes | ({"sparse": least} if has_paths(cost) else {})
