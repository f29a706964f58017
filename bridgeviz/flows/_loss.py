"""The U-GENOT regression loss (Eq. 4)."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.sharding import Mesh
from jaxtyping import Array, Float, PyTree

Velocity = Callable[[Array, Array, Array], Array]
"""(t, z, x) -> v_t(z | x)."""

SMALL = 1_000_000
"""Velocity fields with fewer parameters than this compute a batch in two halves."""


def interpolate(y: Float[Array, "b q"], z: Float[Array, "b q"], t: Float[Array, " b"]) -> tuple[Array, Array]:
    """The point `t y + (1 - t) z` between noise and target, and the velocity to regress on there, `y - z`.

    Target minus *noise* (Eq. 4): the flow starts at noise and is only conditioned on the source.
    """
    t = t[:, None]
    return t * y + (1 - t) * z, y - z


def genot_loss(
    velocity: Velocity, x: Array, y: Array, z: Array, t: Array, weights: Array | None = None
) -> Float[Array, ""]:
    """`|v_t(t y + (1 - t) z | x) - (y - z)|^2` (Eq. 4), averaged over the batch and the q dimensions.

    In standardised units, a velocity of zero scores about 2.

    Args:
        velocity: (t, z, x) -> v_t(z | x).
        x: (b, p) source points.
        y: (b, q) target points.
        z: (b, q) noise.
        t: (b,) times in [0, 1].
        weights: (b,) >= 0; None if all rows of the batch count the same.
    """
    point, direction = interpolate(y, z, t)
    errors = (velocity(t, point, x) - direction) ** 2
    if weights is None:
        return jnp.mean(errors)
    return weights @ errors.mean(1) / jnp.maximum(weights.sum(), 1.0)


def loss_in_parts(velocity: Velocity, parts: int, *batch: Array) -> Float[Array, ""]:
    """`genot_loss` as the mean over equal parts of the batch, which XLA computes in parallel."""
    split = zip(*(jnp.split(array, parts) for array in batch), strict=True)
    return jnp.mean(jnp.stack([genot_loss(velocity, *part) for part in split]))


def parts_of(params: PyTree[Array], batch_size: int, mesh: Mesh | None) -> int:
    """The number of parts in which to compute a batch: 2 for a small field on a CPU, else 1.

    XLA does not split matrix products as small as those of adaLN-Small among its threads; larger fields keep all
    threads busy.
    """
    small = sum(leaf.size for leaf in jax.tree.leaves(params)) < SMALL
    return 2 if small and mesh is None and batch_size % 2 == 0 and jax.default_backend() == "cpu" else 1
