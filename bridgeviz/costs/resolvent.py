"""`(I - S)^-1 E` for a sparse S of small norm and many right-hand sides at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import sparse

_SHORT = 0.5
_MOST = 2000  # steps of conjugate gradients: far more than any spectrum met so far has asked for
_STILL = 3  # steps without change: on a bipartite graph an entry only changes at every second one


def resolvent(
    s: sparse.csr_array, e: np.ndarray, *, bound: float, tolerance: float = 1e-12
) -> Float[np.ndarray, "u g"]:
    r"""Solve `(I - S) F = E` with S, E >= 0, S symmetric and its spectrum in [-bound, bound], bound < 1.

    For a bound up to 0.5 the series `E + S E + S^2 E + ...` is added up, until no entry changes by more than
    `tolerance` of itself: every term is positive, so that the smallest entries keep their digits. Above, by conjugate
    gradients on all columns at once, until each residual is below `tolerance` of its right-hand side; the error is
    at most `1 / (1 - bound)` times that.

    Args:
        s: (u, u).
        e: (u, g).
        bound: of the spectrum.
        tolerance: relative, of entries or of residuals.

    >>> import numpy as np
    >>> from scipy import sparse
    >>> resolvent(sparse.csr_array(np.array([[0.0, 0.5], [0.5, 0.0]])), np.eye(2), bound=0.5).round(3)
    array([[1.333, 0.667],
           [0.667, 1.333]])
    """
    return _series(s, e, tolerance) if bound <= _SHORT else np.maximum(_gradients(s, e, tolerance), 0.0)


def _gradients(s: sparse.csr_array, e: np.ndarray, tolerance: float) -> np.ndarray:
    f, r = e.copy(), s @ e
    p, size = r.copy(), (r**2).sum(0)
    aim = tolerance**2 * (e**2).sum(0)
    for _ in range(_MOST):
        if (size <= aim).all():
            break
        change = p - s @ p
        curve = (p * change).sum(0)
        step = np.divide(size, curve, out=np.zeros_like(size), where=curve > 0)
        f += step * p
        r -= step * change
        before, size = size, (r**2).sum(0)
        p *= np.divide(size, before, out=np.zeros_like(size), where=before > 0)
        p += r
    return f


def _series(s: sparse.csr_array, e: np.ndarray, tolerance: float) -> np.ndarray:
    f, still = e, 0
    while still < _STILL:
        before, f = f, s @ f + e
        still = still + 1 if (f - before <= tolerance * f).all() else 0
    return f
