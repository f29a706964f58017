"""The networks that training learns: their structure, their initial parameters and their size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
from flax import nnx

from bridgeviz.flows import _reweighting as reweighting
from bridgeviz.flows._velocities import velocity_options
from bridgeviz.flows._velocity import VelocityOptions

DTYPES = {"float32": None, "bfloat16": jnp.bfloat16}
"""The type of the arithmetic for each name in `PRECISIONS`."""


def parameter_count(velocity: str | VelocityOptions, p: int, q: int) -> int:
    """The number of parameters of a velocity field between p and q dimensions.

    Args:
        velocity: a name in `VELOCITIES`, or a `VelocityOptions` object.
        p: dimensions of the source.
        q: dimensions of the target.
    """
    return sum(leaf.size for leaf in jax.tree.leaves(structure(velocity, p, q)[1]))


def structure(
    velocity: str | VelocityOptions, p: int, q: int, precision: str = "float32"
) -> tuple[nnx.GraphDef, nnx.State]:
    """The graph of a velocity field, and the shapes of its parameters."""
    graph, shapes = _structure(velocity_options(velocity), p, q, precision)
    return graph, jax.tree.map(lambda leaf: leaf, shapes)  # a copy, for callers that fill it


@lru_cache(maxsize=32)  # tracing the construction of a module takes a tenth of a second
def _structure(options: VelocityOptions, p: int, q: int, precision: str) -> tuple[nnx.GraphDef, nnx.State]:
    return nnx.split(nnx.eval_shape(lambda: options.make(p, q, dtype=DTYPES[precision], rngs=nnx.Rngs(0))), nnx.Param)


def init_velocity(
    velocity: str | VelocityOptions, p: int, q: int, key: jax.Array, precision: str = "float32"
) -> tuple[nnx.GraphDef, nnx.State]:
    """The graph of a velocity field, and its initial parameters.

    Args:
        velocity: a name in `VELOCITIES`, or a `VelocityOptions` object.
        p: dimensions of the source.
        q: dimensions of the target.
        key: random key for the parameters.
        precision: "float32" or "bfloat16".
    """
    return structure(velocity, p, q, precision)[0], _init_params(key, options=velocity_options(velocity), p=p, q=q)


@partial(jax.jit, static_argnames=("options", "p", "q"))
def _init_params(key: jax.Array, *, options: VelocityOptions, p: int, q: int) -> nnx.State:
    return nnx.split(options.make(p, q, rngs=nnx.Rngs(params=key)), nnx.Param)[1]


@dataclass(frozen=True, eq=False)
class Networks:
    """The graphs of all networks to learn: "velocity", and "eta" and "xi" if the masses are learned.

    Equal networks are the same object, so that the compiler hashes them by identity.
    """

    graphs: dict[str, nnx.GraphDef]

    @staticmethod
    def of(velocity: str | VelocityOptions, p: int, q: int, *, precision: str, masses: bool) -> Networks:
        """The velocity field, and both reweighting functions if `masses`."""
        return _networks(velocity_options(velocity), p, q, precision, masses)

    @property
    def learn_masses(self) -> bool:
        """Whether the reweighting functions are among them."""
        return "eta" in self.graphs


@lru_cache(maxsize=32)
def _networks(options: VelocityOptions, p: int, q: int, precision: str, masses: bool) -> Networks:
    graphs = {"velocity": _structure(options, p, q, precision)[0]}
    if masses:
        graphs |= {"eta": reweighting.structure(p)[0], "xi": reweighting.structure(q)[0]}
    return Networks(graphs)
