"""How the two factors of a cost combine to its entries, for NumPy and JAX arrays alike.

JAX is imported only where its arrays come in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

LARGE = 2 * 10**9
"""Sums in a (min, +) product from which its fast form pays off even where numba compiles it first: 5 seconds of one
core, against 4 ns per sum in NumPy."""

BLOCK_BYTES = 2**20
"""The size of one block of a lazily computed matrix: small enough for a core's cache, on which `min_plus` depends."""


def min_plus(a: Any, b: Any, *, out: np.ndarray | None = None, large: int | None = None) -> Any:
    """`min_p a[i, p] + b[j, p]`: (r, g), (c, g) -> (r, c). NumPy in, NumPy out; JAX in, JAX out.

    Large NumPy products are computed by tiles that skip anchors (`_min_plus`), with equal results.

    Args:
        a: (r, g).
        b: (c, g).
        out: (r, c) for NumPy: where to put the result, instead of into a new array; rounded to its type.
        large: the number of sums from which a product is large; None takes `LARGE`.
    """
    if not isinstance(a, np.ndarray):
        return _namespace(a).min(a[:, None, :] + b[None, :, :], axis=-1)
    dtype = np.result_type(a, b)
    if out is None:
        out = np.empty((len(a), len(b)), dtype)
    tiles = out.size * a.shape[1] >= (LARGE if large is None else large)
    # Not with NaN, which comparisons lose, or -inf, whose sum with inf is NaN.
    if tiles and a.min() > -np.inf and b.min() > -np.inf:
        from bridgeviz.costs._min_plus import tiled_min_plus

        tiled_min_plus(a.astype(dtype, copy=False), b.astype(dtype, copy=False), out)
    else:
        step = max(1, BLOCK_BYTES // (dtype.itemsize * max(1, len(b))))
        for start in range(0, len(a), step):
            _plain_min_plus(a[start : start + step], b, out[start : start + step])
    return out


def _plain_min_plus(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    out[:] = np.inf
    for p in range(a.shape[1]):
        np.minimum(out, a[:, p, None] + b[None, :, p], out=out)


def neg_log_inner(a: Any, b: Any) -> Any:
    """`-log sum_p a[i, p] b[j, p]` for non-negative factors; finite where the sum underflows to 0."""
    return -_log_inner(a, b, FLOORS[neg_log_inner])


def neg_log_share(a: Any, b: Any) -> Any:
    """The same where the sums are shares of a row's mass, floored at 1e-12: the cost where no path leads."""
    return -_log_inner(a, b, FLOORS[neg_log_share])


FLOORS: dict[Callable[[Any, Any], Any], float] = {neg_log_inner: 1e-300, neg_log_share: 1e-12}
"""The least kernel `exp(-C)` by how the factors of a cost combine, where the kernel is their product."""


def one_minus_inner(a: Any, b: Any) -> Any:
    """`1 - <a_i, b_j>`: the cosine distance of rows of length one."""
    return 1 - a @ b.T


def inner(a: Any, b: Any) -> Any:
    """`<a_i, b_j>` where it is known to be >= 0, up to rounding."""
    product = a @ b.T
    return _namespace(product).maximum(product, 0)


def scale_rows(factor: Any, weights: np.ndarray) -> Any:
    """A dense or sparse factor with its rows multiplied by weights, in its own type."""
    weights = weights.astype(factor.dtype)
    if (weights == 1).all():
        return factor
    if sparse.issparse(factor):
        return sparse.csr_array(sparse.diags_array(weights) @ factor)
    return factor * weights[:, None]


def pick_columns(a: Any, b: Any) -> Any:
    """The columns of `a` whose numbers `b` (c, 1) holds: a plain matrix is its own source factor."""
    return a[:, b[:, 0].astype(int)]


def zero(a: Any, b: Any) -> Any:
    """Zero between all rows."""
    return 0.0 * (a @ b.T)


def _log_inner(a: Any, b: Any, floor: float) -> Any:
    product = a @ b.T
    if sparse.issparse(product):
        product = product.toarray()
    xp = _namespace(product)
    return xp.log(xp.maximum(product, max(floor, float(np.finfo(product.dtype).tiny))))


def _namespace(array: Any) -> Any:
    """`numpy` for its own arrays, else `jax.numpy`."""
    if isinstance(array, np.ndarray):
        return np
    import jax.numpy as jnp

    return jnp
