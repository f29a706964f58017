"""The cheapest one-to-one plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from bridgeviz import _checks as check
from bridgeviz._options import Choice, Count, option
from bridgeviz.costs import Cost, Within, as_cost, every_row, refuse_above_limit
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._linear_sparse import has_paths
from bridgeviz.couplings._reports import ASKED
from bridgeviz.couplings._solver_options import SolverOptions, Steps, measured, with_options

METHODS = ("auto", "full", "sparse")
LARGE = 2**21
"""Entries from which on the method "auto" is "sparse" for a cost of paths over anchors."""

MATRICES = 3
"""Matrices of the problem's shape at the peak of "full"."""


@dataclass(frozen=True, kw_only=True)
class Assignment(SolverOptions):
    """The one-to-one plan with the least total cost: each row of the smaller side has one partner, with equal mass.

    It is the limit of balanced transport for epsilon -> 0 where both sides have as many rows. Nothing is blurred, so
    that a flow learns one target per source row. Equal rows are not merged. Rows of the larger side without a partner
    carry no mass. Neither weights nor forbidden matches are read.

    The method "full" is SciPy's `linear_sum_assignment` on the whole matrix. "sparse" is for the bridge and other costs
    of paths over anchors: shortest augmenting paths (Jonker and Volgenant 1987) on a few entries per row and column,
    with one more for each row that finds no partner among these. The potentials of that plan then say which other
    entries could make it cheaper; these are added, and the plan is mended, until there are none. The cost is then the
    least possible up to a millionth of it; if `max_iterations` end this before, `converged` is False, and `advice` says
    how far above the least possible the cost is at most. "auto" is "sparse" from 2,097,152 entries on.

    Args:
        entries: entries per row and column to begin with.
        max_iterations: maximum number of plans of "sparse".
        method: "auto", "full" or "sparse"; the result says which ran, and why.

    Raises:
        InputError: an option out of range, weights, forbidden matches, or "sparse" for a cost without paths.
        TooLarge: the memory that the method needs exceeds the limit.

    >>> import numpy as np
    >>> assignment(np.array([[0.0, 1.0], [0.1, 3.0]])).dense()
    array([[0. , 0.5],
           [0.5, 0. ]])
    """

    name = "assignment"
    summary = "every row gets one partner, at the least total cost"
    lead = (
        "**Assignment** matches rows one to one, so that the total cost is the least possible. Nothing is blurred: "
        "epsilon plays no part."
    )
    formula = r"\pi^* = \arg\min_{\pi} \sum_{ij} C_{ij} \pi_{ij}, \qquad \pi \text{ a permutation} / n"
    entries: int = option(Count(), 32, help="Entries per row and column that the search for the plan begins with.")
    max_iterations: int = option(
        Count(), 100, label="Rounds", key="rounds", limits=(1, 10_000), stops=("10", "100", "1000"),
        help="Maximum number of plans, each on more entries than the one before.",
    )  # fmt: skip
    method: str = option(Choice(METHODS), "auto", help="How it is solved; the plan is the same.")

    def steps(
        self,
        cost: Cost | ArrayLike | None,
        within: tuple[Within | ArrayLike, Within | ArrayLike] | None = None,
    ) -> Steps[Coupling]:
        """The coupling; "sparse" yields each plan's number and how much cheaper another may be. `within` is not read.

        The unit of that is the plan's cost.
        """
        if cost is None:
            raise check.fail("cost", self.name, "a Cost or an (n, m) matrix", None)
        cost = as_cost(cost, self.name)
        self.accept(cost)
        size = f"{cost.shape[0]:,} x {cost.shape[1]:,} rows"
        method, why = self.method, ASKED
        if method == "auto":
            method, why = "full", f"{size} are fewer than {LARGE:,} entries"
            if cost.shape[0] * cost.shape[1] >= LARGE:
                paths = has_paths(cost)
                method = "sparse" if paths else "full"
                why = f"{size} are at least {LARGE:,} entries" if paths else f"{cost.name} has no paths over anchors"
        coupling = yield from measured(self._steps(cost, method))
        return replace(coupling, why="; ".join(filter(None, (why, coupling.why))))

    def _steps(self, cost: Cost, method: str) -> Steps[Coupling]:
        n, m = cost.shape
        number, gap = 1, 0.0
        if method == "full":
            refuse_above_limit(n, m, "assignment", matrices=MATRICES)
            rows, columns = linear_sum_assignment(cost.dense())
            yield 1, 0.0
        else:
            from bridgeviz.couplings._assignment_on_entries import assign_on_entries

            if not has_paths(cost):
                expected = f"'full' for {cost.name}, whose entries are not paths over anchors"
                raise check.fail("method", self.name, expected, "sparse")
            rows, columns, number, gap = yield from assign_on_entries(cost, self.entries, self.max_iterations)
        plan = sparse.csr_array((np.full(len(rows), 1 / len(rows)), (rows, columns)), shape=(n, m))
        advice = "" if gap == 0 else (
            f"After {number} plans, up to {gap:.2g} of the cost could be saved by another one: try more rounds."
        )  # fmt: skip
        return Coupling(
            plan=plan, source_atoms=every_row(n), target_atoms=every_row(m), solver=self.name, converged=gap == 0,
            marginal_error=2 * (1 - min(n, m) / max(n, m)), iterations=number, advice=advice, method=method,
        )  # fmt: skip


@with_options(Assignment)
def assignment(cost: Cost | ArrayLike, **options: Any) -> Coupling:
    """See `Assignment`, whose docstring replaces this one."""
    return Assignment(**options).solve(cost)


assignment.__doc__ = Assignment.__doc__
