"""Learning the velocity field: the GENOT loss without reweighting (Eq. 4, first term), Algorithm 1's loop."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array, Float

from bridgeviz import _checks as check
from bridgeviz.couplings import Coupling, LocalCoupling
from bridgeviz.flows.config import FlowConfig
from bridgeviz.flows.flow import Flow, Scaling
from bridgeviz.flows.velocity import VELOCITIES
from bridgeviz.problem import Problem


class TrainingError(RuntimeError):
    """Training could not go on; the message says at which step and what to try."""


class Progress(NamedTuple):
    """After each compiled chunk: steps done, this chunk's losses (one a step), the flow as it stands."""

    step: int
    losses: np.ndarray
    flow: Flow


class _State(NamedTuple):
    step: Any
    params: Any
    adam: Any


def interpolate(y: Float[Array, "b q"], z: Float[Array, "b q"], t: Float[Array, " b"]) -> tuple[Array, Array]:
    """The point `t y + (1 - t) z` between noise and target, and what the velocity there is regressed on, `y - z`.

    Target minus *noise* (Eq. 4): the flow starts at noise and is only conditioned on the source.
    """
    t = t[:, None]
    return t * y + (1 - t) * z, y - z


def genot_loss(velocity: Any, x: Array, y: Array, z: Array, t: Array) -> Float[Array, ""]:
    """`|v_t(t y + (1 - t) z | x) - (y - z)|^2` (Eq. 4), averaged over the batch and the q dimensions.

    In standardised units: a velocity of zero scores about 2.
    """
    point, direction = interpolate(y, z, t)
    return jnp.mean((velocity(t, point, x) - direction) ** 2)


_adam = optax.scale_by_adam()


@partial(jax.jit, static_argnames=("graph", "batch_size", "length"), donate_argnames=("state",))
def _chunk(graph, state: _State, sampler, x, y, key, learning_rate, steps, stop, *, batch_size: int, length: int):
    """Steps `state.step` to `stop` as one compiled program; losses fill the first places of (length,)."""

    def step(k, carry):
        state, losses = carry
        draw, noise, time = jax.random.split(jax.random.fold_in(key, state.step), 3)
        i, j = sampler.draw(draw, batch_size)
        z = jax.random.normal(noise, (batch_size, y.shape[1]), y.dtype)
        t = jax.random.uniform(time, (batch_size,), y.dtype)
        loss, grads = jax.value_and_grad(lambda params: genot_loss(nnx.merge(graph, params), x[i], y[j], z, t))(
            state.params
        )
        updates, adam = _adam.update(grads, state.adam)
        rate = learning_rate * 0.5 * (1 + jnp.cos(jnp.pi * state.step / steps))
        params = jax.tree.map(lambda p, u: p - rate * u, state.params, updates)
        return _State(state.step + 1, params, adam), losses.at[k].set(loss)

    return jax.lax.fori_loop(0, stop - state.step, step, (state, jnp.zeros(length, y.dtype)))


def fit(problem: Problem, plan: Coupling | LocalCoupling, config: FlowConfig | None = None) -> Iterator[Progress]:
    """Learn the conditional flow of a coupling; yields after every compiled chunk. Stop iterating to cancel.

    Each step draws (i, j) from `plan`, noise z ~ N(0, I_q) and t ~ U[0, 1], and regresses the velocity at
    `t y_j + (1 - t) z`, conditioned on x_i, on `y_j - z` (Eq. 4). Both spaces are standardised first, and the flow
    maps back. The same seed gives the same losses.

    Args:
        problem: its `source.x` and `target.x` are the points that the plan couples.
        plan: of any strategy.
        config: settings; None takes the defaults.

    Raises:
        InputError: the plan's shape is not the problem's, or the plan has no mass.
        TrainingError: the loss became NaN or infinite.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=60)
    >>> plan = bv.couplings.true(problem.truth, shape=problem.shape)
    >>> for progress in fit(problem, plan, FlowConfig(steps=20, chunk_size=10)):
    ...     print(progress.step, progress.losses.shape)
    10 (10,)
    20 (10,)
    """
    config = FlowConfig() if config is None else config
    for value, name, kind in ((problem, "problem", Problem), (config, "config", FlowConfig)):
        if not isinstance(value, kind):
            raise check.fail(name, "fit", f"a {kind.__name__}", check.describe(value))
    if not isinstance(plan, (Coupling, LocalCoupling)):
        raise check.fail("plan", "fit", "a coupling, made by bv.couplings", check.describe(plan))
    if plan.shape != problem.shape:
        raise check.fail("plan", "fit", f"a coupling of shape {problem.shape}, the problem's", f"shape {plan.shape}")
    if plan.mass is not None and not plan.mass > 0:
        raise check.fail("plan", "fit", "a coupling with mass", f"mass {plan.mass}", "Raise tau or epsilon.")
    return _fit(problem, plan, config)


def _fit(problem: Problem, plan: Coupling | LocalCoupling, config: FlowConfig) -> Iterator[Progress]:
    source, target = Scaling.of(problem.source.x), Scaling.of(problem.target.x)
    x = jnp.asarray(source.standardise(problem.source.x), jnp.float32)
    y = jnp.asarray(target.standardise(problem.target.x), jnp.float32)
    weights, draws = jax.random.split(jax.random.key(config.seed))
    graph, params = init_velocity(config.velocity, x.shape[1], y.shape[1], weights)
    state = _State(jnp.zeros((), jnp.int32), params, _adam.init(params))
    sampler = plan.sampler()
    done = 0
    while done < config.steps:
        stop = min(done + config.chunk_size, config.steps)
        state, losses = _chunk(
            graph, state, sampler, x, y, draws, config.learning_rate, config.steps, stop,
            batch_size=config.batch_size, length=config.chunk_size,
        )  # fmt: skip
        losses = np.asarray(losses)[: stop - done]
        if not np.isfinite(losses).all():
            at = done + int(np.argmin(np.isfinite(losses))) + 1
            raise TrainingError(
                f"The loss became {losses[at - done - 1]} at step {at} of {config.steps}. Try a smaller learning rate "
                f"than {config.learning_rate:g}, for example {config.learning_rate / 10:g}."
            )
        done = stop
        # The next chunk donates the state's buffers, so what is handed out is a copy.
        yield Progress(done, losses, Flow(config, graph, jax.tree.map(jnp.copy, state.params), source, target))


def init_velocity(name: str, p: int, q: int, key: jax.Array) -> tuple[nnx.GraphDef, Any]:
    """The structure and the initial parameters of a velocity field."""
    abstract = nnx.eval_shape(lambda: VELOCITIES[name](p, q, nnx.Rngs(0)))
    return nnx.split(abstract, nnx.Param)[0], _init_params(key, name=name, p=p, q=q)


@partial(jax.jit, static_argnames=("name", "p", "q"))
def _init_params(key: jax.Array, *, name: str, p: int, q: int):
    return nnx.split(VELOCITIES[name](p, q, nnx.Rngs(params=key)), nnx.Param)[1]
