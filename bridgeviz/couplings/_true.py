"""True alignment: the pairs alone (Sec. 3.2, Eq. 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz.costs import Cost, every_row
from bridgeviz.couplings._alignment import Alignment
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._solver_options import Steps
from bridgeviz.problem import Pairs, Problem


@dataclass(frozen=True, kw_only=True)
class TrueAlignment(Alignment):
    """The pairs alone: see `true`."""

    name = "true"
    summary = "learn from the pairs alone"
    lead = "The strategy **true** couples the pairs and nothing else: it is never wrong, and leaves out all other rows."
    uses_cost = False

    def steps(self, problem: Problem, pairs: Pairs, cost: Cost | None = None, *, metric: str = "") -> Steps[Coupling]:
        """The coupling of the pairs, without intermediate steps; neither `cost` nor `metric` is read."""
        yield from ()
        return true(pairs, shape=problem.shape)


def true(pairs: ArrayLike, *, shape: tuple[int, int]) -> Coupling:
    """`pi[i, j] = 1 / l` on the l pairs and 0 elsewhere (Eq. 5).

    Choose it when there are many pairs: it is never wrong, but says nothing about the points without a pair.

    Args:
        pairs: (l, 2) row numbers, l >= 1.
        shape: (n, m) of the problem.

    Raises:
        InputError: no pairs, or rows out of range.

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
    plan = sparse.csr_array((np.full(len(pairs), 1 / len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, m))
    return Coupling(plan, every_row(n), every_row(m), solver="true")
