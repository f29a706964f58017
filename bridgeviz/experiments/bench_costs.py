"""Fig. 6, 17 and 18 as data: matching accuracy by cost, solver and paired fraction."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bridgeviz import costs, couplings, datasets, metrics
from bridgeviz._files import write_text
from bridgeviz.metrics.supervision import cost_accuracy
from bridgeviz.problem import Problem

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "bridge": ("bridge", {}),
    "geodesic bridge": ("geodesic_bridge", {}),
    "diffusion bridge": ("diffusion_bridge", {}),
    "diffusion bridge, profile": ("diffusion_bridge", {"form": "profile"}),
    "KNN, heat": ("knn", {}),
    "KNN, exact paths": ("knn", {"form": "path"}),
    "KCCA": ("kcca", {}),
    "KCCA, shrinkage 0.01": ("kcca", {"shrinkage": 0.01}),
}
RIVAL = "nearest class mean"
SUITES: dict[str, dict[str, Any]] = {
    "costs": {
        "dataset": "mnist", "title": "MNIST, 10,000 x 10,000", "tolerance": 1e-3, "show_tau": False,
        "fractions": (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5), "alphas": (0.1, 0.25, 0.5, 0.75, 0.9),
    },
    "costs-tiny": {
        "dataset": "tiny-imagenet", "title": "Tiny-ImageNet features, 10,000 x 10,000", "tolerance": 1e-2,
        "show_tau": True,
        "fractions": (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5), "alphas": (0.25, 0.5),
    },
}  # fmt: skip
TAU = (1.0, 0.9)
"""The unbalanced row: classes without a pair need not be filled."""


def measure(name: str, *, seeds: int, folder: Path | None, readme: Path | None) -> Iterator[str]:
    """As `bench.measure`; a case is measured anew when its row is of another version."""
    from bridgeviz.experiments.bench import write_block

    suite = SUITES[name]
    problem = datasets.load(suite["dataset"], **suite.get("options", {}))
    folder = folder or datasets.paths.shipped() / "benchmarks"
    path = folder / f"{name.replace('-', '_')}.csv"
    rows = pd.read_csv(path).to_dict("records") if path.is_file() else []
    rows = [row for row in rows if row["version"] == version("bridgeviz")]
    done = {(row["case"], row["fraction"], row["seed"]) for row in rows}
    for seed in range(seeds):
        for fraction in suite["fractions"]:
            for case in (*CASES, RIVAL):
                if (case, fraction, seed) in done:
                    continue
                rows += list(_one(problem, case, fraction, seed, suite))
                folder.mkdir(parents=True, exist_ok=True)
                write_text(path, pd.DataFrame(rows).to_csv(index=False))
                yield f"{case}, {100 * fraction:g} %, seed {seed}: {rows[-1]['matching_accuracy']:.3f}"
    table = pd.DataFrame(rows)
    text = as_table(pd.DataFrame(table[table.seed < seeds]), name)
    yield text
    readme = readme or datasets.paths.shipped().parent / "README.md"
    if readme.is_file():
        write_block(readme, name, text)


def _one(problem: Problem, case: str, fraction: float, seed: int, suite: dict[str, Any]) -> Iterator[dict[str, Any]]:
    x, y = problem.source.x, problem.target.x
    labels = [np.asarray(space.labels) for space in (problem.source, problem.target)]
    pairs = problem.sample_pairs(fraction, seed=seed)
    base = {"case": case, "fraction": fraction, "seed": seed, "pairs": len(pairs)}
    stamp = {"version": version("bridgeviz")}
    if case == RIVAL:
        value = nearest_class_mean(x, labels[0], pairs)
        yield {**base, "solver": "none", "matching_accuracy": round(value, 4), **stamp}
        return
    start = time.perf_counter()
    name, options = CASES[case]
    cost = costs.COSTS[name](x, y, pairs, **options)
    base["seconds_cost"] = round(time.perf_counter() - start, 3)
    base["cheapest"] = round(cost_accuracy(cost, labels[0], labels[1]), 4)
    within = _within(problem)
    ways = [("linear", 0.0, (1.0, 1.0)), ("linear", 0.0, TAU)]
    for solver, alpha, tau in ways + [("fgw", alpha, (1.0, 1.0)) for alpha in suite["alphas"]]:
        start = time.perf_counter()
        if solver == "linear":
            plan = couplings.linear(cost, tau=tau, tolerance=suite["tolerance"])
        else:
            plan = couplings.fgw(cost, within[0], within[1], alpha=alpha, tolerance=suite["tolerance"])
        seconds = time.perf_counter() - start
        value = metrics.matching_accuracy(plan, labels[0], labels[1])
        yield {
            **base, "solver": solver, "alpha": alpha, "tau_y": tau[1], "matching_accuracy": round(value, 4),
            "converged": plan.converged, "iterations": plan.iterations, "seconds_plan": round(seconds, 3), **stamp,
        }  # fmt: skip


@cache
def _within(problem: Problem) -> tuple[costs.Within, costs.Within]:
    return costs.Within(problem.source.x), costs.Within(problem.target.x)


def nearest_class_mean(x: np.ndarray, labels: np.ndarray, pairs: np.ndarray) -> float:
    """What the paired rows' classes say without any transport: the share of rows whose nearest class mean is their own.

    On rows of length one, where it does better than on rows as they are; ties are not met.
    """
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    rows = np.asarray(pairs)[:, 0]
    classes, code = np.unique(labels[rows], return_inverse=True)
    means = np.zeros((len(classes), x.shape[1]))
    np.add.at(means, code, unit[rows])
    means /= np.bincount(code)[:, None]
    nearest = ((means**2).sum(1) - 2 * unit @ means.T).argmin(1)
    return float((classes[nearest] == labels).mean())


def as_table(rows: pd.DataFrame, name: str) -> str:
    """Medians over seeds as Markdown, for the fractions that were measured with every seed."""
    suite = SUITES[name]
    seeds = rows[rows.case == RIVAL].groupby("fraction").seed.nunique()  # the rival comes last
    fractions = [f for f in suite["fractions"] if seeds.get(f, 0) == rows.seed.nunique()]
    lines = [
        f"| {suite['title']}, pairs: | " + " | ".join(f"{100 * f:g} %" for f in fractions) + " |",
        "|---" * (len(fractions) + 1) + "|",
    ]
    middle = rows.fillna({"alpha": 0.0, "tau_y": 1.0}).groupby(["case", "solver", "tau_y", "alpha", "fraction"])
    middle = middle.matching_accuracy.median()

    def cells(case: str, solver: str, tau_y: float, alpha: float) -> list[float]:
        return [middle.get((case, solver, tau_y, alpha, f), float("nan")) for f in fractions]

    def line(title: str, values: list[str]) -> str:
        return f"| {title} | " + " | ".join(values) + " |"

    for case in CASES:
        lines.append(line(f"{case}: linear", [f"{v:.3f}" for v in cells(case, "linear", 1.0, 0.0)]))
        if suite["show_tau"]:
            loose = cells(case, "linear", TAU[1], 0.0)
            lines.append(line(f"{case}: linear, tau_y {TAU[1]:g}", [f"{v:.3f}" for v in loose]))
        all_alphas = np.array([cells(case, "fgw", 1.0, alpha) for alpha in suite["alphas"]])
        best = all_alphas.argmax(0)
        told = [f"{v:.3f} ({suite['alphas'][k]:g})" for v, k in zip(all_alphas.max(0), best, strict=True)]
        lines.append(line(f"{case}: FGW (best alpha)", told))
    lines.append(line(RIVAL, [f"{v:.3f}" for v in cells(RIVAL, "none", 1.0, 0.0)]))
    said = f"Median matching accuracy over seeds 0 to {rows.seed.max()}. `bridgeviz bench {name}`."
    return "\n".join([*lines, "", said])
