"""The paper's KCCA cost (Appendix F, Eq. 17-18): distance in the joint space that the pairs correlate most in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs.anchors import anchor
from bridgeviz.costs.cost import Cost, one_minus_inner
from bridgeviz.costs.intra import Metric

LANDMARKS = 2000
"""Distinct paired rows above which the kernel is approximated on so many of them (Nystroem)."""
_BLOCK = 2048


def kcca(
    x: ArrayLike,
    y: ArrayLike,
    pairs: ArrayLike,
    *,
    metric: str = "sqeuclidean",
    components: int = 20,
    shrinkage: float = 0.1,
    gamma: tuple[float, float] | None = None,
) -> Cost:
    r"""`C[i, j] = 1 - cos(u_X(x_i), u_Y(y_j))` (Eq. 18), u the canonical variates of the pairs' kernels (Eq. 17).

    Regularised kernel CCA: directions that maximise the correlation of the paired rows in the feature spaces of two
    RBF kernels `exp(-gamma d)`, d the metric. Unregularised, an RBF kernel correlates any two sets of distinct rows
    perfectly; so each side's covariance is `(1 - shrinkage) K^2 / (l - 1) + shrinkage K`. Kernels are centred on the
    pairs. Range [0, 2]; not divided by its mean.

    Solved in the feature space of the distinct paired rows, which is the dual problem exactly; above 2,000 of them on
    2,000 drawn with a fixed seed (Nystroem). `facts["correlations"]` holds the regularised canonical correlations.

    Choose it to reproduce the paper; or where the relation between the spaces is smooth and pairs are many.

    Args:
        x: (n, p) source rows.
        y: (m, q) target rows.
        pairs: (l, 2) rows known to correspond, l >= 2.
        metric: "sqeuclidean" (the Gaussian kernel of the paper), "cosine" or "pearson".
        components: of the joint space at most; fewer where the pairs have no more.
        shrinkage: in (0, 1]; 1 is kernel PLS.
        gamma: (gamma_x, gamma_y), each > 0; None takes the median heuristic, 1 over the median distance between
            paired rows that differ.

    Raises:
        InputError: as for `bridge`, an option out of range, or paired rows that are all the same.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(30, 3))
    >>> cost = kcca(x, x, [[i, i] for i in range(30)], components=2)
    >>> bool((cost.dense().argmin(1) == np.arange(30)).mean() > 0.5)
    True
    """
    where = "kcca"
    a = anchor(x, y, pairs, metric, where)
    components = check.count(components, "components", where)
    shrinkage = check.unit(shrinkage, "shrinkage", where)
    gammas = (None, None)
    if gamma is not None:
        try:
            gammas = tuple(check.positive(one, "gamma", where) for one in gamma)
        except TypeError:
            gammas = ()
        if len(gammas) != 2:
            raise check.fail("gamma", where, "two floats > 0: (gamma_x, gamma_y)", check.describe(gamma))
    maps, paired, whitenings = [], [], []
    for side, points, given in (("source", a.x, gammas[0]), ("target", a.y, gammas[1])):
        atoms, at = a.atoms(side)
        if len(np.unique(at)) < 2:
            raise check.fail("pairs", where, f"between at least two distinct rows of the {side}", "one", "Add pairs.")
        features = _feature_map(points[atoms.rows], np.unique(at), a.metric, given)
        phi = features(at)
        centre = phi.mean(0)
        maps.append(lambda rows, f=features, c=centre: f(rows) - c)
        paired.append(phi - centre)
        whitenings.append(_whitening(phi - centre, shrinkage))
    (w_x, w_y), (p_x, p_y) = whitenings, paired
    left, correlations, right = np.linalg.svd((p_x @ w_x).T @ (p_y @ w_y) / (len(a.pairs) - 1), full_matrices=False)
    d = max(1, min(components, int((correlations > 1e-9).sum())))
    variates = [
        _unit_rows(maps[0], len(a.source), w_x @ left[:, :d]),
        _unit_rows(maps[1], len(a.target), w_y @ right[:d].T),
    ]
    facts = {"correlations": correlations[:d], "components": d}
    return Cost(where, variates[0], variates[1], one_minus_inner, a.source, a.target, anchors=a.pairs, facts=facts)


def _feature_map(points: np.ndarray, paired: np.ndarray, metric: Metric, gamma: float | None) -> Callable:
    """From atoms to (r, d) features whose inner products are the kernel (on the landmarks exactly)."""
    if len(paired) > LANDMARKS:
        paired = np.sort(np.random.default_rng(0).choice(paired, LANDMARKS, replace=False))
    landmarks = points[paired]
    far = metric.matrix(landmarks, landmarks)
    if gamma is None:
        between = far[np.triu_indices(len(far), 1)]
        gamma = 1 / float(np.median(between[between > 0])) if (between > 0).any() else 1.0
    values, vectors = np.linalg.eigh(np.exp(-gamma * far))
    keep = values > 1e-12 * values.max()
    root = vectors[:, keep] / np.sqrt(values[keep])
    return lambda atoms: np.exp(-gamma * metric.matrix(points[atoms], landmarks)) @ root


def _whitening(phi: np.ndarray, shrinkage: float) -> np.ndarray:
    """W with `W^T ((1 - c) cov + c I) W = I` on the span of the centred rows."""
    _, s, vt = np.linalg.svd(phi, full_matrices=False)
    keep = s > 1e-9 * s.max()
    return vt[keep].T / np.sqrt((1 - shrinkage) * s[keep] ** 2 / (len(phi) - 1) + shrinkage)


def _unit_rows(features: Callable, atoms: int, weights: np.ndarray) -> np.ndarray:
    """The variates of every atom, block by block, at length one."""
    parts = np.array_split(np.arange(atoms), -(-atoms // _BLOCK))
    u = np.concatenate([features(part) @ weights for part in parts])
    return u / np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-300)
