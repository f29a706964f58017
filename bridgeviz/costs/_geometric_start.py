"""The geometric start of Wasserstein Procrustes: centers of both spaces, matched so that their geometry agrees."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment

from bridgeviz.costs._sides import Sides

CENTERS = 30
RESTARTS = 10
TRIES = 10
"""Random starts of one matching; the best of them counts."""


def geometric_start(
    sides: Sides, rng: np.random.Generator, *, restarts: int = RESTARTS, centers: int = CENTERS, tries: int = TRIES
) -> Float[np.ndarray, "p q"]:
    """The mean cross-covariance of matched centers, plus the moment of the pairs (arXiv 2610.09411).

    Each restart finds `centers` means per side with k-means and matches them so that their linear CKA is largest, a
    quadratic assignment. With pairs, centers and pairs are centred together, and the similarities to the pairs add a
    linear term.

    Args:
        sides: the rows and pairs.
        rng: source of the random starts.
        restarts: number of k-means on each side.
        centers: per side; fewer where a side has fewer distinct rows.
        tries: random starts of each matching.
    """
    count = min(centers, *(len(np.unique(points.round(5), axis=0)) for points in (sides.x, sides.y)))
    total = np.zeros((sides.x.shape[1], sides.y.shape[1]), np.float32)
    for _ in range(restarts):
        x, y = _centers(sides.x, sides.a, count, rng), _centers(sides.y, sides.b, count, rng)
        (x, x_pairs), (y, y_pairs) = _centred_together(x, sides.x_pairs), _centred_together(y, sides.y_pairs)
        linear = x @ (x_pairs.T @ y_pairs) @ y.T
        total += x.T @ y[match_geometries(x @ x.T, y @ y.T, linear, rng, tries=tries)] / count
    return total / restarts + sides.pairs


def match_geometries(
    a: Float[np.ndarray, "k k"], b: Float[np.ndarray, "k k"], linear: Float[np.ndarray, "k k"],
    rng: np.random.Generator, *, tries: int = TRIES,
) -> Int[np.ndarray, " k"]:  # fmt: skip
    """The permutation s with the largest `sum_ij a_ij b_s(i)s(j) + 2 sum_i linear_is(i)` that was found.

    The fast approximate quadratic assignment of Vogelstein et al. (2015), as SciPy's `quadratic_assignment` has it,
    with the linear term; started from random doubly stochastic matrices.
    """
    best, value = np.arange(len(a)), -np.inf
    for _ in range(tries):
        p = _refine(a, b, linear, _doubly_stochastic(len(a), rng))
        order = linear_sum_assignment(p, maximize=True)[1]
        reached = float((a * b[np.ix_(order, order)]).sum() + 2 * linear[np.arange(len(a)), order].sum())
        if reached > value:
            best, value = order, reached
    return best


def _refine(a: np.ndarray, b: np.ndarray, linear: np.ndarray, p: np.ndarray, *, steps: int = 30) -> np.ndarray:
    """Frank-Wolfe steps with exact line search from one doubly stochastic matrix."""
    for _ in range(steps):
        mixed = a @ p @ b
        rows, columns = linear_sum_assignment(mixed + linear, maximize=True)
        direction = -p
        direction[rows, columns] += 1
        slope = 2 * float(((mixed + linear) * direction).sum())
        curve = float((a @ direction @ b * direction).sum())
        step = min(1.0, -slope / (2 * curve)) if curve < 0 else 1.0
        p = p + step * direction
        if step * np.abs(direction).sum() < 1e-3 * len(p):
            break
    return p


def _doubly_stochastic(size: int, rng: np.random.Generator) -> np.ndarray:
    """Half way between uniform and random."""
    p = rng.random((size, size))
    for _ in range(10):
        p /= p.sum(1, keepdims=True)
        p /= p.sum(0)
    return (p + 1 / size) / 2


def _centers(x: np.ndarray, mass: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    means = KMeans(count, n_init=1, max_iter=20, random_state=int(rng.integers(2**31)))  # type: ignore[arg-type]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # rows that are nearly equal leave centers that coincide
        return means.fit(x, sample_weight=mass).cluster_centers_


def _centred_together(centers: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = np.concatenate([centers, pairs]).mean(0)
    return centers - mean, pairs - mean
