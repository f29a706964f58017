"""The inter-modal bridge cost of the paper (Sec. 3.3, Eq. 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs.anchors import Anchored, anchor
from bridgeviz.costs.cost import Cost, Route, min_plus

_BLOCK = 512  # anchors at a time


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
    a = anchor(x, y, pairs, metric, "bridge")
    factors = [_to_groups(a, "source", a.x), _to_groups(a, "target", a.y)]
    return Cost(
        "bridge", factors[0], factors[1], min_plus, a.source, a.target, anchors=a.pairs,
        route=lambda i, j: _straight(a, i, j),
    )  # fmt: skip


def legs(x: ArrayLike, y: ArrayLike, pairs: ArrayLike, i: int, j: int, *, metric: str = "cosine") -> Route:
    """Which pair bridges source row i and target row j, and the two legs of Eq. 6, each in units of its space's mean.

    >>> legs([[0.0], [1.0], [3.0]], [[0.0], [2.0]], [[0, 0], [2, 1]], 1, 1, metric="sqeuclidean").pair
    1
    """
    given = anchor(x, y, pairs, metric, "legs")
    i = check.count(i, "i", "legs", least=0, most=len(given.x) - 1)
    j = check.count(j, "j", "legs", least=0, most=len(given.y) - 1)
    return _straight(given, i, j)


def _straight(given: Anchored, i: int, j: int) -> Route:
    far = [
        given.metric.matrix(points[[row]], points[given.pairs[:, side]])[0] / (given.metric.mean(points) or 1.0)
        for side, (points, row) in enumerate(((given.x, i), (given.y, j)))
    ]
    p = int(np.argmin(far[0] + far[1]))
    source, target = (int(k) for k in given.pairs[p])
    return Route(p, float(far[0][p]), float(far[1][p]), [i, source], [target, j])


def _to_groups(a: Anchored, side: str, x: np.ndarray) -> np.ndarray:
    """(u, g) distances from each atom to the nearest anchor of each group, in units of the mean within the space."""
    atoms, at = a.atoms(side)
    # Pairs of a group share their other leg: of their legs on this side, the shortest counts.
    group, anchors = np.unique(np.stack([a.group, at]), axis=1)
    mean = a.metric.mean(x) or 1.0
    out = np.full((len(atoms), a.groups), np.inf)
    for first in range(0, len(anchors), _BLOCK):
        some, chunk = anchors[first : first + _BLOCK], group[first : first + _BLOCK]
        far = a.metric.matrix(x[atoms.rows], x[atoms.rows[some]]) / mean
        far[some, np.arange(len(some))] = 0.0  # exactly, whatever the rounding of a matrix product
        columns, starts = np.unique(chunk, return_index=True)
        out[:, columns] = np.minimum(out[:, columns], np.minimum.reduceat(far, starts, axis=1))
    return out
