"""Reweighting networks: how much mass an unbalanced plan leaves each point (Eq. 4, second line; Appendix L.1)."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from bridgeviz.flows.field import Stack

WIDTH, LAYERS = 128, 3
_ONE = float(np.log(np.e - 1))
"""softplus of it is 1."""


class Reweighting(nnx.Module):
    """eta(x) >= 0, or xi(y): an MLP that ends in a softplus and starts at 1.

    Args:
        p: dimensions of the space.
    """

    def __init__(self, p: int, *, rngs: nnx.Rngs):
        self.hidden = Stack(p, WIDTH, layers=LAYERS, dtype=None, rngs=rngs)
        self.out = nnx.Linear(
            WIDTH, 1, kernel_init=nnx.initializers.zeros, bias_init=nnx.initializers.constant(_ONE), rngs=rngs
        )

    def __call__(self, x: Float[Array, "b p"]) -> Float[Array, " b"]:
        """The mass of each point, as a share of the mean mass."""
        return nnx.softplus(self.out(self.hidden(x)))[:, 0]


def reweighting_loss(eta: Any, x: Array, mass: Array) -> Float[Array, ""]:
    """`E_x [(eta_theta(x) - eta(x))^2]` (Eq. 4)."""
    return jnp.mean((eta(x) - mass) ** 2)


def structure(p: int) -> tuple[nnx.GraphDef, Any]:
    """The graph of a reweighting network, and its parameters as shapes without numbers."""
    return nnx.split(nnx.eval_shape(lambda: Reweighting(p, rngs=nnx.Rngs(0))), nnx.Param)


@partial(jax.jit, static_argnames=("p",))
def init_params(key: jax.Array, *, p: int) -> Any:
    """Initial parameters."""
    return nnx.split(Reweighting(p, rngs=nnx.Rngs(params=key)), nnx.Param)[1]
