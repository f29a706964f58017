"""A first guess of what corresponds: rows that are alike in how similar they are to all others, and to the pairs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from bridgeviz._scaling import scale_kernel
from bridgeviz.costs._sides import Sides, unit

_LEVELS = np.concatenate([(np.arange(48) + 0.5) / 48, 1 - 0.3 ** np.arange(1, 8)])
"""The quantiles of a profile; the upper end, where a row's neighbours are, is resolved more finely."""
_BLUR = 0.1


def similarity_start(sides: Sides, *, whitening: float = 0.0) -> Float[np.ndarray, "p q"]:
    """The moment `X^T pi Y`, plus that of the pairs, of a plan between descriptions that no rotation changes.

    A row is described by the quantiles of its cosine similarities to all rows of its own space, which need no pairs (as
    in Artetxe, Labaka and Agirre 2018, arXiv 1805.06297), and by its similarities to the paired rows (relative
    representations, arXiv 2209.15430). Both squared distances are divided by their means and averaged.

    Args:
        sides: at most a few thousand atoms.
        whitening: in [0, 1], the power by which the principal directions are made alike before; 0 leaves them.
    """
    (x, x_pairs), (y, y_pairs) = (
        _whitened(sides.x, sides.x_pairs, sides.a, whitening),
        _whitened(sides.y, sides.y_pairs, sides.b, whitening),
    )
    cost = _distance(_profile(x), _profile(y))
    if len(x_pairs):
        cost = (cost + _distance(x @ x_pairs.T, y @ y_pairs.T)) / 2
    return sides.x.T @ (scale_kernel(cost, sides.a, sides.b, epsilon=_BLUR).plan @ sides.y) + sides.pairs


def _whitened(
    x: Float[np.ndarray, "u p"], pairs: Float[np.ndarray, "l p"], mass: Float[np.ndarray, " u"], power: float
) -> tuple[np.ndarray, np.ndarray]:
    """All rows and the paired ones in principal directions whose deviations are raised to `1 - power`, at length 1."""
    if power == 0:
        return x, pairs
    variances, directions = np.linalg.eigh((x * mass[:, None]).T @ x)
    variances = np.maximum(variances, 0) + np.float32(1e-6) * variances.max(initial=0.0) + np.finfo(np.float32).tiny
    turn = directions * variances ** np.float32(-power / 2)
    return unit(x @ turn), unit(pairs @ turn)


def _profile(x: Float[np.ndarray, "u p"]) -> Float[np.ndarray, "u k"]:
    """The quantiles of each row's similarities to all rows, relative to those of the average row."""
    columns = np.round(_LEVELS * (len(x) - 1)).astype(int)
    profile = np.partition(x @ x.T, np.unique(columns), axis=1)[:, columns]
    return profile - profile.mean(0)


def _distance(x: Float[np.ndarray, "u k"], y: Float[np.ndarray, "v k"]) -> Float[np.ndarray, "u v"]:
    """Squared distances divided by their mean."""
    squares = np.maximum((x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T, 0)
    return squares / max(float(squares.mean()), np.finfo(np.float32).tiny)
