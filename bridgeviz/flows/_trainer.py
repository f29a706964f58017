"""Learning the velocity field and the reweighting functions: Algorithm 1's training loop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from bridgeviz import _checks as check
from bridgeviz.couplings import Plan
from bridgeviz.flows._config import FlowConfig
from bridgeviz.flows._keeper import Checkpoint, Keeper
from bridgeviz.flows._parallel import check_mesh, everywhere
from bridgeviz.flows._progress import Progress
from bridgeviz.flows._step import Params
from bridgeviz.flows._training import Training
from bridgeviz.problem import Problem


def fit(
    problem: Problem,
    plan: Plan,
    config: FlowConfig | None = None,
    *,
    checkpoints: str | Path | None = None,
    every: int = 10,
    seconds: float = 0.0,
    mesh: Mesh | None = None,
) -> Iterator[Progress]:
    """Learn the conditional flow of a coupling; yields after every compiled chunk. Stop iterating to cancel.

    Each step draws (i, j) from `plan`, noise z ~ N(0, I_q) and t ~ U[0, 1], and regresses the velocity at
    `t y_j + (1 - t) z`, conditioned on x_i, on `y_j - z` (Eq. 4). For an unbalanced plan it also learns how much mass
    each point keeps, `eta(x_i) = n pi_X[i]` and `xi(y_j) = m pi_Y[j]` (Appendix L.1). Both spaces are standardised
    first, and the flow maps back. The same seed gives the same losses.

    Args:
        problem: its `source.x` and `target.x` are the points that the plan couples.
        plan: a coupling, from any strategy.
        config: settings; None takes the defaults.
        checkpoints: a folder for the state of the training. If it holds the state of a training with the same settings
            and data, that training is resumed: its steps so far come as one `Progress`, and the result is the same,
            bit for bit, as without the interruption. The folder remains after the training.
        every: chunks between two checkpoints.
        seconds: least time between two checkpoints.
        mesh: devices that share each batch (`flows.mesh`); None takes one device.

    Raises:
        InputError: the plan's shape is not the problem's, the plan has no mass, or the checkpoints belong to another
            training.
        TrainingError: a loss or the weights became NaN or infinite; the error holds the last good flow.

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
    if not isinstance(plan, Plan):
        raise check.fail("plan", "fit", "a coupling, made by bv.couplings", check.describe(plan))
    if plan.shape != problem.shape:
        raise check.fail("plan", "fit", f"a coupling of shape {problem.shape}, the problem's", f"shape {plan.shape}")
    if not 0 < plan.mass < np.inf:
        raise check.fail("plan", "fit", "a coupling with mass", f"mass {plan.mass}", "Raise tau or epsilon.")
    every = check.count(every, "every", "fit")
    seconds = check.real(seconds, "seconds", "fit", "a float >= 0")
    mesh = None if mesh is None else check_mesh(mesh, config.batch_size)
    training = Training.of(problem, plan, config, mesh)
    return _train(training, Keeper(checkpoints, config, lambda: training.marks, every=every, seconds=seconds))


def _train(training: Training, keeper: Keeper) -> Iterator[Progress]:
    """Algorithm 1's loop, from the newest checkpoint or from the start."""
    config = training.config
    state, key = training.start()
    data = training.data()
    with keeper:
        state, losses, selection = keeper.resume(state, training.selection(state.learned))
        state, data, key = everywhere((state, data, key), training.mesh)
        flow = previous = None
        if len(losses):
            learned = jax.tree.map(jnp.copy, state.learned)
            flow = training.flow(learned if selection is None else selection.best)
            yield training.progress(losses, losses, flow, selection, keeper.notice)
        while not training.ends(losses, selection):
            done = len(losses)
            stop = min(done + config.chunk_size, config.steps)
            state, chunk, learned = training.advance(state, data, key, done, stop)
            finite = np.isfinite(chunk).all(1)
            if not finite.all():
                bad = int(finite.argmin())
                if bad == 0:  # this loss was measured with the weights that the previous chunk ended with
                    flow = previous
                    keeper.drop(done)
                raise training.failure(done + bad + 1, f"loss became {chunk[bad].sum()}", flow)
            if stop == config.steps and not _all_finite(learned):  # no later loss would reveal it
                raise training.failure(stop, "weights became infinite", flow)
            losses = np.concatenate([losses, chunk])
            selection = training.selection(learned, selection)
            keeper.keep(Checkpoint(state, losses, selection), last=training.ends(losses, selection))
            previous, flow = flow, training.flow(learned if selection is None else selection.best)
            yield training.progress(losses, chunk, flow, selection, keeper.notice)


def _all_finite(params: Params) -> bool:
    return all(bool(np.isfinite(leaf).all()) for leaf in jax.tree.leaves(params))
