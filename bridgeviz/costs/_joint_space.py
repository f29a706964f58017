"""Canonical correlation analysis: the space in which the features of paired rows correlate most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class JointSpace:
    """The canonical variates of two sets of features.

    Attributes:
        centres: the means (r,) and (s,) of both sides' paired features.
        weights: (r, d) and (s, d), from centred features to variates.
        correlations: (d,) of the variates over the pairs, shrunken, the largest first.
    """

    centres: tuple[np.ndarray, np.ndarray]
    weights: tuple[np.ndarray, np.ndarray]
    correlations: Float[np.ndarray, " d"]

    def unit_variates(self, features: Float[np.ndarray, "n r"], *, side: int) -> Float[np.ndarray, "n d"]:
        """The variates of some rows of side 0 or 1 at length one; those of a row at the centre are zero."""
        u = (features - self.centres[side]) @ self.weights[side]
        return u / np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-300)


def joint_space(
    source: Float[np.ndarray, "l r"], target: Float[np.ndarray, "l s"], *, components: int, shrinkage: float
) -> JointSpace:
    """The joint space of paired features: singular vectors of their whitened cross-covariance (Hotelling 1936).

    Args:
        source: features of the paired source rows, l >= 2.
        target: those of their partners.
        components: the largest dimension of the space; directions without correlation are dropped.
        shrinkage: c in [0, 1] of the covariances `(1 - c) cov + c I` that are whitened.
    """
    centres = source.mean(0), target.mean(0)
    p_x, p_y = source - centres[0], target - centres[1]
    w_x, w_y = _whitening(p_x, shrinkage), _whitening(p_y, shrinkage)
    covariance = (p_x @ w_x).T @ (p_y @ w_y) / (len(source) - 1)
    left, correlations, right = np.linalg.svd(covariance, full_matrices=False)
    d = max(1, min(components, int((correlations > 1e-9).sum())))
    return JointSpace(centres, (w_x @ left[:, :d], w_y @ right[:d].T), correlations[:d])


def _whitening(phi: np.ndarray, shrinkage: float) -> np.ndarray:
    """W with `W^T ((1 - c) cov + c I) W = I`, c the shrinkage, on the span of the centred rows."""
    _, s, vt = np.linalg.svd(phi, full_matrices=False)
    keep = s > 1e-9 * s.max()
    return vt[keep].T / np.sqrt((1 - shrinkage) * s[keep] ** 2 / (len(phi) - 1) + shrinkage)
