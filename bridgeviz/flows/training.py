"""Learning the velocity field and the reweighting functions: the U-GENOT loss (Eq. 4), Algorithm 1's loop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.sharding import Mesh
from jaxtyping import Array, Float

from bridgeviz import _checks as check
from bridgeviz.couplings import Coupling, LocalCoupling
from bridgeviz.flows import reweighting
from bridgeviz.flows.checkpoints import Checkpoints, fingerprint
from bridgeviz.flows.config import FlowConfig
from bridgeviz.flows.flow import Flow, Masses, Scaling
from bridgeviz.flows.parallel import agreed, check_mesh, check_same, everywhere, from_leader, here, split
from bridgeviz.flows.velocity import VELOCITIES, init_velocity, structure_of
from bridgeviz.problem import Problem


class TrainingError(RuntimeError):
    """Training could not go on; the message says at which step and what to try.

    Attributes:
        step: at which the loss was no longer finite.
        flow: the last good one: a finite loss was measured with its weights; None where there was none.
    """

    def __init__(self, message: str, *, step: int = 0, flow: Flow | None = None):
        super().__init__(message)
        self.step, self.flow = step, flow


class Progress(NamedTuple):
    """After each compiled chunk.

    Attributes:
        step: steps done.
        losses: this chunk's, one a step: the flow's part of Eq. 4.
        flow: as it stands.
        mass_losses: this chunk's, of both reweighting functions; None where none are learned.
        notice: one sentence where checkpoints can't be written, else "".
    """

    step: int
    losses: np.ndarray
    flow: Flow
    mass_losses: np.ndarray | None = None
    notice: str = ""


class _State(NamedTuple):
    """What a step changes. `params` and `ema` hold a tree for each network: velocity, and eta and xi if learned."""

    step: Any
    params: dict[str, Any]
    adam: Any
    ema: dict[str, Any] | None


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


def loss_in_parts(velocity: Any, parts: int, *drawn: Array) -> Float[Array, ""]:
    """`genot_loss` as the mean over equal parts of the batch, which XLA computes side by side."""
    each = zip(*(jnp.split(array, parts) for array in drawn), strict=True)
    return jnp.mean(jnp.stack([genot_loss(velocity, *part) for part in each]))


def parts_of(params: Any, batch_size: int, mesh: Mesh | None) -> int:
    """Parts of a batch that are worth computing side by side: 2 for a small field on a CPU, else 1.

    XLA's threads do not share matrix products as small as those of adaLN-Small; larger fields keep them busy.
    """
    small = sum(leaf.size for leaf in jax.tree.leaves(params)) < SMALL
    return 2 if small and mesh is None and batch_size % 2 == 0 and jax.default_backend() == "cpu" else 1


SMALL = 1_000_000
"""Parameters of a velocity field below which a batch is computed in two halves."""

_adam = optax.scale_by_adam()


@partial(jax.jit, static_argnames=("networks", "batch_size", "parts", "length", "mesh"), donate_argnames=("state",))
def _chunk(
    networks, state: _State, data, key, rates, steps, stop, *,
    batch_size: int, parts: int, length: int, mesh: Mesh | None,
):  # fmt: skip
    """Steps `state.step` to `stop` as one compiled program.

    Gives the new state, the losses in the first places of (length, 2), and a copy of what is learned, which outlives
    the state: the next chunk donates its buffers.
    """
    graphs = networks.graphs
    sampler, x, y, mean = data
    learning_rate, decay = rates

    def loss(params, i, j, masses, z, t):
        learned = {name: nnx.merge(graphs[name], params[name]) for name in graphs}
        flow = loss_in_parts(learned["velocity"], parts, split(x[i], mesh), split(y[j], mesh), z, t)
        if masses is None:
            return flow, (flow, jnp.zeros(()))
        mass = reweighting.reweighting_loss(learned["eta"], x[masses.i], masses.eta / mean)
        mass += reweighting.reweighting_loss(learned["xi"], y[masses.j], masses.xi / mean)
        return flow + mass, (flow, mass)

    def step(k, carry):
        state, losses = carry
        draw, noise, time = jax.random.split(jax.random.fold_in(key, state.step), 3)
        masses = None
        if "eta" in graphs:
            i, j, masses = sampler.draw_with_masses(draw, batch_size)
        else:
            i, j = sampler.draw(draw, batch_size)
        z = split(jax.random.normal(noise, (batch_size, y.shape[1]), y.dtype), mesh)
        t = split(jax.random.uniform(time, (batch_size,), y.dtype), mesh)
        grads, both = jax.grad(loss, has_aux=True)(state.params, i, j, masses, z, t)
        updates, adam = _adam.update(grads, state.adam)
        rate = learning_rate * 0.5 * (1 + jnp.cos(jnp.pi * state.step / steps))
        params = jax.tree.map(lambda p, u: p - rate * u, state.params, updates)
        ema = state.ema
        if ema is not None:  # the plain mean of the first weights, until the decay is slower than that
            kept = jnp.minimum(decay, state.step / (state.step + 1.0))
            ema = jax.tree.map(lambda e, p: kept * e + (1 - kept) * p, ema, params)
        return _State(state.step + 1, params, adam, ema), losses.at[k].set(jnp.stack(both))

    state, losses = jax.lax.fori_loop(0, stop - state.step, step, (state, jnp.zeros((length, 2), y.dtype)))
    return state, losses, jax.tree.map(jnp.copy, state.params if state.ema is None else state.ema)


def fit(
    problem: Problem,
    plan: Coupling | LocalCoupling,
    config: FlowConfig | None = None,
    *,
    checkpoints: str | Path | None = None,
    every: int = 10,
    seconds: float = 0.0,
    mesh: Mesh | None = None,
) -> Iterator[Progress]:
    """Learn the conditional flow of a coupling; yields after every compiled chunk. Stop iterating to cancel.

    Each step draws (i, j) from `plan`, noise z ~ N(0, I_q) and t ~ U[0, 1], and regresses the velocity at
    `t y_j + (1 - t) z`, conditioned on x_i, on `y_j - z` (Eq. 4). Of an unbalanced plan it also learns how much mass
    each point keeps, `eta(x_i) = n pi_X[i]` and `xi(y_j) = m pi_Y[j]` (Appendix L.1). Both spaces are standardised
    first, and the flow maps back. The same seed gives the same losses.

    Args:
        problem: its `source.x` and `target.x` are the points that the plan couples.
        plan: of any strategy.
        config: settings; None takes the defaults.
        checkpoints: a folder that keeps the state of the training. Where it holds one of the same settings and data,
            training goes on from there, to the same end bit for bit, and what was learned before comes first, as one
            `Progress`. It is left there in the end.
        every: chunks from one checkpoint to the next.
        seconds: from one checkpoint to the next, at least, however fast the chunks are.
        mesh: of devices that share each batch (`flows.mesh`); None takes one device.

    Raises:
        InputError: the plan's shape is not the problem's, the plan has no mass, or the checkpoints belong to another
            training.
        TrainingError: the loss became NaN or infinite; it holds the last good flow.

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
    if not plan.mass > 0:
        raise check.fail("plan", "fit", "a coupling with mass", f"mass {plan.mass}", "Raise tau or epsilon.")
    every = check.count(every, "every", "fit")
    seconds = check.real(seconds, "seconds", "fit", "a float >= 0")
    mesh = None if mesh is None else check_mesh(mesh, config.batch_size)
    return _Training.of(problem, plan, config, mesh).run(checkpoints, every, seconds)


@dataclass(frozen=True, eq=False)
class Networks:
    """The graphs of all that is learned, by name. One object for equal ones: it is quick to hash for the compiler."""

    graphs: dict[str, nnx.GraphDef]

    @staticmethod
    @lru_cache(maxsize=32)
    def of(make: Any, p: int, q: int, precision: str, masses: bool) -> Networks:
        """The velocity field that `make` makes, and both reweighting functions if asked for."""
        graphs = {"velocity": structure_of(make, p, q, precision)[0]}
        if masses:
            graphs |= {"eta": reweighting.structure(p)[0], "xi": reweighting.structure(q)[0]}
        return Networks(graphs)


@dataclass(frozen=True, eq=False)
class _Training:
    """Everything that stays the same from step to step."""

    config: FlowConfig
    networks: Networks
    x: jax.Array
    y: jax.Array
    source: Scaling
    target: Scaling
    sampler: Any
    mean: float
    mesh: Mesh | None

    @classmethod
    def of(cls, problem: Problem, plan: Coupling | LocalCoupling, config: FlowConfig, mesh: Mesh | None) -> _Training:
        source, target = Scaling.of(problem.source.x), Scaling.of(problem.target.x)
        x = jnp.asarray(source.standardise(problem.source.x), jnp.float32)
        y = jnp.asarray(target.standardise(problem.target.x), jnp.float32)
        unbalanced = plan.tau is not None and plan.tau != (1.0, 1.0)
        masses = unbalanced if config.reweight is None else config.reweight
        networks = Networks.of(VELOCITIES[config.velocity], x.shape[1], y.shape[1], config.precision, masses)
        return cls(config, networks, x, y, source, target, plan.sampler(), float(plan.mass), mesh)

    @cached_property
    def data_marks(self) -> dict[str, str]:
        """Fingerprints of what is trained on, each by its name."""
        words = [f"{k}={v!r}" for k, v in vars(self.sampler).items() if _numbers(v)]
        return {
            "source": fingerprint(self.x, self.source.mean, self.source.std),
            "target": fingerprint(self.y, self.target.mean, self.target.std),
            "coupling": fingerprint(*jax.tree.leaves(self.sampler), said=" ".join(words)),
        }

    def begin(self) -> tuple[_State, jax.Array]:
        """The state before the first step, and the key of all draws."""
        weights, draws = jax.random.split(jax.random.key(self.config.seed))
        p, q = self.x.shape[1], self.y.shape[1]
        params = {"velocity": init_velocity(self.config.velocity, p, q, weights)[1]}
        if "eta" in self.networks.graphs:
            params |= {
                name: reweighting.init_params(jax.random.fold_in(weights, k), p=size)
                for k, (name, size) in enumerate((("eta", p), ("xi", q)))
            }
        ema = None if self.config.ema is None else jax.tree.map(jnp.copy, params)
        return _State(jnp.zeros((), jnp.int32), params, _adam.init(params), ema), draws

    def run(self, checkpoints: str | Path | None, every: int, seconds: float) -> Iterator[Progress]:
        """From the newest checkpoint, or from the start."""
        config = self.config
        state, draws = self.begin()
        parts = parts_of(state.params["velocity"], config.batch_size, self.mesh)
        data = self.sampler, self.x, self.y, np.float32(self.mean)
        losses = np.zeros((0, 2), np.float32)

        def like(step: int) -> _Kept:
            return _Kept(state, np.zeros((step, 2), np.float32))

        store: Checkpoints | None = None
        with ExitStack() as stack:

            def find(folder: str | Path) -> _Kept | None:
                nonlocal store
                store = stack.enter_context(closing(Checkpoints(folder, config, self.data_marks)))
                return store.latest(like)

            if self.mesh is not None:
                marks = self.data_marks | {"settings": fingerprint(said=repr(config))}
                check_same({name: mark for name, mark in marks.items() if name != "coupling"})
                data = agreed(data)
            found = None if checkpoints is None else from_leader(partial(find, checkpoints), like)
            if found is not None:
                state, losses = jax.tree.map(jnp.asarray, found.state), found.losses
            if self.mesh is not None:
                state, data, draws = everywhere((state, data, draws), self.mesh)
            done, flow, before, kept = len(losses), None, None, 0.0
            if done:
                flow = self.flow(jax.tree.map(jnp.copy, state.params if state.ema is None else state.ema))
                yield self.progress(done, losses, flow, store)
            while done < config.steps:
                stop = min(done + config.chunk_size, config.steps)
                state, chunk, learned = _chunk(
                    self.networks, state, data, draws, (config.learning_rate, config.ema or 0.0), config.steps, stop,
                    batch_size=config.batch_size, parts=parts, length=config.chunk_size, mesh=self.mesh,
                )  # fmt: skip
                chunk = np.asarray(chunk)[: stop - done]
                finite = np.isfinite(chunk).all(1)
                # No later loss will tell whether the last weights are finite.
                sound = stop < config.steps or all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(learned))
                if not (finite.all() and sound):
                    at = stop if finite.all() else done + int(finite.argmin()) + 1
                    if at == done + 1:  # the weights that the last chunk ended with were no good already
                        flow = before
                        if store is not None:
                            store.drop(done)
                    what = "weights became infinite" if finite.all() else f"loss became {chunk[at - done - 1].sum()}"
                    raise TrainingError(
                        f"The {what} at step {at} of {config.steps}. Try a smaller learning rate than "
                        f"{config.learning_rate:g}, for example {config.learning_rate / 10:g}.",
                        step=at, flow=flow,
                    )  # fmt: skip
                losses = np.concatenate([losses, chunk])
                done = stop
                kept = kept or time.monotonic()  # not from before the first chunk, which holds the compilation
                due = done // config.chunk_size % every == 0 and time.monotonic() - kept >= seconds
                if store is not None and (due or done == config.steps):
                    store.keep(done, _Kept(state, losses))
                    kept = time.monotonic()
                before, flow = flow, self.flow(learned)
                yield self.progress(done, chunk, flow, store)

    def progress(self, done: int, losses: np.ndarray, flow: Flow, store: Checkpoints | None) -> Progress:
        masses = losses[:, 1] if "eta" in self.networks.graphs else None
        return Progress(done, losses[:, 0], flow, masses, "" if store is None else store.notice)

    def flow(self, params: dict[str, Any]) -> Flow:
        if self.mesh is not None:
            params = here(params)
        masses = Masses(params["eta"], params["xi"], self.mean) if "eta" in params else None
        return Flow(self.config, self.networks.graphs["velocity"], params["velocity"], self.source, self.target, masses)


def _numbers(value: Any) -> bool:
    """Whether it is a plain number or a tuple of them, which say the same in every process."""
    return all(isinstance(one, (int, float)) for one in (value if isinstance(value, tuple) else (value,)))


class _Kept(NamedTuple):
    """What a checkpoint holds."""

    state: _State
    losses: np.ndarray
