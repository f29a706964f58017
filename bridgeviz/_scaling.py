"""Sinkhorn's scaling iterations on NumPy arrays: an approximate plan in milliseconds, for fits that solve many."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Scaled(NamedTuple):
    """What the iterations found.

    Attributes:
        plan: (u, v); its columns sum to b exactly, its rows to a up to the tolerance.
        error: the L1 error of the row sums.
        scale: (v,) to start the next, similar problem from.
    """

    plan: Float[np.ndarray, "u v"]
    error: float
    scale: Float[np.ndarray, " v"]


def scale_kernel(
    cost: Float[np.ndarray, "u v"], a: Float[np.ndarray, " u"], b: Float[np.ndarray, " v"], *, epsilon: float,
    tolerance: float = 1e-2, max_iterations: int = 30, start: Float[np.ndarray, " v"] | None = None,
) -> Scaled:  # fmt: skip
    """The balanced plan of `argmin <C, pi> + epsilon sum pi (log pi - 1)` (Eq. 1), in the precision of the cost.

    It multiplies by `exp(-C / epsilon)`, where `_sinkhorn` adds logarithms: about 25 times faster, and good for costs
    within 80 epsilon of the smallest entry of their row, beyond which a float32 kernel is zero.

    Args:
        cost: (u, v), finite.
        a, b: the marginals, > 0, with the same sum.
        epsilon: entropy regularisation > 0.
        tolerance: L1 error of the row sums at which to stop; it is measured at every fifth iteration.
        max_iterations: maximum number of iterations, >= 1.
        start: the `scale` of a similar problem; None starts from ones.

    >>> scale_kernel(np.array([[0.0, 1.0], [1.0, 0.0]]), np.full(2, 0.5), np.full(2, 0.5), epsilon=0.05).plan.round(3)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    kernel = np.exp((cost.min(1, keepdims=True) - cost) / np.asarray(epsilon, cost.dtype))
    tiny = np.finfo(kernel.dtype).tiny
    v = np.ones_like(b) if start is None else start
    u, error = a, np.inf
    for step in range(1, max_iterations + 1):
        rows = kernel @ v
        if step > 1 and (step % 5 == 1 or step == max_iterations):
            error = float(np.abs(u * rows - a).sum())
            if error <= tolerance:
                break
        u = a / np.maximum(rows, tiny)
        v = b / np.maximum(kernel.T @ u, tiny)
    return Scaled(kernel * u[:, None] * v, error, v)
