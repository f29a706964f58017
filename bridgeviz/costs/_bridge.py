"""The inter-modal bridge cost of the paper (Sec. 3.3, Eq. 6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs._anchors import Anchored, anchor
from bridgeviz.costs._combine import min_plus
from bridgeviz.costs._cost import Cost
from bridgeviz.costs._cost_options import CostOptions, functional, metric_option
from bridgeviz.costs._legs import both_legs
from bridgeviz.costs._route import Route


@dataclass(frozen=True, kw_only=True)
class Bridge(CostOptions):
    r"""The cheapest path over one pair: `C[i, j] = min_p c_X(x_i, x_p) + c_Y(y_p, y_j)` (Eq. 6).

    A (min, +) product of two factors, (n, l) and (l, m); "0 if paired" follows by itself. Each intra-space cost is
    first divided by its mean over the whole space (H.4), so that neither side outweighs the other. Range [0, inf),
    of order 1; not divided by its own mean (the couplings do that).

    Choose it when distances can be trusted as they are: it needs nothing but the pairs.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond, l >= 1.
        metric: "cosine" (the paper's), "sqeuclidean" or "pearson" (Eq. 27).

    Returns:
        A lazy `Cost`: `.dense()` is (n, m). A factor of more than 16 million entries is float32; one of more than 268
        million is not stored, but computed again wherever it is read, some rows at a time.

    Raises:
        InputError: no pairs, rows out of range, NaN, or a row that the metric is undefined for.

    >>> cost = bridge([[0.0], [1.0], [3.0]], [[0.0], [2.0]], [[0, 0], [2, 1]], metric="sqeuclidean")
    >>> cost.dense()[0, 0], cost.dense()[2, 1]
    (np.float64(0.0), np.float64(0.0))
    """

    name = "bridge"
    summary = "over the cheapest pair"
    lead = (
        "The cost of $x_i$ and $y_j$ is the cheapest path over one pair $p$: a leg from $x_i$ to the pair's source, "
        "and a leg from the pair's target to $y_j$ (Eq. 6)."
    )
    formula = r"C_{ij} = \min_p \; c_X(x_i, x_p) + c_Y(y_p, y_j) \quad (6)"
    metric: str = metric_option("cosine")

    def build(self, x: ArrayLike, y: ArrayLike, pairs: ArrayLike) -> Cost:
        """The cost between the rows of x and y."""
        anchored = anchor(x, y, pairs, self.metric, self.name, row_bytes=lambda *_: 0)  # they are counted below
        source, target = both_legs(anchored, self.name)
        return Cost(
            name=self.name,
            source_factor=source,
            target_factor=target,
            combine=min_plus,
            source_atoms=anchored.source,
            target_atoms=anchored.target,
            anchors=anchored.pairs,
            route=partial(_straight_route, anchored),
        )


bridge = functional(Bridge)


def legs(x: ArrayLike, y: ArrayLike, pairs: ArrayLike, i: int, j: int, *, metric: str = "cosine") -> Route:
    """The pair that bridges source row i and target row j in Eq. 6, with both legs in units of their space's mean.

    >>> legs([[0.0], [1.0], [3.0]], [[0.0], [2.0]], [[0, 0], [2, 1]], 1, 1, metric="sqeuclidean").pair
    1
    """
    anchored = anchor(x, y, pairs, metric, "legs")
    i = check.count(i, "i", "legs", least=0, most=len(anchored.x) - 1)
    j = check.count(j, "j", "legs", least=0, most=len(anchored.y) - 1)
    return _straight_route(anchored, i, j)


def _straight_route(anchored: Anchored, i: int, j: int) -> Route:
    leg_x, leg_y = (
        anchored.metric.matrix(points[[row]], points[anchored.pairs[:, side]])[0]
        / (anchored.metric.mean(points) or 1.0)
        for side, (points, row) in enumerate(((anchored.x, i), (anchored.y, j)))
    )
    p = int(np.argmin(leg_x + leg_y))
    source, target = (int(row) for row in anchored.pairs[p])
    return Route(pair=p, leg_x=float(leg_x[p]), leg_y=float(leg_y[p]), way_x=[i, source], way_y=[target, j])
