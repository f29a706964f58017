"""What stays the same from step to step of one training: the data, the networks and the settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from bridgeviz.flows import _reweighting as reweighting
from bridgeviz.flows._checkpoints import fingerprint
from bridgeviz.flows._config import FlowConfig
from bridgeviz.flows._flow import Flow
from bridgeviz.flows._held_out import HeldOut
from bridgeviz.flows._linear_map import LinearMap, fit_to_plan
from bridgeviz.flows._loss import parts_of
from bridgeviz.flows._networks import Networks, init_velocity, structure
from bridgeviz.flows._parallel import agreed, check_same, here
from bridgeviz.flows._progress import Progress, TrainingError
from bridgeviz.flows._reweighting import Masses
from bridgeviz.flows._row_means import row_means
from bridgeviz.flows._scaling import Scaling
from bridgeviz.flows._selection import Selection
from bridgeviz.flows._step import Data, Offsets, Params, Schedule, State, run_chunk
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    from bridgeviz.couplings import Plan, Sampler

HOLDOUT = 0.1
"""The share of the rows that "auto" holds out."""

MOST_COMPARED = 4000
"""Target rows that are compared to see whether many are equal; of more, a sample is drawn."""


@dataclass(frozen=True, eq=False)
class Training:
    """One training: what is learned from what, and how.

    Attributes:
        config: settings.
        networks: what is learned.
        x, y: (n, p) and (m, q) points, standardised.
        source, target: scalings of both spaces.
        sampler: draws row numbers from the plan.
        mass: mass of the plan.
        mesh: devices that share each batch; None for one device.
        base: the linear map whose residual is learned; None if the target itself is.
        offsets: its predictions for the source rows.
        held_out: rows that are not learned from; None if there are none.
    """

    config: FlowConfig
    networks: Networks
    x: jax.Array
    y: jax.Array
    source: Scaling
    target: Scaling
    sampler: Sampler
    mass: float
    mesh: Mesh | None
    base: LinearMap | None
    offsets: Offsets | None
    held_out: HeldOut | None

    @classmethod
    def of(cls, problem: Problem, plan: Plan, config: FlowConfig, mesh: Mesh | None) -> Training:
        """The training of a coupling's flow; masses are learned if the plan is unbalanced, or as the config says."""
        source, target = (Scaling.of(space.x, space.weights) for space in (problem.source, problem.target))
        x = jnp.asarray(source.standardise(problem.source.x), jnp.float32)
        y = jnp.asarray(target.standardise(problem.target.x), jnp.float32)
        unbalanced = plan.tau is not None and plan.tau != (1.0, 1.0)
        masses = unbalanced if config.reweight is None else config.reweight
        networks = Networks.of(config.velocity, x.shape[1], y.shape[1], precision=config.precision, masses=masses)
        base = rows = held_out = None
        linear, share = _regularised(config, problem.target.x)
        if linear or share:
            standard = [
                side.standardise(space.x) for side, space in ((source, problem.source), (target, problem.target))
            ]
            means = row_means(plan, standard[1], seed=config.seed)
            if linear:
                base, rows = fit_to_plan(means, *standard, units=source.std, seed=config.seed)
            held_out = HeldOut.of(means, x, rows, base, share=share, seed=config.seed)
        return cls(
            config=config, networks=networks, x=x, y=y, source=source, target=target, sampler=plan.sampler(),
            mass=float(plan.mass), mesh=mesh, base=base, held_out=held_out,
            offsets=None if base is None or rows is None else Offsets.of(rows, base.scale),
        )  # fmt: skip

    @cached_property
    def marks(self) -> dict[str, str]:
        """Fingerprints of the data, by name."""
        return {
            "source": fingerprint(self.x, self.source.mean, self.source.std),
            "target": fingerprint(self.y, self.target.mean, self.target.std),
            "coupling": fingerprint(*jax.tree.leaves(self.sampler), text=self.sampler.settings),
        }

    def start(self) -> tuple[State, jax.Array]:
        """The state before the first step, and the random key of all draws."""
        weights, draws = jax.random.split(jax.random.key(self.config.seed))
        p, q = self.x.shape[1], self.y.shape[1]
        params = {"velocity": init_velocity(self.config.velocity, p, q, weights)[1]}
        if self.networks.learn_masses:
            params["eta"] = reweighting.init_params(jax.random.fold_in(weights, 0), p=p)
            params["xi"] = reweighting.init_params(jax.random.fold_in(weights, 1), p=q)
        return State.initial(params, average=self.config.ema is not None), draws

    def data(self) -> Data:
        """What each step reads; with a mesh, the same in every process.

        Raises:
            InputError: the processes have other data or settings.
        """
        kept = None
        if self.held_out is not None:
            kept = jnp.ones(len(self.x), jnp.float32).at[self.held_out.rows].set(0.0)
        data = Data(self.sampler, self.x, self.y, np.float32(self.mass), self.offsets, kept)
        if self.mesh is None:
            return data
        check_same(
            {"source": self.marks["source"], "target": self.marks["target"]}
            | {"settings": fingerprint(text=repr(self.config))}
        )
        return agreed(data)

    def advance(
        self, state: State, data: Data, key: jax.Array, done: int, stop: int
    ) -> tuple[State, np.ndarray, Params]:
        """Steps `done` to `stop`: the new state, the (stop - done, 2) losses, and a copy of the learned weights."""
        config = self.config
        schedule = Schedule(config.learning_rate, config.ema or 0.0, config.steps, config.weight_decay)
        state, losses, learned = run_chunk(
            self.networks, state, data, key, schedule, stop,
            batch_size=config.batch_size, parts=self.parts, length=config.chunk_size, mesh=self.mesh,
        )  # fmt: skip
        return state, np.asarray(losses)[: stop - done], learned

    @cached_property
    def parts(self) -> int:
        """The number of parts in which a batch is computed."""
        shapes = structure(self.config.velocity, self.x.shape[1], self.y.shape[1])[1]
        return parts_of(shapes, self.config.batch_size, self.mesh)

    def flow(self, params: Params) -> Flow:
        """The flow with these weights."""
        params = here(params, self.mesh)
        masses = Masses(params["eta"], params["xi"], self.mass) if self.networks.learn_masses else None
        return Flow(
            config=self.config, graph=self.networks.graphs["velocity"], params=params["velocity"], source=self.source,
            target=self.target, masses=masses, base=self.base,
        )  # fmt: skip

    def selection(self, params: Params, before: Selection | None = None) -> Selection | None:
        """The best weights on held-out rows, after a chunk that ended with these; None if no rows are held out."""
        if self.held_out is None:
            return None
        params = jax.tree.map(jnp.copy, here(params, self.mesh))
        errors = self.held_out.errors(self.networks.graphs["velocity"], params["velocity"])
        return Selection.start(errors, params) if before is None else before.then(errors, params)

    def ends(self, losses: np.ndarray, selection: Selection | None) -> bool:
        """Whether the training is over after these (steps, 2) losses."""
        patience = self.config.patience
        stalled = selection is not None and patience and selection.exhausted(patience / self.config.chunk_size)
        return len(losses) >= self.config.steps or bool(stalled)

    def progress(
        self, losses: np.ndarray, chunk: np.ndarray, flow: Flow, selection: Selection | None, notice: str
    ) -> Progress:
        """The report of a chunk with these (steps, 2) losses, which are the last of all."""
        return Progress(
            step=len(losses), losses=chunk[:, 0], flow=flow, notice=notice,
            mass_losses=chunk[:, 1] if self.networks.learn_masses else None,
            held_out=None if selection is None else float(selection.errors[-1]), last=self.ends(losses, selection),
        )  # fmt: skip

    def failure(self, step: int, what: str, flow: Flow | None) -> TrainingError:
        """The error for a training that failed at a step, after which `flow` is the last good one."""
        rate = self.config.learning_rate
        return TrainingError(
            f"The {what} at step {step} of {self.config.steps}. Try a smaller learning rate than {rate:g}, for example "
            f"{rate / 10:g}.",
            step=step,
            flow=flow,
        )


def _regularised(config: FlowConfig, y: np.ndarray) -> tuple[bool, float]:
    """Whether a linear map comes first, and the share of the rows to hold out.

    Where the pictures of a class share one target, a flow does not overfit within the usual steps, and a linear map
    before it changes little; it helps where every row has a target of its own.
    """
    sample = y[np.random.default_rng(0).permutation(len(y))[:MOST_COMPARED]]
    own = 2 * len(np.unique(sample, axis=0)) > len(sample)
    share = (HOLDOUT if own else 0.0) if config.holdout is None else config.holdout
    return config.base == "linear" or (config.base == "auto" and own), share
