"""What every stage says about some rows, as columns of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.couplings import Plan
from bridgeviz.metrics._masses import masses_by_class
from bridgeviz.metrics._neighbours import nearest_rows
from bridgeviz.metrics._supervision import nearest_pairs
from bridgeviz.problem import Problem, Space

if TYPE_CHECKING:
    from bridgeviz.metrics._diagnosis import Diagnosis
    from bridgeviz.metrics._failures import Failures


def row_table(
    problem: Problem, rows: ArrayLike, *, side: str = "source", test: bool = False, pairs: ArrayLike | None = None,
    metric: str = "cosine", plan: Plan | None = None, found: Failures | None = None, diagnosis: Diagnosis | None = None,
    k: int = 15, seed: int = 0,
) -> dict[str, np.ndarray]:  # fmt: skip
    """What every stage says about some rows. Columns that don't apply are left out.

    Args:
        problem: that the rows belong to.
        rows: row numbers, each once.
        side: of the rows, "source" or "target".
        test: whether they are rows of the test split.
        pairs: the paired samples; gives the nearest pair.
        metric: within the space, for the nearest pair.
        plan: gives the mass of aligned rows, and the class that it goes to or comes from.
        found: from `failures`, with the same source rows in any order; gives the flow's end and the stage of failure.
        diagnosis: of the same points; gives the margin.
        k: neighbours.
        seed: of the draws from a plan that exists only batch by batch.

    Returns:
        (k,) arrays by name: `row`; `class`; `overlap`, the share of the nearest aligned rows of another class;
        `pair_row`, `pair_class` and `pair_distance` of the nearest pair, in mean distances; `mass`, 1 on average;
        `goes_to` (or `comes_from`) and `share`, the class of the other side with the most of this mass; `arrives`, the
        class in which most draws of the flow end, and `own_draws`, the share of them that end in the own class;
        `margin` as in `Diagnosis`; `stage` as in `Failures`.

    Raises:
        InputError: there is no such row, or no test split.
    """
    where = "row_table"
    if side not in ("source", "target"):
        raise check.fail("side", where, "'source' or 'target'", check.describe(side))
    if test and problem.test is None:
        raise check.fail("test", where, "False for a problem without a test split", test)
    space: Space = getattr(problem, side)
    points: Space = getattr(problem.test, side) if test else space
    rows = check.rows(rows, "rows", where, size=len(points))
    x, table = points.x[rows], {"row": rows}
    if points.labels is not None:
        table["class"] = points.labels[rows]
    if space.labels is not None and points.labels is not None and len(rows):
        _, near = nearest_rows(x, space.x, None if test else rows, k=k)
        table["overlap"] = (space.labels[near] != points.labels[rows][:, None]).mean(1)
    if pairs is not None and len(np.asarray(pairs)):
        ends = check.pair_index(pairs, "pairs", where, shape=problem.shape)
        ends = ends if side == "source" else ends[:, ::-1]
        nearest, table["pair_distance"] = nearest_pairs(space.x, ends, points=x, metric=metric)
        table["pair_row"] = ends[nearest, 0]
        if space.labels is not None:
            table["pair_class"] = space.labels[ends[nearest, 0]]
    if plan is not None and not test:
        table |= _mass(problem, plan, rows, side, seed)
    if found is not None and side == "source":
        table |= _ends(found, rows)
    if diagnosis is not None and side == "source" and diagnosis.tested == test:
        table["margin"] = diagnosis.margin[rows]
    return {name: table[name] for name in COLUMNS if name in table}


COLUMNS = (
    "row", "class", "overlap", "pair_row", "pair_class", "pair_distance", "mass", "goes_to", "comes_from", "share",
    "arrives", "own_draws", "margin", "stage",
)  # fmt: skip
"""The columns in their order, which is that of the stages."""


def _mass(problem: Problem, plan: Plan, rows: np.ndarray, side: str, seed: int) -> dict[str, np.ndarray]:
    """How much mass the rows carry, and the class of the other side with most of it."""
    own, other = (problem.source, problem.target) if side == "source" else (problem.target, problem.source)
    place = np.full(len(own), len(rows))
    place[rows] = np.arange(len(rows))
    mass = masses_by_class(problem, plan, side, place, len(rows) + 1, seed=seed)
    total, each = mass.sum(), mass[:-1].sum(1)
    table = {"mass": each / (total or 1.0) * len(own)}
    if other.labels is not None:
        name = "goes_to" if side == "source" else "comes_from"
        table[name] = np.asarray(other.classes)[mass[:-1].argmax(1)]
        table["share"] = mass[:-1].max(1) / np.where(each > 0, each, 1.0)
    return table


def _ends(found: Failures, rows: np.ndarray) -> dict[str, np.ndarray]:
    """What became of the rows among those that were followed."""
    order = np.argsort(found.rows)
    at = order[np.searchsorted(found.rows[order], rows)]
    return {"arrives": found.taken[at], "own_draws": found.own[at], "stage": found.stages[at]}
