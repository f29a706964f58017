"""The measurements of the benchmark of flows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from itertools import repeat
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from bridgeviz import couplings, flows, metrics
from bridgeviz.baselines import _training_loops as loops
from bridgeviz.experiments._evaluation import device
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.experiments.benchmarks._machine import machine
from bridgeviz.problem import Problem, Space

PEAK = {"NVIDIA H200": 989e12, "NVIDIA H100": 989e12, "NVIDIA A100": 312e12}
"""Dense bfloat16 operations per second by the start of the device's name (the vendor's data sheets)."""

LEARNING_RATE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Case:
    """One network between two spaces.

    Attributes:
        kind: the name of the dimensions.
        p, q: dimensions of source and target.
        velocity: a name in `flows.VELOCITIES`.
        chunk: training steps of a timed chunk.
        batch_size: pairs per step.
        rounds: of timing.
        rows: rows per side.
    """

    kind: str
    p: int
    q: int
    velocity: str
    chunk: int
    batch_size: int
    rounds: int
    rows: int

    def __str__(self) -> str:
        return f"{self.velocity}, {self.kind} {self.p} -> {self.q}"

    def training(self, problem: Problem, plan: couplings.Plan) -> Iterator[flows.Progress]:
        """Our training, which goes on for as long as it is iterated."""
        config = flows.FlowConfig(
            velocity=self.velocity, steps=10**6, batch_size=self.batch_size, learning_rate=LEARNING_RATE,
            chunk_size=self.chunk,
        )  # fmt: skip
        return iter(flows.fit(problem, plan, config))


def row_of(
    what: str, values: list[float], *, scale: float = 1.0, unit: str, note: str = "", ratio: float | None = None
) -> Row:
    """The median and range of some values as a row of the ledger."""
    scaled = [scale * value for value in values]
    return {
        "what": what, "value": statistics.median(scaled), "least": min(scaled), "most": max(scaled), "unit": unit,
        "ratio": ratio, "note": note, "device": device(), "machine": machine(), "jax": version("jax"),
    }  # fmt: skip


def random_points(p: int, q: int, *, rows: int, seed: int = 0) -> tuple[Problem, couplings.Plan]:
    """Random points, each coupled with its partner; their values do not matter to the speed."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((rows, p)), rng.standard_normal((rows, q))
    pairs = np.stack([np.arange(rows)] * 2, axis=1)
    return Problem(Space(x), Space(y), truth=pairs), couplings.true(pairs, shape=(rows, rows))


def side_by_side(runs: dict[str, Callable[[], Any]], *, rounds: int) -> dict[str, list[float]]:
    """Seconds of each call in each round.

    All are called in turn, so that a disturbance affects all of them. The first round, which compiles, is discarded.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in repeat(None, rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: values[1:] for name, values in seconds.items()}


def step_times(case: Case) -> Iterator[Row]:
    """Time per training step: ours, ott-jax's and torchcfm's (where it is installed)."""
    problem, plan = random_points(case.p, case.q, rows=case.rows)
    assert problem.truth is not None
    points = problem.source.x, problem.target.x, problem.truth
    options = {"batch_size": case.batch_size, "chunk": case.chunk, "learning_rate": LEARNING_RATE}
    velocity = flows.VELOCITIES[case.velocity]
    runs: dict[str, Iterator] = {
        "bridgeviz": case.training(problem, plan),
        "ott-jax": loops.ott_steps(points, velocity, **options, compiled_batch=False),
        "ott-jax, batch compiled as well": loops.ott_steps(points, velocity, **options, compiled_batch=True),
    }
    if find_spec("torchcfm") is not None and isinstance(velocity, flows.AdaLN):
        runs["torchcfm"] = loops.torchcfm_steps(points, velocity, **options)
    seconds = side_by_side({name: partial(next, run) for name, run in runs.items()}, rounds=case.rounds)
    for name, values in seconds.items():
        ratio = statistics.median(theirs / ours for theirs, ours in zip(values, seconds["bridgeviz"], strict=True))
        note = "" if name == "bridgeviz" else f"{ratio:.2f} times bridgeviz"
        yield row_of(f"{name}, {case}", values, scale=1e3 / case.chunk, unit="ms", note=note, ratio=ratio)


def share_outside_network(case: Case) -> list[Row]:
    """The share of a step that is not the network's forward and backward pass on a fixed batch."""
    problem, plan = random_points(case.p, case.q, rows=case.rows)
    size = case.batch_size
    graph, params = flows.init_velocity(case.velocity, case.p, case.q, jax.random.key(0))
    batch = (problem.source.x, problem.target.x, problem.target.x[::-1], np.linspace(0, 1, size))
    x, y, z, t = (jnp.asarray(array[:size], jnp.float32) for array in batch)
    parts = flows.parts_of(params, size, None)
    runs = {
        "whole": partial(next, case.training(problem, plan)),
        "network": lambda: float(_network_alone(graph, params, x, y, z, t, case.chunk, parts)),
    }
    seconds = side_by_side(runs, rounds=case.rounds)
    shares = [1 - network / whole for network, whole in zip(seconds["network"], seconds["whole"], strict=True)]
    return [row_of(str(case), shares, scale=100, unit="%", note="of the step, outside the network")]


@partial(jax.jit, static_argnums=(0, 6, 7))
def _network_alone(
    graph: nnx.GraphDef, params: nnx.State, x: jax.Array, y: jax.Array, z: jax.Array, t: jax.Array, steps: int,
    parts: int,
) -> jax.Array:  # fmt: skip
    def loss(params: nnx.State) -> jax.Array:
        return flows.loss_in_parts(nnx.merge(graph, params), parts, x, y, z, t)

    def step(_: int, carry: tuple[nnx.State, jax.Array]) -> tuple[nnx.State, jax.Array]:
        params, total = carry
        value, grads = jax.value_and_grad(loss)(params)
        # A tiny multiple of the gradient enters the next step, so that the compiler can't leave out any step.
        return jax.tree.map(lambda a, b: a - 1e-12 * b, params, grads), total + value

    return jax.lax.fori_loop(0, steps, step, (params, jnp.zeros(())))[1]


def time_to_first_losses(case: Case, rows: int) -> list[Row]:
    """From the call of `fit` to the first losses, on other data of the same shape."""
    config = flows.FlowConfig(chunk_size=10, steps=10)
    seconds, programs = [], []
    for seed in range(case.rounds + 1):
        problem, plan = random_points(case.p, case.q, rows=rows, seed=seed)
        start = time.perf_counter()
        next(iter(flows.fit(problem, plan, config)))
        seconds.append(time.perf_counter() - start)
        programs.append(flows.compilations())
    more = programs[-1] - programs[0]
    note = f"{more} recompilations" if more else "no recompilation"
    what = "fit to first losses (10 steps), other data, adaln-small"
    return [row_of(what, seconds[1:], unit="s", note=note)]


def transport_times(case: Case, rows: int) -> list[Row]:
    """Time to carry all points, with as many evaluations of the network by either solver."""
    problem, plan = random_points(case.p, case.q, rows=rows)
    flow = next(iter(flows.fit(problem, plan, flows.FlowConfig(steps=10, chunk_size=10)))).flow
    x = problem.source.x
    seconds = side_by_side(
        {
            "20 Heun steps": lambda: flow.transport(x, solver="heun", steps=20),
            "10 RK4 steps": lambda: flow.transport(x, solver="rk4", steps=10),
        },
        rounds=case.rounds,
    )
    return [row_of(f"{rows:,} points, {name}, adaln-small", values, unit="s") for name, values in seconds.items()]


def accuracies(problem: Problem, precision: str, *, steps: int, seeds: int) -> list[Row]:
    """Test accuracy of a flow that learned from all true pairs in one precision."""
    test, truth = problem.test, problem.truth
    assert test is not None
    assert test.source.labels is not None
    assert truth is not None
    plan = couplings.true(truth, shape=problem.shape)
    x, labels = test.source.x[:1000], test.source.labels[:1000]
    values = []
    for seed in range(seeds):
        *_, last = flows.fit(problem, plan, flows.FlowConfig(steps=steps, seed=seed, precision=precision))
        y = last.flow.transport(x, seed=seed).states[-1]
        values.append(metrics.downstream_accuracy(problem.target, y, labels))
    what = f"{precision}, adaln-small, {problem.name.upper()}, {steps:,} steps"
    return [row_of(what, values, scale=100, unit="%", note=f"{seeds} seeds")]


def long_training(p: int, q: int, precision: str, *, batch_size: int = 256) -> list[Row]:
    """The time of 10,000 steps of adaLN-Large, and its share of the device's peak."""
    problem, plan = random_points(p, q, rows=2000)
    config = flows.FlowConfig(
        velocity="adaln-large", steps=10_000, batch_size=batch_size, learning_rate=1e-4, precision=precision,
        chunk_size=500,
    )  # fmt: skip
    run = iter(flows.fit(problem, plan, config))
    next(run)
    start = time.perf_counter()
    losses = [progress.losses for progress in run]
    seconds = (time.perf_counter() - start) * 10_000 / 9_500
    note = f"last losses {np.concatenate(losses)[-500:].mean():.4f}"
    name = jax.devices()[0].device_kind
    peak = next((rate for start_of_name, rate in PEAK.items() if name.startswith(start_of_name)), None)
    if peak is not None:
        # A multiplication and an addition per parameter forward, and twice as many backward.
        operations = 6 * batch_size * flows.parameter_count("adaln-large", p, q) * 10_000
        note += f"; {operations / seconds / peak:.1%} of the bfloat16 peak"
    return [row_of(f"10,000 steps of adaln-large, {p} -> {q}, {precision}", [seconds], unit="s", note=note)]
