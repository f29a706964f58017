"""Maps from a latent space to the plane, each with numbers that say how far to trust it.

The map for motion is PCA of the target space: linear, so a straight line in the space is a straight line on the map
and equal steps stay equal. `neighbourhoods` (UMAP) keeps neighbours together better and bends motion; it takes many
seconds on first use and is imported only when called. No metric is ever computed from a map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

UMAP_ROWS = 4000
"""Above 4,096 rows UMAP turns approximate."""


@dataclass(frozen=True, eq=False)
class Map:
    """An exactly linear map to the plane: the first two principal axes of a space.

    Attributes:
        mean: (q,) of the space.
        axes: (q, 2), orthonormal columns; a space of one dimension gets an empty second one.
        variance_share: of the space's variance that the plane shows, in [0, 1].
    """

    mean: Float[np.ndarray, " q"]
    axes: Float[np.ndarray, "q 2"]
    variance_share: float
    name: str = "PCA of the target space"

    def project(self, states: ArrayLike) -> Float[np.ndarray, "... 2"]:
        """(..., q) points -> (..., 2)."""
        return (np.asarray(states, np.float64) - self.mean) @ self.axes


def fit_map(x: ArrayLike) -> Map:
    """The PCA map of a space, fitted on its points (n, q)."""
    x = np.asarray(x, np.float64)
    mean = x.mean(0)
    values, vectors = np.linalg.eigh(np.cov(x - mean, rowvar=False).reshape(x.shape[1], x.shape[1]))
    axes = np.zeros((x.shape[1], 2))
    kept = vectors[:, ::-1][:, :2]
    axes[:, : kept.shape[1]] = kept * np.where(kept[np.abs(kept).argmax(0), range(kept.shape[1])] < 0, -1, 1)
    total = float(values.sum())
    return Map(mean, axes, float(values[::-1][:2].sum()) / total if total > 0 else 1.0)


def trustworthiness(points: ArrayLike, projected: ArrayLike, *, most: int = 500, k: int = 10) -> float:
    """How far the neighbours seen on a map are neighbours in the space, in [0, 1] (Venna and Kaski, 2001).

    Args:
        points: (n, q), the final states.
        projected: (n, 2), the same on the map.
        most: rows that are looked at.
        k: neighbours.
    """
    from sklearn import manifold

    rows = np.random.default_rng(0).permutation(len(np.asarray(points)))[:most]
    k = min(k, (len(rows) - 1) // 2)
    if k < 1:
        return 1.0
    return float(manifold.trustworthiness(np.asarray(points)[rows], np.asarray(projected)[rows], n_neighbors=k))


def step_variation(states: ArrayLike) -> float:
    """How unevenly a cloud moves: standard deviation over mean, across time, of its mean step length.

    0 is a steady pace. Compare the value in the space (T, n, q) with the one on a map (T, n, 2): a map on which the
    cloud stalls and leaps shows another one. It says nothing of single points, whose shadows on a plane stretch and
    shrink with their direction; for those see `largest_step`.
    """
    pace = np.linalg.norm(np.diff(np.asarray(states, np.float64), axis=0), axis=-1).mean(1)
    return float(pace.std() / pace.mean()) if pace.mean() > 0 else 0.0


def largest_step(states: ArrayLike) -> float:
    """The longest single step of any point, as a share of the picture's diagonal: near 0 unless points teleport."""
    states = np.asarray(states, np.float64)
    flat = states.reshape(-1, states.shape[-1])
    size = np.linalg.norm(flat.max(0) - flat.min(0))
    return float(np.linalg.norm(np.diff(states, axis=0), axis=-1).max() / size) if size > 0 else 0.0


def neighbourhoods(states: ArrayLike, landmarks: ArrayLike, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """One UMAP fitted on all frames together: (T, n, q), (k, q) -> (T, n', 2), (k, 2).

    Keeps the first n' points, so that it sees no more than `UMAP_ROWS` rows. Slow on first use: call it from a
    background job.
    """
    import umap

    states, landmarks = np.asarray(states, np.float32), np.asarray(landmarks, np.float32)
    frames, n, q = states.shape
    kept = max(2, min(n, (UMAP_ROWS - len(landmarks)) // frames))
    rows = np.concatenate([states[:, :kept].reshape(-1, q), landmarks])
    fitted = umap.UMAP(n_neighbors=15, min_dist=0.1, random_state=seed, n_jobs=1)
    plane = np.asarray(fitted.fit_transform(rows))
    return plane[: frames * kept].reshape(frames, kept, 2), plane[frames * kept :]
