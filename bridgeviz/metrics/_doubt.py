"""Which rows to doubt: where the flow does not know its target, the plan spreads its mass, or no pair is near."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bridgeviz import _checks as check
from bridgeviz.couplings import Plan
from bridgeviz.flows import Flow
from bridgeviz.metrics._supervision import nearest_pairs
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

MOST = 5000
"""Source rows to look at; of more, a sample is drawn."""


def doubtful(
    problem: Problem,
    plan: Plan,
    flow: Flow,
    pairs: np.ndarray,
    *,
    draws: int = 8,
    steps: int = 8,
    most: int = MOST,
    metric: str = "cosine",
    seed: int = 0,
) -> pd.DataFrame:
    """The source rows, the most doubtful first; no labels are read.

    Args:
        problem: the two spaces.
        plan: that the flow was learned from.
        flow: the trained flow.
        pairs: (l, 2) that the plan was built on; without any, the columns about pairs are NaN.
        draws: flows of each row, from different noise.
        steps: of the ODE solver.
        most: rows to look at; of more, a sample is drawn.
        metric: of the distance to the nearest pair.
        seed: of the noise and of the sample.

    Returns:
        One row per source row: `row`; `spread`, the root-mean-square distance of its ends from their mean, in units of
        the spread of the whole target (0: sure, about 1: no idea), by which the table is sorted; `choices`, the
        effective number of target rows among which the plan divides its mass (NaN without a whole plan, or for a row
        without mass), and `target`, the first of them (-1 likewise); `pair`, the number of the pair with the nearest
        source row, and `distance` to it, in units of the mean distance within the space.

    >>> import bridgeviz as bv
    >>> run = bv.run(bv.RunConfig(dataset="blobs", options={"n": 60}, fraction=0.2, steps=50))
    >>> table = doubtful(run.problem, run.plan, run.flow, run.pairs, draws=2)
    >>> table.columns.tolist(), len(table)
    (['row', 'spread', 'choices', 'target', 'pair', 'distance'], 60)
    """
    import pandas as pd

    draws, most = check.count(draws, "draws", "doubtful", least=2), check.count(most, "most", "doubtful")
    rows = np.arange(problem.shape[0])
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    x, y = problem.source.x[rows], np.asarray(problem.target.x, np.float64)
    ends = np.stack([flow.transport(x, seed=seed + k, steps=steps).states[-1] for k in range(draws)])
    away = ((ends - ends.mean(0)) ** 2).sum(-1).sum(0) / (draws - 1)
    scale = float(y.var(0).sum()) or 1.0
    choices, target = _choices(plan, rows)
    number, distance = np.full(len(rows), -1), np.full(len(rows), np.nan)
    if len(pairs):
        number, distance = nearest_pairs(problem.source.x, pairs, points=x, metric=metric)
    table = pd.DataFrame({
        "row": rows, "spread": np.sqrt(away / scale), "choices": choices, "target": target, "pair": number,
        "distance": distance,
    })  # fmt: skip
    return table.sort_values("spread", ascending=False, kind="stable", ignore_index=True)


def _choices(plan: Plan, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row, exp(entropy) of where the plan sends it, and the target row with the most mass."""
    number, target = np.full(len(rows), np.nan), np.full(len(rows), -1)
    if plan.whole is None:
        return number, target
    columns = np.arange(plan.shape[1])
    for part in np.array_split(np.arange(len(rows)), -(-len(rows) * len(columns) // 4_000_000)):
        mass = plan.whole.block(rows[part], columns)
        total = mass.sum(1, keepdims=True)
        share = np.divide(mass, total, out=np.zeros_like(mass), where=total > 0)
        entropy = -np.where(share > 0, share * np.log(np.where(share > 0, share, 1.0)), 0.0).sum(1)
        sent = total[:, 0] > 0
        number[part] = np.where(sent, np.exp(entropy), np.nan)
        target[part] = np.where(sent, share.argmax(1), -1)
    return number, target
