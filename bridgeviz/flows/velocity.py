"""The velocity fields of Table 1, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from importlib.util import find_spec
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from bridgeviz.flows.adaln import AdaLN
from bridgeviz.flows.field import VelocityField
from bridgeviz.flows.mlp import MLP

VELOCITIES: dict[str, Callable[..., VelocityField]] = {
    "adaln-small": partial(AdaLN, d=128, blocks=5),
    "adaln-medium": partial(AdaLN, d=256, blocks=7),
    "adaln-large": partial(AdaLN, d=1024, blocks=8),
    "mlp-small": partial(MLP, d=256, embedding=1, joint=3),
    "mlp-medium": partial(MLP, d=512, embedding=2, joint=4),
    "mlp-large": partial(MLP, d=1680, embedding=4, joint=4),
}
"""Table 1: (p, q, dtype=, rngs=) -> a `VelocityField`, called as v(t, z, x).

Table 1 says 0.7, 3 and 49 million parameters for each kind, and not between which dimensions. Between ImageNet's 768
and 384, `parameter_count` gives 0.67, 2.9 and 46.8 million (adaLN) and 0.74, 3.2 and 45.1 million (MLP). Of an MLP, the
table gives all N layers; how many of them embed and how many join is chosen here, so that the counts agree.
"""

PRECISIONS = {"float32": None, "bfloat16": jnp.bfloat16}
"""Of the network's arithmetic. Parameters, their gradients and the optimiser are float32 in either."""


def default_velocity() -> str:
    """The largest field that this machine trains while somebody waits: "adaln-large" on a GPU, else "adaln-small"."""
    plugins = find_spec("jax_plugins")  # without one there is no GPU to ask for, and asking takes a moment
    return "adaln-large" if plugins is not None and jax.default_backend() == "gpu" else "adaln-small"


def parameter_count(name: str, p: int, q: int) -> int:
    """How many numbers the velocity field of that name learns between p and q dimensions."""
    return sum(leaf.size for leaf in jax.tree.leaves(structure(name, p, q)[1]))


def structure(name: str, p: int, q: int, precision: str = "float32") -> tuple[nnx.GraphDef, Any]:
    """The graph of a velocity field, and its parameters as shapes without numbers."""
    graph, params = structure_of(VELOCITIES[name], p, q, precision)
    return graph, jax.tree.map(lambda leaf: leaf, params)


@lru_cache(maxsize=32)  # tracing the making of a module takes a tenth of a second
def structure_of(make: Callable[..., VelocityField], p: int, q: int, precision: str) -> tuple[nnx.GraphDef, Any]:
    """As `structure`, of what a registry's entry makes."""
    return nnx.split(nnx.eval_shape(lambda: make(p, q, dtype=PRECISIONS[precision], rngs=nnx.Rngs(0))), nnx.Param)


def init_velocity(name: str, p: int, q: int, key: jax.Array, precision: str = "float32") -> tuple[nnx.GraphDef, Any]:
    """The graph of a velocity field, and its initial parameters."""
    return structure(name, p, q, precision)[0], _init_params(key, name=name, p=p, q=q)


@partial(jax.jit, static_argnames=("name", "p", "q"))
def _init_params(key: jax.Array, *, name: str, p: int, q: int):
    return nnx.split(VELOCITIES[name](p, q, rngs=nnx.Rngs(params=key)), nnx.Param)[1]
