"""Reweighting functions: how much mass an unbalanced plan leaves at each point (Eq. 4, second line; Appendix L.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from bridgeviz.flows._field import Stack

WIDTH, LAYERS = 128, 3
_ONE = float(np.log(np.e - 1))
"""softplus(_ONE) is 1."""


class Reweighting(nnx.Module):
    """eta(x) >= 0, or xi(y): an MLP that ends in a softplus and starts at 1.

    Args:
        p: dimensions of the space.
        rngs: random keys for the initial parameters.
    """

    def __init__(self, p: int, *, rngs: nnx.Rngs):
        self.hidden = Stack(p, WIDTH, layers=LAYERS, dtype=None, rngs=rngs)
        self.out = nnx.Linear(
            WIDTH, 1, kernel_init=nnx.initializers.zeros, bias_init=nnx.initializers.constant(_ONE), rngs=rngs
        )

    def __call__(self, x: Float[Array, "b p"]) -> Float[Array, " b"]:
        """The mass of each point, divided by the mean mass."""
        return nnx.softplus(self.out(self.hidden(x)))[:, 0]


@dataclass(frozen=True, eq=False)
class Masses:
    """The learned reweighting functions (Appendix L.1), divided by their mean.

    Attributes:
        eta: parameters of the network of the source.
        xi: parameters of the network of the target.
        mean: mass of the plan, which is the mean of both functions.
    """

    eta: nnx.State
    xi: nnx.State
    mean: float


def reweighting_loss(eta: Callable[[Array], Array], x: Array, mass: Array) -> Float[Array, ""]:
    """`E_x [(eta_theta(x) - eta(x))^2]` (Eq. 4)."""
    return jnp.mean((eta(x) - mass) ** 2)


def structure(p: int) -> tuple[nnx.GraphDef, nnx.State]:
    """The graph of a reweighting network, and the shapes of its parameters."""
    return nnx.split(nnx.eval_shape(lambda: Reweighting(p, rngs=nnx.Rngs(0))), nnx.Param)


@partial(jax.jit, static_argnames=("p",))
def init_params(key: jax.Array, *, p: int) -> nnx.State:
    """Initial parameters."""
    return nnx.split(Reweighting(p, rngs=nnx.Rngs(params=key)), nnx.Param)[1]


@partial(jax.jit, static_argnums=0)
def evaluate(graph: nnx.GraphDef, params: nnx.State, x: Array) -> Array:
    """The mass of each point, divided by the mean mass."""
    return nnx.merge(graph, params)(x)
