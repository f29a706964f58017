"""Projections of a latent space to the plane, and numbers that say how far to trust them.

Motion is shown on the PCA map of the target space. It is linear: straight lines stay straight, and equal steps along
them stay equal. `neighbourhoods` (UMAP) preserves neighbours better but distorts motion; its first use takes many
seconds. No metric of a run is ever computed from a projection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

UMAP_NEIGHBOURS = 15
UMAP_ROWS = 4000
"""The most rows given to UMAP, which switches to approximate neighbours above 4,096."""


@dataclass(frozen=True, eq=False)
class Map:
    """A linear projection to the plane: the first two principal axes of a space.

    Attributes:
        mean: (q,) the mean of the space.
        axes: (q, 2) orthonormal columns; for a space of one dimension, the second is zero.
        variance_share: the share of the space's variance that the plane shows, in [0, 1].
        name: for captions.
    """

    mean: Float[np.ndarray, " q"]
    axes: Float[np.ndarray, "q 2"]
    variance_share: float
    name: str = "PCA of the target space"

    def project(self, states: ArrayLike) -> Float[np.ndarray, "... 2"]:
        """Project points (..., q) to the plane, (..., 2)."""
        return (np.asarray(states, np.float64) - self.mean) @ self.axes


def fit_map(x: ArrayLike) -> Map:
    """The PCA map of a space, fitted to its points (n, q)."""
    x = np.asarray(x, np.float64)
    mean = x.mean(0)
    values, vectors = np.linalg.eigh(np.cov(x - mean, rowvar=False).reshape(x.shape[1], x.shape[1]))
    axes = np.zeros((x.shape[1], 2))
    first = vectors[:, ::-1][:, :2]
    signs = np.where(first[np.abs(first).argmax(0), range(first.shape[1])] < 0, -1, 1)
    axes[:, : first.shape[1]] = first * signs
    total = float(values.sum())
    return Map(mean, axes, float(values[::-1][:2].sum()) / total if total > 0 else 1.0)


def trustworthiness(points: ArrayLike, projected: ArrayLike, *, most: int = 500, k: int = 10) -> float:
    """How well neighbours on a map are neighbours in the space, in [0, 1]; 1 is best (Venna and Kaski, 2001).

    Args:
        points: (n, q) points of the space.
        projected: (n, 2) the same points on the map.
        most: number of rows to use; if there are more, a random subset is drawn.
        k: number of neighbours.
    """
    from sklearn import manifold

    rows = np.random.default_rng(0).permutation(len(np.asarray(points)))[:most]
    k = min(k, (len(rows) - 1) // 2)
    if k < 1:
        return 1.0
    return float(manifold.trustworthiness(np.asarray(points)[rows], np.asarray(projected)[rows], n_neighbors=k))


def step_variation(states: ArrayLike) -> float:
    """How unevenly a set of points moves: the coefficient of variation, over time, of its mean step length.

    0 is a constant speed. Compare the value in the space, from states (T, n, q), with the value on a map, from states
    (T, n, 2): it is higher on a map where the points seem to stall and jump. It says nothing about single points, whose
    projected step lengths depend on their direction; for those see `largest_step`.
    """
    pace = np.linalg.norm(np.diff(np.asarray(states, np.float64), axis=0), axis=-1).mean(1)
    return float(pace.std() / pace.mean()) if pace.mean() > 0 else 0.0


def largest_step(states: ArrayLike) -> float:
    """The longest single step of any point, as a share of the diagonal of the figure: near 0 unless points jump."""
    states = np.asarray(states, np.float64)
    flat = states.reshape(-1, states.shape[-1])
    diagonal = np.linalg.norm(flat.max(0) - flat.min(0))
    return float(np.linalg.norm(np.diff(states, axis=0), axis=-1).max() / diagonal) if diagonal > 0 else 0.0


def neighbourhoods(
    states: ArrayLike, landmarks: ArrayLike, *, seed: int = 0, report: Callable[[int, int], None] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """One UMAP fitted to all frames together: (T, n, q), (k, q) -> (T, n', 2), (k, 2).

    It uses the first n' points, so that UMAP gets at most `UMAP_ROWS` rows. The first use is slow: call it from a
    background job.

    Args:
        states: (T, n, q) points over time.
        landmarks: (k, q) points that do not move.
        seed: of UMAP.
        report: called with the number of epochs done and in all, from when the neighbours are known; raise from it to
            stop.
    """
    states, landmarks = np.asarray(states, np.float64), np.asarray(landmarks, np.float64)
    frames, n, q = states.shape
    used = min(n, max(2, (UMAP_ROWS - len(landmarks)) // frames))
    rows = np.concatenate([states[:, :used].reshape(-1, q), landmarks])
    rows = (rows - rows.mean(0)) / (rows.std() or 1.0)  # UMAP computes in float32, where other units may overflow
    if len(rows) < 3:  # all on one line
        plane = np.stack([np.linalg.norm(rows - rows[0], axis=1), np.zeros(len(rows))], axis=1)
    else:
        import umap

        few = len(rows) <= UMAP_NEIGHBOURS + 1  # too few for the spectral start
        fitted = umap.UMAP(
            n_neighbors=min(UMAP_NEIGHBOURS, len(rows) - 1), min_dist=0.1, random_state=seed, n_jobs=1,
            init="random" if few else "spectral", tqdm_kwds=None if report is None else _reporting(report),
        )  # fmt: skip
        plane = np.asarray(fitted.fit_transform(rows.astype(np.float32)))
    return plane[: frames * used].reshape(frames, used, 2), plane[frames * used :]


class _Reports:
    """A file that passes what UMAP's progress bar writes, "3/500", to a function."""

    def __init__(self, report: Callable[[int, int], None]):
        self.report = report

    def write(self, text: str) -> None:
        done, _, total = text.strip().partition("/")
        if total:
            self.report(int(done), int(total))

    def flush(self) -> None:
        pass


def _reporting(report: Callable[[int, int], None]) -> dict[str, Any]:
    """Options of UMAP's progress bar that let it report."""
    return {"disable": False, "file": _Reports(report), "bar_format": "{n_fmt}/{total_fmt}", "mininterval": 0.3}
