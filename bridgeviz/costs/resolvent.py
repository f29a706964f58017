"""`(I - S)^-1 E` for a sparse S of small norm and many right-hand sides at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy import sparse

_SHORT = 0.5
_STILL = 3  # steps without change: on a bipartite graph an entry only changes at every second one


def resolvent(
    s: sparse.csr_array, e: np.ndarray, *, bound: float, tolerance: float = 1e-12
) -> Float[np.ndarray, "u g"]:
    r"""Solve `(I - S) F = E` with S, E >= 0, S symmetric and its spectrum in [-bound, bound], bound < 1.

    For a bound up to 0.5 the series `E + S E + S^2 E + ...` is added up, until no entry changes by more than
    `tolerance` of itself: every term is positive, so that the smallest entries keep their digits. Above, by Chebyshev
    iteration, whose error after k steps is below `2 ((1 - r) / (1 + r))^k` of the largest entry with
    `r = sqrt((1 - bound) / (1 + bound))`: 168 steps for 0.99 at 1e-10.

    >>> import numpy as np
    >>> from scipy import sparse
    >>> resolvent(sparse.csr_array(np.array([[0.0, 0.5], [0.5, 0.0]])), np.eye(2), bound=0.5).round(3)
    array([[1.333, 0.667],
           [0.667, 1.333]])
    """
    if bound <= _SHORT:
        return _series(s, e, tolerance)
    r = np.sqrt((1 - bound) / (1 + bound))
    steps = int(np.ceil(np.log(tolerance / 2) / np.log((1 - r) / (1 + r))))
    previous, f = e, s @ e + e
    w = 1 / (1 - bound**2 / 2)
    for _ in range(steps):
        previous, f = f, w * (s @ f + e - previous) + previous
        w = 1 / (1 - bound**2 * w / 4)
    return np.maximum(f, 0.0)


def _series(s: sparse.csr_array, e: np.ndarray, tolerance: float) -> np.ndarray:
    f, still = e, 0
    while still < _STILL:
        before, f = f, s @ f + e
        still = still + 1 if (f - before <= tolerance * f).all() else 0
    return f
