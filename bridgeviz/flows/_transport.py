"""Following a velocity field from noise to target: `dz/dt = v_t(z | x)` from t = 0 to 1 (Eq. 12)."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from bridgeviz.flows._ode import OdeOptions

BLOCK = 1024
"""Points transported at a time: what they need at every step stays in the processor's cache."""


@partial(jax.jit, static_argnames=("graph", "solver"))
def follow(
    graph: nnx.GraphDef, params: nnx.State, x: Array, z: Array, ts: Array, *, solver: OdeOptions
) -> tuple[Array, Array]:
    """The (T, n, q) states at times ts from noise z, and whether the solver reached t = 1 with finite numbers."""
    states, solved = solver.solve(nnx.merge(graph, params), x, z, ts)
    return states, solved & jnp.isfinite(states).all()
