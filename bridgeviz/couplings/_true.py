"""True alignment: the pairs alone (Sec. 3.2, Eq. 5)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz.costs import Cost, every_row, flat
from bridgeviz.couplings._alignment import Alignment
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._solver_options import Steps, Weights, weigh
from bridgeviz.problem import Pairs, Problem


@dataclass(frozen=True, kw_only=True)
class TrueAlignment(Alignment):
    """The pairs alone: see `true`."""

    name = "true"
    summary = "learn from the pairs alone"
    lead = "The strategy **true** couples the pairs and nothing else: it is never wrong, and leaves out all other rows."
    formula = r"\pi_{ij} = \begin{cases} 1 / l & \text{if } (x_i, y_j) \in P \\ 0 & \text{else} \end{cases} \quad (5)"
    uses_cost = False

    def steps(self, problem: Problem, pairs: Pairs, cost: Cost | None = None, *, metric: str = "") -> Steps[Coupling]:
        """The coupling of the pairs, without intermediate steps; neither `cost` nor `metric` is read."""
        yield from ()
        return true(pairs, shape=problem.shape, weights=(problem.source.weights, problem.target.weights))


def true(pairs: ArrayLike, *, shape: tuple[int, int], weights: Weights | None = None) -> Coupling:
    """`pi[i, j] = 1 / l` on the l pairs and 0 elsewhere (Eq. 5).

    Choose it when there are many pairs: it is never wrong, but says nothing about the points without a pair.

    With weights, a pair has the mass of its source row, `pi[i, j] = a_i / sum a` over all pairs: the flow learns
    `p(y | x)`, so that the source says how often an x occurs. A pair with a target row of weight zero has none.

    Args:
        pairs: (l, 2) row numbers, l >= 1.
        shape: (n, m) of the problem.
        weights: (a, b), of the source rows (n,) and of the target rows (m,); either may be None.

    Raises:
        InputError: no pairs, rows out of range, or only pairs of weight zero.

    >>> true([[0, 1], [2, 0]], shape=(3, 2)).dense()
    array([[0. , 0.5],
           [0. , 0. ],
           [0.5, 0. ]])
    """
    try:
        n, m = (check.count(size, "shape", "true") for size in shape)
    except (TypeError, ValueError) as error:
        if isinstance(error, check.InputError):
            raise
        raise check.fail("shape", "true", "two integers (n, m)", check.describe(shape)) from None
    pairs = check.pair_index(pairs, "pairs", "true", shape=(n, m), least=1)
    source, target = every_row(n), every_row(m)
    mass = np.full(len(pairs), 1 / len(pairs))
    if weights is not None:
        weighted = weigh(flat(n, m), weights, "true") or flat(n, m)
        source = replace(source, weights=weighted.source_atoms.weights)
        target = replace(target, weights=weighted.target_atoms.weights)
    if source.weights is not None or target.weights is not None:
        mass = source.required[pairs[:, 0]] * (target.required[pairs[:, 1]] > 0)
        if not mass.any():
            raise check.fail("weights", "true", "positive for both rows of at least one pair", "0 for one of each")
        mass = mass / mass.sum()
    used = mass > 0
    plan = sparse.csr_array((mass[used], (pairs[used, 0], pairs[used, 1])), shape=(n, m))
    return Coupling(plan, source, target, solver="true")
