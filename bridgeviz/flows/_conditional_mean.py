"""What a flow expects of a point: the mean of pi(. | x), without following the flow."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.flows._flow import Flow

BLOCK = 1024
"""Points computed at a time."""


def conditional_mean(
    flow: Flow, x: ArrayLike, *, draws: int = 16, seed: int = 0, shared: bool = False
) -> Float[np.ndarray, "n q"]:
    """The mean of the target given the source point, `E[y | x]`, from the velocity at t = 0.

    At t = 0 a point is pure noise, so the velocity that minimises the loss (Eq. 4) is `E[y | x] - z`, and `z + v_0(z |
    x)` is the mean for any z. A trained network only comes close to that, and its error varies with z: the average over
    several draws has less of it. One draw costs one evaluation of the network, where a transport takes dozens; and the
    mean is the prediction of least squared error, while transported points also have the spread of `pi(. | x)`.

    Args:
        flow: a trained flow.
        x: (n, p) source points, any n >= 1.
        draws: of the noise, per point.
        seed: of the noise.
        shared: whether all points get the same draws. A point's mean then does not depend on the others that are passed
            with it, but what error remains is no longer independent from point to point.

    Raises:
        InputError: x has other dimensions than the flow was trained on.
    """
    where = "conditional_mean"
    if not isinstance(flow, Flow):
        raise check.fail("flow", where, "a Flow", check.describe(flow))
    x = check.matrix(x, "x", where, columns=len(flow.source.mean), rows=1)
    draws, shared = check.count(draws, "draws", where), check.flag(shared, "shared", where)
    key = jax.random.key(check.seed(seed, "seed", where))
    scaled, q = flow._scaled(flow.source, x, "x", where), len(flow.target.mean)
    total = np.zeros((len(x), q))
    for start in range(0, len(x), BLOCK):
        part = scaled[start : start + BLOCK]
        for draw in range(draws):
            own = jax.random.fold_in(key, draw)
            if shared:
                z = jnp.broadcast_to(jax.random.normal(own, (q,), jnp.float32), (len(part), q))
            else:
                z = jax.random.normal(jax.random.fold_in(own, start), (len(part), q), jnp.float32)
            total[start : start + BLOCK] += np.asarray(_at_start(flow.graph, flow.params, part, z))
    return flow.target.restore(total / draws)


@partial(jax.jit, static_argnames="graph")
def _at_start(graph: nnx.GraphDef, params: nnx.State, x: Array, z: Array) -> Array:
    return z + nnx.merge(graph, params)(jnp.zeros(len(x)), z, x)
