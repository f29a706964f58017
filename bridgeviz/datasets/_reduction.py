"""Large features -> the few rows and dimensions that are shipped."""

from __future__ import annotations

import numpy as np


def principal_components(x: np.ndarray, fitted: np.ndarray, dimensions: int) -> tuple[np.ndarray, float]:
    """(n, dimensions) float16 components of x, and the share of the variance that they hold.

    Args:
        x: (n, p) features.
        fitted: numbers of the rows that the components are fitted to.
        dimensions: number of components.
    """
    from sklearn.decomposition import PCA

    pca = PCA(dimensions, svd_solver="covariance_eigh").fit(np.asarray(x[fitted], np.float64))
    parts = np.array_split(x, -(-len(x) // 4096) or 1)
    reduced = [pca.transform(np.asarray(part, np.float64)).astype(np.float16) for part in parts]
    return np.concatenate(reduced), float(pca.explained_variance_ratio_.sum())


def rank_within(labels: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """The position of each row among the rows of its class, in a random order.

    >>> sorted(rank_within(np.array([3, 5, 3, 3]))[[0, 2, 3]].tolist())
    [0, 1, 2]
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    rank = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        rank[rows] = np.arange(len(rows))
    return rank
