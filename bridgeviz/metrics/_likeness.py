"""Whether two spaces put the same things near each other: linear CKA and mutual nearest neighbours of paired rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """A similarity of two spaces on their paired rows, beside what unrelated rows would give.

    Attributes:
        value: of the pairs, in [0, 1].
        chance: the mean over permutations of the pairs.
        p: the share of permutations, the pairs themselves included, with at least this value.
    """

    value: float
    chance: float
    p: float


def linear_cka(x: ArrayLike, y: ArrayLike, *, permutations: int = 200, seed: int = 0) -> Likeness:
    r"""Linear centred kernel alignment of paired rows: `|X'Y|^2 / (|X'X| |Y'Y|)` on centred columns.

    1 if one space is a rotation and a scaling of the other. With few pairs and many columns, unrelated spaces are far
    above 0: compare with `chance`. (Kornblith et al. 2019.)

    Args:
        x: (l, p) source rows of the pairs, l >= 3.
        y: (l, q) their target rows.
        permutations: of the pairs, for `chance` and `p`.
        seed: of the permutations.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(50, 4))
    >>> round(linear_cka(x, 3 * x[:, ::-1]).value, 6)
    1.0
    """
    x, y = _paired(x, y, "linear_cka")
    grams = [side @ side.T for side in (x - x.mean(0), y - y.mean(0))]
    norm = np.linalg.norm(grams[0]) * np.linalg.norm(grams[1])
    if norm == 0:
        return Likeness(value=0.0, chance=0.0, p=1.0)
    return _against_chance(
        lambda order: float((grams[0] * grams[1][np.ix_(order, order)]).sum() / norm), len(x), permutations, seed
    )


def mutual_neighbours(x: ArrayLike, y: ArrayLike, *, k: int = 10, permutations: int = 200, seed: int = 0) -> Likeness:
    """The share of a paired row's k nearest neighbours that are its neighbours in both spaces, among the paired rows.

    Neighbours are found by cosine distance after centring. It sees local agreement that CKA misses. (Huh et al. 2024.)

    Args:
        x: (l, p) source rows of the pairs, l >= 3.
        y: (l, q) their target rows.
        k: neighbours, at most (l - 1) / 2; a larger k is reduced to that.
        permutations: of the pairs, for `chance` and `p`.
        seed: of the permutations.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(50, 4))
    >>> mutual_neighbours(x, x[:, ::-1]).value
    1.0
    """
    x, y = _paired(x, y, "mutual_neighbours")
    k = max(1, min(check.count(k, "k", "mutual_neighbours"), (len(x) - 1) // 2))
    near = [_nearest(side, k) for side in (x, y)]
    return _against_chance(
        lambda order: float((near[0] & near[1][np.ix_(order, order)]).sum() / (k * len(x))), len(x), permutations, seed
    )


def _paired(x: ArrayLike, y: ArrayLike, where: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = (check.matrix(side, name, where, rows=3) for side, name in ((x, "x"), (y, "y")))
    if len(x) != len(y):
        raise check.fail("y", where, f"one row per row of 'x', {len(x)} in total", f"{len(y)} rows")
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


def _nearest(points: np.ndarray, k: int) -> np.ndarray:
    """(l, l) whether column j is among the k nearest other rows of row i."""
    points = points - points.mean(0)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    units = np.divide(points, lengths, out=np.zeros_like(points), where=lengths > 0)
    distances = -units @ units.T
    np.fill_diagonal(distances, np.inf)
    near = np.zeros(distances.shape, bool)
    np.put_along_axis(near, np.argpartition(distances, k - 1, axis=1)[:, :k], True, axis=1)
    return near


def _against_chance(of_order: Callable[[np.ndarray], float], size: int, permutations: int, seed: int) -> Likeness:
    rng = np.random.default_rng(seed)
    value = of_order(np.arange(size))
    others = np.array([of_order(rng.permutation(size)) for _ in range(permutations)])
    p = (1 + int((others >= value - 1e-12).sum())) / (1 + permutations)
    return Likeness(value=value, chance=float(others.mean()), p=p)
