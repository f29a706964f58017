"""The inter-modal bridge cost of the paper (Sec. 3.3, Eq. 6)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs.atoms import Atoms, find_atoms
from bridgeviz.costs.cost import Cost, min_plus
from bridgeviz.costs.intra import Metric
from bridgeviz.costs.intra import metric as find_metric


def bridge(x: ArrayLike, y: ArrayLike, pairs: ArrayLike, *, metric: str = "cosine") -> Cost:
    r"""The cheapest way over one pair: `C[i, j] = min_p c_X(x_i, x_p) + c_Y(y_p, y_j)` (Eq. 6).

    A (min, +) product of two factors, (n, l) and (l, m); "0 if paired" follows by itself. Each intra-space cost is
    divided by its mean over the whole space first (H.4), so that neither side outweighs the other. Range [0, inf),
    of order 1; not divided by its own mean (the couplings do that).

    Choose it when distances are to be trusted as they are: it needs nothing but the pairs.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond, l >= 1.
        metric: "cosine" (the paper's), "sqeuclidean" or "pearson" (Eq. 27).

    Returns:
        A lazy `Cost`: `.dense()` is (n, m).

    Raises:
        InputError: no pairs, rows out of range, NaN, or a row the metric is undefined for.

    >>> cost = bridge([[0.0], [1.0], [3.0]], [[0.0], [2.0]], [[0, 0], [2, 1]], metric="sqeuclidean")
    >>> cost.dense()[0, 0], cost.dense()[2, 1]
    (np.float64(0.0), np.float64(0.0))
    """
    x, y, pairs, distance = check_spaces(x, y, pairs, metric, "bridge")
    source, target = find_atoms(x), find_atoms(y)
    a = _to_anchors(distance, x, source, pairs[:, 0])
    b = _to_anchors(distance, y, target, pairs[:, 1])
    # Pairs that share a target atom share their second leg: keep the shorter first leg of each such group.
    anchor_atoms, group = np.unique(target.index[pairs[:, 1]], return_inverse=True)
    shortest = np.full((len(source), len(anchor_atoms)), np.inf)
    np.minimum.at(shortest.T, group.reshape(-1), a.T)
    _, one = np.unique(group, return_index=True)
    return Cost("bridge", shortest, b[:, one], min_plus, source, target, anchors=pairs)


def legs(x: ArrayLike, y: ArrayLike, pairs: ArrayLike, i: int, j: int, *, metric: str = "cosine") -> dict[str, Any]:
    """Which pair bridges source row i and target row j, and the two legs of Eq. 6.

    Returns:
        `pair`: its number in `pairs`; `source`, `target`: its rows; `leg_x`, `leg_y`: the two distances, each divided
        by the mean of its space; `cost`: their sum.
    """
    x, y, pairs, distance = check_spaces(x, y, pairs, metric, "legs")
    i = check.count(i, "i", "legs", least=0, most=len(x) - 1)
    j = check.count(j, "j", "legs", least=0, most=len(y) - 1)
    a = distance.matrix(x[[i]], x[pairs[:, 0]])[0] / (distance.mean(x) or 1.0)
    b = distance.matrix(y[[j]], y[pairs[:, 1]])[0] / (distance.mean(y) or 1.0)
    p = int(np.argmin(a + b))
    row, column = (int(k) for k in pairs[p])
    return {"pair": p, "source": row, "target": column, "leg_x": a[p], "leg_y": b[p], "cost": a[p] + b[p]}


def check_spaces(
    x: ArrayLike, y: ArrayLike, pairs: ArrayLike, metric: str, where: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Metric]:
    """The arguments that every cost built on pairs shares."""
    x, y = check.matrix(x, "x", where), check.matrix(y, "y", where)
    pairs = check.pair_index(pairs, "pairs", where, shape=(len(x), len(y)), least=1)
    distance = find_metric(metric, where)
    distance.usable(x, "x", where)
    distance.usable(y, "y", where)
    return x, y, pairs, distance


def _to_anchors(distance: Metric, x: np.ndarray, atoms: Atoms, anchors: np.ndarray) -> np.ndarray:
    """(u, l) distances from each atom to each anchor, in units of the mean distance within the space."""
    out = distance.matrix(x[atoms.rows], x[anchors]) / (distance.mean(x) or 1.0)
    out[atoms.index[anchors], np.arange(len(anchors))] = 0.0  # exactly, whatever the rounding of a matrix product
    return out
