"""The paper's figures on flows as data: what was asked, measured here, kept as CSV."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from bridgeviz import _checks as check
from bridgeviz import costs, couplings, datasets, flows, metrics
from bridgeviz._files import write_text
from bridgeviz.experiments.bench import write_block
from bridgeviz.experiments.run import device
from bridgeviz.problem import Problem

STEPS = (10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 400, 600, 800, 1000)
"""Where the accuracy of Fig. 7 and 12 is measured."""

REACHED = 0.8
LINEAR = "linear regression"
RATES = {"large": 1e-4}
"""Learning rates by size; 1e-3 for the others. Appendix D's 1e-4 is too small for them within 1,000 steps."""

Rows = Iterator[dict[str, Any]]


def measure(
    number: int, *, dataset: str = "mnist", seeds: int = 5, folder: Path | None = None, readme: Path | None = None
) -> Iterator[str]:
    """Measure what the CSV does not hold yet, and put its table into the README.

    Args:
        number: of the figure: 7 and 12 (one measurement), 15 or 16.
        dataset: for 7, 12 and 16: "mnist" or "tiny-imagenet".
        seeds: 0 .. seeds - 1.
        folder: for the CSV; None takes the project's `data/benchmarks`.
        readme: the file with the table's markers; None takes the project's, where there is one.
    """
    if number not in FIGURES:
        known = ", ".join(map(str, FIGURES))
        raise check.fail("number", "figure", f"one of {known}, the figures on flows", check.describe(number))
    seeds = check.count(seeds, "seeds", "figure")
    name, make, table = FIGURES[number]
    dataset = "swiss-roll" if number == 15 else check.choice(dataset, "dataset", "figure", ("mnist", "tiny-imagenet"))
    name = name if number == 15 else f"{name}-{dataset}"
    folder = folder or datasets.paths.shipped() / "benchmarks"
    path = folder / f"figure_{name.replace('-', '_')}.csv"
    rows = pd.read_csv(path).to_dict("records") if path.is_file() else []
    rows = [row for row in rows if row["version"] == version("bridgeviz")]
    done = {(row["case"], row["seed"]) for row in rows}
    problem = datasets.load(dataset)
    for case, found in make(problem, seeds, done):
        rows += [row | {"device": device(), "version": version("bridgeviz")} for row in found]
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, pd.DataFrame(rows).to_csv(index=False))
        yield f"{case}: " + ", ".join(f"{k} {v}" for k, v in rows[-1].items() if k not in ("case", "device", "version"))
    text = table(pd.DataFrame(rows))
    yield text
    readme = readme or datasets.paths.shipped().parent / "README.md"
    if readme.is_file():
        write_block(readme, f"figure-{name}", text)


def _learning(problem: Problem, seeds: int, done: set) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Test accuracy over the steps of each velocity field of Table 1, learned from all true pairs (Fig. 7, 12).

    Beside them, what a linear map learned from the same pairs reaches.
    """
    test = problem.test
    if test is None or test.source.labels is None or problem.truth is None:
        raise check.fail("dataset", "figure", "one with a labelled test split", problem.name)
    rows = np.random.default_rng(0).permutation(len(test.source))[:1000]
    x, labels = test.source.x[rows], np.asarray(test.source.labels)[rows]
    p, q = problem.source.x.shape[1], problem.target.x.shape[1]
    if (LINEAR, 0) not in done:
        from sklearn.linear_model import RidgeCV

        i, j = problem.truth.T
        linear = RidgeCV(alphas=10.0 ** np.arange(-2, 6)).fit(problem.source.x[i], problem.target.x[j])
        accuracy = metrics.downstream_accuracy(problem.target, linear.predict(x), labels)
        yield LINEAR, [{"case": LINEAR, "seed": 0, "step": 0, "test_accuracy": round(accuracy, 4), "p": p, "q": q}]
    plan = couplings.true(problem.truth, shape=problem.shape)
    for seed in range(seeds):
        for velocity in flows.VELOCITIES:
            if (velocity, seed) in done:
                continue
            rate = RATES.get(velocity.rpartition("-")[2], 1e-3)
            config = flows.FlowConfig(velocity=velocity, steps=STEPS[-1], learning_rate=rate, seed=seed, chunk_size=10)
            found, spent = [], 0.0
            start = time.perf_counter()
            for progress in flows.fit(problem, plan, config):
                if progress.step not in STEPS:
                    continue
                pause = time.perf_counter()
                y = progress.flow.transport(x, seed=seed, steps=10).states[-1]
                accuracy = metrics.downstream_accuracy(problem.target, y, labels)
                spent += time.perf_counter() - pause
                found.append({
                    "case": velocity, "seed": seed, "step": progress.step, "test_accuracy": round(accuracy, 4),
                    "loss": round(float(progress.losses.mean()), 4),
                    "seconds": round(time.perf_counter() - start - spent, 2), "learning_rate": rate,
                    "p": p, "q": q,
                })  # fmt: skip
            yield velocity, found


def _learning_table(rows: pd.DataFrame) -> str:
    lines = [
        f"| velocity field | parameters | seeds | steps to {REACHED:.0%} | accuracy at 100 | at 300 | at 1,000 "
        "| loss at 1,000 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    middle = rows.groupby(["case", "step"])[["test_accuracy", "loss"]].median()
    for velocity in flows.VELOCITIES:
        some = rows[rows.case == velocity]
        if not len(some):
            continue
        reached = pd.DataFrame(some[some.test_accuracy >= REACHED]).groupby("seed").step.min()
        asked = some.seed.nunique()
        steps = f"{reached.median():g}" if len(reached) == asked else f"{len(reached)} of {asked} seeds"
        count = flows.parameter_count(velocity, int(rows.p.iloc[0]), int(rows.q.iloc[0])) / 1e6
        at = [middle.loc[velocity, step] for step in (100, 300, 1000)]
        cells = " | ".join(f"{one.test_accuracy:.3f}" for one in at)
        lines.append(f"| {velocity} | {count:.2f} M | {asked} | {steps} | {cells} | {at[-1].loss:.3f} |")
    line = ", ".join(f"{value:.3f}" for value in rows[rows.case == LINEAR].test_accuracy)
    said = f"Medians over the seeds; accuracy on 1,000 points of the test split. {LINEAR.capitalize()} (ridge): {line}."
    return "\n".join([*lines, "", said])


def _swiss_roll(problem: Problem, seeds: int, done: set) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Swiss roll to spiral by Gromov-Wasserstein on batches, without a pair (Appendix I, Fig. 15)."""
    test = problem.test
    assert test is not None
    for seed in range(seeds):
        if ("swiss roll", seed) in done:
            continue
        flow = gromov_flow(problem, seed=seed)
        path = flow.transport(test.source.x, seed=seed, ts=(0.0, 0.25, 0.5, 0.75, 1.0))
        found = []
        for t, states in zip(path.ts, path.states, strict=True):
            apart = metrics.two_sample(states, test.target.x, seed=seed)
            found.append({"case": "swiss roll", "seed": seed, "t": t, "coefficient": apart.coefficient, "p": apart.p})
        yield "swiss roll", found


def gromov_flow(
    problem: Problem, *, steps: int = 600, seed: int = 0, each: Callable[[flows.Progress], None] | None = None
) -> flows.Flow:
    """A flow from local Gromov-Wasserstein alone: no pair is used (Appendix I)."""
    within = [costs.Within(space.x, metric="sqeuclidean") for space in (problem.source, problem.target)]
    plan = couplings.local(None, *within, epsilon=0.02, batch_size=256)
    config = flows.FlowConfig(steps=steps, seed=seed, ema=0.99, chunk_size=20)
    for progress in flows.fit(problem, plan, config):
        if each is not None:
            each(progress)
    return progress.flow


def _swiss_roll_table(rows: pd.DataFrame) -> str:
    lines = ["| t | energy coefficient against the spiral | p |", "|---|---|---|"]
    for t, some in rows.groupby("t"):
        lines.append(f"| {t:g} | {some.coefficient.median():.4f} | {some.p.median():.3f} |")
    return "\n".join([*lines, "", f"Medians over seeds 0 to {rows.seed.max()}."])


def _runtime(problem: Problem, seeds: int, done: set) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Seconds a training step by strategy (Fig. 16)."""
    x, y = problem.source.x, problem.target.x
    pairs = problem.sample_pairs(0.01, seed=0)
    cost = costs.bridge(x, y, pairs)
    within = [costs.Within(space.x) for space in (problem.source, problem.target)]
    plans = {
        "true": lambda: couplings.true(pairs, shape=problem.shape),
        "global": lambda: couplings.linear(cost, tolerance=1e-2),
        "local, linear": lambda: couplings.local(cost),
        "local, linear, transport on 1,024 rows": lambda: couplings.local(cost, ot_batch_size=1024),
        "local, FGW": lambda: couplings.local(cost, *within),
    }
    chunks = {"true": 50, "global": 50}
    for case, plan in plans.items():
        for velocity in ("adaln-small", "adaln-large"):
            name = f"{case}; {velocity}"
            if (name, 0) in done:
                continue
            chunk = chunks.get(case, 5) if velocity == "adaln-small" else 2
            config = flows.FlowConfig(velocity=velocity, steps=10**6, chunk_size=chunk)
            run = flows.fit(problem, plan(), config)
            next(run)
            took = []
            for _ in range(5):
                start = time.perf_counter()
                next(run)
                took.append((time.perf_counter() - start) / chunk)
            yield name, [{"case": name, "seed": 0, "seconds_a_step": statistics.median(took), "least": min(took)}]
            jax.clear_caches()


def _runtime_table(rows: pd.DataFrame) -> str:
    lines = ["| strategy | adaLN-Small | adaLN-Large |", "|---|---|---|"]
    by = rows.set_index("case").seconds_a_step
    for case in dict.fromkeys(name.partition(";")[0] for name in rows.case):
        cells = [by.get(f"{case}; {velocity}") for velocity in ("adaln-small", "adaln-large")]
        shown = " | ".join("-" if cell is None else f"{1e3 * cell:.3g} ms" for cell in cells)
        lines.append(f"| {case} | {shown} |")
    return "\n".join([*lines, "", f"A training step of batch 256; median of five chunks. {rows.device.iloc[0]}."])


FIGURES: dict[int, tuple[str, Callable, Callable[[pd.DataFrame], str]]] = {
    7: ("07-12", _learning, _learning_table),
    12: ("07-12", _learning, _learning_table),
    15: ("15", _swiss_roll, _swiss_roll_table),
    16: ("16", _runtime, _runtime_table),
}
