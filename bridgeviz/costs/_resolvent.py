"""`(I - S)^-1 E` for a sparse S with a small norm and many right-hand sides at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import sparse

SERIES_BOUND = 0.5
_MOST_STEPS = 2000  # of conjugate gradients: far more than any spectrum seen so far has needed
_STEPS_UNCHANGED = 3  # on a bipartite graph an entry changes only at every second step


def resolvent(
    s: sparse.csr_array, e: np.ndarray, *, bound: float, tolerance: float = 1e-12
) -> Float[np.ndarray, "u g"]:
    r"""Solve `(I - S) F = E` for a symmetric S >= 0 with its spectrum in [-bound, bound], bound < 1, and E >= 0.

    For a bound up to 0.5, the series `E + S E + S^2 E + ...` is summed until no entry changes by more than
    `tolerance` relative to itself: every term is positive, so that the smallest entries keep their digits. For a
    larger bound, conjugate gradients run on all columns at once until each residual is below `tolerance` relative to
    its right-hand side; the error is at most `1 / (1 - bound)` times that.

    Args:
        s: (u, u).
        e: (u, g).
        bound: on the absolute value of the eigenvalues of S.
        tolerance: relative, on entries or on residuals.

    >>> import numpy as np
    >>> from scipy import sparse
    >>> resolvent(sparse.csr_array(np.array([[0.0, 0.5], [0.5, 0.0]])), np.eye(2), bound=0.5).round(3)
    array([[1.333, 0.667],
           [0.667, 1.333]])
    """
    if bound <= SERIES_BOUND:
        return _series(s, e, tolerance)
    return np.maximum(_conjugate_gradients(s, e, tolerance), 0.0)


def _conjugate_gradients(s: sparse.csr_array, e: np.ndarray, tolerance: float) -> np.ndarray:
    f, r = e.copy(), s @ e
    p, size = r.copy(), (r**2).sum(0)
    target = tolerance**2 * (e**2).sum(0)
    for _ in range(_MOST_STEPS):
        if (size <= target).all():
            break
        change = p - s @ p
        curvature = (p * change).sum(0)
        step = np.divide(size, curvature, out=np.zeros_like(size), where=curvature > 0)
        f += step * p
        r -= step * change
        before, size = size, (r**2).sum(0)
        p *= np.divide(size, before, out=np.zeros_like(size), where=before > 0)
        p += r
    return f


def _series(s: sparse.csr_array, e: np.ndarray, tolerance: float) -> np.ndarray:
    f, unchanged = e, 0
    while unchanged < _STEPS_UNCHANGED:
        before, f = f, s @ f + e
        unchanged = unchanged + 1 if (f - before <= tolerance * f).all() else 0
    return f
