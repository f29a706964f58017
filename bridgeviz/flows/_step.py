"""The compiled training step, and the state that it changes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.sharding import Mesh
from jax.typing import ArrayLike
from jaxtyping import Array

from bridgeviz.flows._loss import loss_in_parts
from bridgeviz.flows._networks import Networks
from bridgeviz.flows._parallel import split
from bridgeviz.flows._reweighting import reweighting_loss

if TYPE_CHECKING:
    from bridgeviz.couplings import Sampler
    from bridgeviz.couplings._sampler import MassSample

Params = dict[str, nnx.State]
"""The parameters of each network: "velocity", and "eta" and "xi" if the masses are learned."""

_adam = optax.scale_by_adam()


class State(NamedTuple):
    """What a step changes. The names are those of the arrays in a checkpoint.

    Attributes:
        step: () number of steps done.
        params: weights of each network.
        adam: moments of the optimiser.
        ema: moving average of the weights; None without one.
    """

    step: Array
    params: Params
    adam: optax.OptState
    ema: Params | None

    @classmethod
    def initial(cls, params: Params, *, average: bool) -> State:
        """The state before the first step."""
        ema = jax.tree.map(jnp.copy, params) if average else None
        return cls(jnp.zeros((), jnp.int32), params, _adam.init(params), ema)

    @property
    def learned(self) -> Params:
        """The weights of the flow: the average if there is one, else the last ones."""
        return self.params if self.ema is None else self.ema


class Offsets(NamedTuple):
    """The predictions that are subtracted from the target.

    Attributes:
        rows: (n, q) prediction for each source row.
        scale: (q,) that the residual is divided by.
    """

    rows: Array
    scale: Array

    @classmethod
    def of(cls, rows: ArrayLike, scale: ArrayLike) -> Offsets:
        """These offsets on the device."""
        return cls(jnp.asarray(rows, jnp.float32), jnp.asarray(scale, jnp.float32))


class Data(NamedTuple):
    """What a step reads.

    Attributes:
        sampler: draws row numbers (i, j) from the plan.
        x: (n, p) source points, standardised.
        y: (m, q) target points, standardised.
        mean: () mass of the plan.
        offsets: what the flow learns the residual of; None if it learns the target itself.
        kept: (n,) 1 for source rows to learn from, 0 for those that are held out; None if none are.
    """

    sampler: Sampler
    x: Array
    y: Array
    mean: ArrayLike
    offsets: Offsets | None = None
    kept: Array | None = None


class Schedule(NamedTuple):
    """The rates of a training, which change from run to run without recompilation.

    Attributes:
        learning_rate: at the first step.
        decay: of the moving average; 0 without one.
        steps: number of steps after which the learning rate is zero.
        weight_decay: share of each weight matrix that a step removes, in units of the learning rate.
    """

    learning_rate: float
    decay: float
    steps: int
    weight_decay: float


@partial(jax.jit, static_argnames=("networks", "batch_size", "parts", "length", "mesh"), donate_argnames=("state",))
def run_chunk(
    networks: Networks, state: State, data: Data, key: Array, schedule: Schedule, stop: int, *,
    batch_size: int, parts: int, length: int, mesh: Mesh | None,
) -> tuple[State, Array, Params]:  # fmt: skip
    """Steps `state.step` to `stop`, as one compiled program.

    Returns:
        The new state; the losses of the flow and of the masses in the first rows of a (length, 2) array; and a copy
        of the learned weights, which stays valid when the next chunk reuses the buffers of the state.
    """
    graphs = networks.graphs
    sampler, x, y, mean, offsets, kept = data

    def loss(
        params: Params, i: Array, j: Array, masses: MassSample | None, z: Array, t: Array
    ) -> tuple[Array, tuple[Array, Array]]:
        models = {name: nnx.merge(graphs[name], params[name]) for name in graphs}
        end = y[j] if offsets is None else (y[j] - offsets.rows[i]) / offsets.scale
        batch = (split(x[i], mesh), split(end, mesh), z, t)
        batch = batch if kept is None else (*batch, split(kept[i], mesh))
        flow = loss_in_parts(models["velocity"], parts, *batch)
        if masses is None:
            return flow, (flow, jnp.zeros(()))
        mass = reweighting_loss(models["eta"], x[masses.i], masses.eta / mean)
        mass += reweighting_loss(models["xi"], y[masses.j], masses.xi / mean)
        return flow + mass, (flow, mass)

    def step(k: Array, carry: tuple[State, Array]) -> tuple[State, Array]:
        state, losses = carry
        draw, noise, time = jax.random.split(jax.random.fold_in(key, state.step), 3)
        masses = None
        if networks.learn_masses:
            i, j, masses = sampler.draw_with_masses(draw, batch_size)
        else:
            i, j = sampler.draw(draw, batch_size)
        z = split(jax.random.normal(noise, (batch_size, y.shape[1]), y.dtype), mesh)
        t = split(jax.random.uniform(time, (batch_size,), y.dtype), mesh)
        grads, terms = jax.grad(loss, has_aux=True)(state.params, i, j, masses, z, t)
        updates, adam = _adam.update(grads, state.adam)
        rate = schedule.learning_rate * 0.5 * (1 + jnp.cos(jnp.pi * state.step / schedule.steps))
        params = jax.tree.map(lambda p, u: p - rate * (u + _decayed(p, schedule.weight_decay)), state.params, updates)
        ema = state.ema
        if ema is not None:  # the plain mean of the first weights, until the decay is slower than that
            decay = jnp.minimum(schedule.decay, state.step / (state.step + 1.0))
            ema = jax.tree.map(lambda e, p: decay * e + (1 - decay) * p, ema, params)
        return State(state.step + 1, params, adam, ema), losses.at[k].set(jnp.stack(terms))

    state, losses = jax.lax.fori_loop(0, stop - state.step, step, (state, jnp.zeros((length, 2), y.dtype)))
    return state, losses, jax.tree.map(jnp.copy, state.learned)


def _decayed(weights: Array, decay: float) -> Array | float:
    """The pull of a weight matrix towards zero (Loshchilov and Hutter 2019); vectors, such as biases, have none."""
    return decay * weights if weights.ndim > 1 else 0.0


def compilations() -> int:
    """The number of programs that the training step has been compiled to in this process."""
    return run_chunk._cache_size()  # pyright: ignore[reportAttributeAccessIssue]
