"""How fast flows are trained and followed, beside their rivals in the same run."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import nnx

from bridgeviz import couplings, datasets, flows, metrics
from bridgeviz._files import write_text
from bridgeviz.experiments import rivals
from bridgeviz.experiments.run import device
from bridgeviz.flows import training
from bridgeviz.problem import Problem, Space

DIMENSIONS = {"MNIST": (16, 4), "ImageNet": (768, 384)}
SIZES = {"adaln-small": 50, "adaln-medium": 20, "adaln-large": 2}
"""Velocity fields and the steps of a measured chunk."""

ROUNDS = 7
BATCH = 256
PRECISION_STEPS, PRECISION_SEEDS = 1000, range(5)
PEAK = {"NVIDIA H200": 989e12, "NVIDIA H100": 989e12, "NVIDIA A100": 312e12}
"""Dense bfloat16 matrix operations a second, by the start of the device's name (vendor's data sheets)."""


def measure(*, folder: Path | None, readme: Path | None) -> Iterator[str]:
    """Measure everything, write the CSV, put its table into the README; a line for each row as it is known."""
    from bridgeviz.experiments.bench import write_block

    rows: list[dict[str, Any]] = []
    for make in (_steps, _outside, _second_run, _transport, _precisions, _gpu):
        for row in make():
            rows.append(row)
            yield f"{row['what']}: {row['value']:.4g} {row['unit']}" + (f" ({row['note']})" if row["note"] else "")
    table = pd.DataFrame(rows).assign(
        device=device(), machine=machine(), version=version("bridgeviz"), jax=version("jax")
    )
    folder = folder or datasets.paths.shipped() / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    on_gpu = jax.default_backend() == "gpu"
    write_text(folder / ("flows_gpu.csv" if on_gpu else "flows.csv"), table.to_csv(index=False))
    text = as_table(table)
    yield text
    readme = readme or datasets.paths.shipped().parent / "README.md"
    if readme.is_file():
        write_block(readme, "flows-gpu" if on_gpu else "flows", text)


def machine() -> str:
    """What the numbers belong to."""
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as about:
            names = [line.partition(":")[2].strip() for line in about if line.startswith("model name")]
        name = names[0] if names else name
    return f"{name}, {os.cpu_count()} cores"


def points(p: int, q: int, n: int = 2000, seed: int = 0) -> tuple[Problem, couplings.Coupling]:
    """Random points, each coupled with its partner: what they are does not matter to the speed."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, p)), rng.standard_normal((n, q))
    pairs = np.stack([np.arange(n)] * 2, axis=1)
    return Problem(Space(x), Space(y), truth=pairs), couplings.true(pairs, shape=(n, n))


def _steps() -> Iterator[dict[str, Any]]:
    for kind, (p, q) in DIMENSIONS.items():
        problem, plan = points(p, q)
        for velocity, chunk in SIZES.items():
            config = flows.FlowConfig(velocity=velocity, steps=10**6, batch_size=BATCH, chunk_size=chunk)
            given = (
                (problem.source.x, problem.target.x, np.stack([np.arange(len(problem.source))] * 2, axis=1)),
                velocity,
            )
            options = {"batch_size": BATCH, "chunk": chunk, "learning_rate": 1e-3}
            runs: dict[str, Iterator] = {
                "bridgeviz": flows.fit(problem, plan, config),
                "ott-jax": rivals.ott_steps(*given, **options, compiled_batch=False),
                "ott-jax, batch compiled as well": rivals.ott_steps(*given, **options, compiled_batch=True),
            }
            if find_spec("torchcfm") is not None:
                runs["torchcfm"] = rivals.torchcfm_steps(*given, **options)
            took = side_by_side({name: lambda run=run: next(run) for name, run in runs.items()})
            for name, seconds in took.items():
                ratio = statistics.median(other / ours for other, ours in zip(seconds, took["bridgeviz"], strict=True))
                note = "" if name == "bridgeviz" else f"{ratio:.2f} times bridgeviz"
                yield _row("step", f"{name}, {velocity}, {kind} {p} -> {q}", seconds, 1e3 / chunk, "ms", note, ratio)


def side_by_side(runs: dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Seconds of each call, one round after another, so that a noisy moment meets all; the first is thrown away."""
    took: dict[str, list[float]] = {name: [] for name in runs}
    for _ in repeat(None, rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            took[name].append(time.perf_counter() - start)
    return {name: seconds[1:] for name, seconds in took.items()}


def _outside() -> Iterator[dict[str, Any]]:
    """The whole step against the network alone, forward and backward on a batch that stays."""
    for kind, (p, q) in DIMENSIONS.items():
        problem, plan = points(p, q)
        for velocity, chunk in list(SIZES.items())[:2]:
            config = flows.FlowConfig(velocity=velocity, steps=10**6, batch_size=BATCH, chunk_size=chunk)
            run = flows.fit(problem, plan, config)
            graph, params = training.init_velocity(velocity, p, q, jax.random.key(0))
            x, y, z, t = (jnp.asarray(a[:BATCH], jnp.float32) for a in (
                problem.source.x, problem.target.x, problem.target.x[::-1], np.linspace(0, 1, BATCH)
            ))  # fmt: skip

            alone = partial(_network_alone, graph, params, x, y, z, t, chunk, training.parts_of(params, BATCH, None))
            took = side_by_side({"whole": partial(next, run), "network": lambda alone=alone: float(alone())})
            share = [1 - one / all_ for one, all_ in zip(took["network"], took["whole"], strict=True)]
            yield _row("outside", f"{velocity}, {kind} {p} -> {q}", share, 100, "%", "of the step, outside the network")


@partial(jax.jit, static_argnums=(0, 6, 7))
def _network_alone(graph, params, x, y, z, t, steps, parts):
    def of(params):
        return training.loss_in_parts(nnx.merge(graph, params), parts, x, y, z, t)

    def step(_, carry):
        params, total = carry
        loss, grads = jax.value_and_grad(of)(params)
        # Nothing but a hair of the gradient goes into the next turn, so that none is left out.
        return jax.tree.map(lambda a, b: a - 1e-12 * b, params, grads), total + loss

    return jax.lax.fori_loop(0, steps, step, (params, 0.0))[1]


def _second_run() -> Iterator[dict[str, Any]]:
    """From the call of `fit` to the first loss, on other data of the same shape."""
    p, q = DIMENSIONS["MNIST"]
    config = flows.FlowConfig(chunk_size=10, steps=10)
    took, compiled = [], []
    for seed in range(ROUNDS + 1):
        problem, plan = points(p, q, n=10_000, seed=seed)
        start = time.perf_counter()
        next(iter(flows.fit(problem, plan, config)))
        took.append(time.perf_counter() - start)
        compiled.append(_compilations())
    note = "no recompilation" if compiled[-1] == compiled[0] else f"{compiled[-1] - compiled[0]} recompilations"
    yield _row("second run", "fit to first losses (10 steps), other data, adaln-small", took[1:], 1, "s", note)


def _compilations() -> int:
    chunk: Any = training._chunk
    return chunk._cache_size()


def _transport() -> Iterator[dict[str, Any]]:
    p, q = DIMENSIONS["MNIST"]
    problem, plan = points(p, q, n=10_000)
    flow = next(iter(flows.fit(problem, plan, flows.FlowConfig(steps=10, chunk_size=10)))).flow
    runs = {"20 Heun steps": {"solver": "heun", "steps": 20}, "10 RK4 steps": {"solver": "rk4", "steps": 10}}
    took = side_by_side(
        {name: lambda options=options: flow.transport(problem.source.x, **options) for name, options in runs.items()}
    )
    for name, seconds in took.items():
        yield _row("transport", f"10,000 points, {name}, adaln-small", seconds, 1, "s", "")


def _precisions() -> Iterator[dict[str, Any]]:
    """Test accuracy on MNIST, learned from all true pairs in either precision."""
    problem = datasets.load("mnist")
    test, truth = problem.test, problem.truth
    assert test is not None
    assert truth is not None
    plan = couplings.true(truth, shape=problem.shape)
    x, labels = test.source.x[:1000], np.asarray(test.source.labels)[:1000]
    for precision in flows.PRECISIONS:
        found = []
        for seed in PRECISION_SEEDS:
            config = flows.FlowConfig(steps=PRECISION_STEPS, seed=seed, precision=precision)
            *_, last = flows.fit(problem, plan, config)
            y = last.flow.transport(x, seed=seed).states[-1]
            found.append(metrics.downstream_accuracy(problem.target, y, labels))
        what = f"{precision}, adaln-small, MNIST, {PRECISION_STEPS:,} steps"
        yield _row("test accuracy", what, found, 100, "%", f"{len(found)} seeds")


def _gpu() -> Iterator[dict[str, Any]]:
    """10,000 steps of adaLN-Large between ImageNet's dimensions, in either precision."""
    if jax.default_backend() != "gpu":
        return
    p, q = DIMENSIONS["ImageNet"]
    problem, plan = points(p, q)
    operations = 6 * BATCH * flows.parameter_count("adaln-large", p, q)  # a multiply-add forward, two backward
    peak = next((rate for name, rate in PEAK.items() if jax.devices()[0].device_kind.startswith(name)), None)
    for precision in flows.PRECISIONS:
        config = flows.FlowConfig(
            velocity="adaln-large", steps=10_000, batch_size=BATCH, learning_rate=1e-4, precision=precision,
            chunk_size=500,
        )  # fmt: skip
        run = iter(flows.fit(problem, plan, config))
        next(run)
        start = time.perf_counter()
        losses = [progress.losses for progress in run]
        seconds = (time.perf_counter() - start) * 10_000 / 9_500
        note = f"last losses {np.concatenate(losses)[-500:].mean():.4f}"
        if peak is not None:
            note += f"; {operations * 10_000 / seconds / peak:.1%} of the bfloat16 peak"
        yield _row("gpu", f"10,000 steps of adaln-large, {p} -> {q}, {precision}", [seconds], 1, "s", note)


def _row(
    group: str, what: str, seconds: list[float], scale: float, unit: str, note: str, ratio: float | None = None
) -> dict[str, Any]:
    values = [scale * one for one in seconds]
    return {
        "group": group, "what": what, "value": statistics.median(values), "least": min(values), "most": max(values),
        "unit": unit, "ratio": ratio, "note": note,
    }  # fmt: skip


def as_table(rows: pd.DataFrame) -> str:
    """Medians (smallest to largest) as Markdown."""
    lines = ["| what | median (smallest to largest) | |", "|---|---|---|"]
    for row in rows.to_dict("records"):
        spread = f"{row['value']:.3g} {row['unit']} ({row['least']:.3g} to {row['most']:.3g})"
        lines.append(f"| {row['group']}: {row['what']} | {spread} | {row['note']} |")
    said = f"{rows.machine.iloc[0]}; {rows.device.iloc[0]}; batch {BATCH}; {ROUNDS} rounds, one after another."
    return "\n".join([*lines, "", said])
