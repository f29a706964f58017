"""What a run leaves on disk, whole or not at all: a report, the coupling, the flow and the transported points."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from scipy import sparse

from bridgeviz._files import new_folder
from bridgeviz.costs import Cost
from bridgeviz.experiments._run import Run
from bridgeviz.flows import Flow, save_transported
from bridgeviz.problem import Space

_STACK = ("bridgeviz", "jax", "flax", "optax", "ott-jax", "diffrax", "numpy", "scipy", "scikit-learn")

RESULT_FILES = {"report.json", "coupling.npz", "flow", "transported.npy"}
"""The names that `save` writes, and may overwrite."""

LAST_LOSSES = 100
"""The final loss is the mean of this many last losses."""


def versions() -> dict[str, str]:
    """The version of Python and of every package that a number depends on."""
    known = {"python": platform.python_version()}
    for name in _STACK:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            known[name] = "unknown"
    return known


def report(run: Run) -> dict[str, Any]:
    """The run as plain values for JSON; a number that is missing or not finite is null."""
    config, plan = run.config, run.plan
    n, m = run.problem.shape
    return {
        "n": n,
        "m": m,
        "p": run.problem.source.x.shape[1],
        "q": run.problem.target.x.shape[1],
        "l": len(run.pairs),
        "weights": {"source": _weights(run.problem.source), "target": _weights(run.problem.target)},
        "forbidden": None if run.cost is None or run.cost.forbidden is None else _plain(_forbidden(run.cost)),
        "dataset": run.problem.name,
        "strategy": config.coupling.name,
        "cost": None if run.cost is None else run.cost.name,
        "cost_options": config.cost_options,
        "metric": config.cost.metric,
        "solver": config.solver,
        "method": plan.whole.method if plan.whole is not None and plan.whole.method else None,
        "alpha": _plain(plan.alpha),
        "epsilon": _plain(plan.epsilon),
        "tau": list(config.tau or (1.0, 1.0)),
        "converged": plan.converged,
        "marginal_error": _plain(plan.marginal_error),
        "iterations": plan.iterations,
        "mass": _plain(plan.mass),
        "merged": plan.merged,
        "advice": " ".join(text for text in (plan.advice, "" if run.cost is None else run.cost.advice) if text),
        "recommendation": None if run.recommendation is None else run.recommendation.as_dict(),
        "matching_accuracy": _plain(run.metrics.get("matching_accuracy")),
        "test_accuracy": _plain(run.metrics.get("test_accuracy")),
        "metrics": {name: _plain(value) for name, value in run.metrics.items()},
        "velocity": config.as_dict()["velocity"],
        "steps": len(run.losses),
        "final_loss": _plain(run.losses[-LAST_LOSSES:].mean()),
        "seconds": {stage: round(seconds, 3) for stage, seconds in run.seconds.items()},
        "seed": config.seed,
        "device": run.device,
        "config": config.as_dict(),
        "stages": config.stages(),
        "versions": versions(),
    }


def save(run: Run, out: str | Path, *, on_transport: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Write `report.json`, `coupling.npz` (SciPy CSR, n x m), `flow/` and `transported.npy` to the folder `out`.

    A local run has no plan between all rows and leaves no `coupling.npz`. Entries of the plan below 1e-8 of their
    row's mass are left out; the report's `coupling_kept_mass` says how much remains.

    Args:
        run: finished or stopped.
        out: the folder.
        on_transport: called with (done, total) source rows while they are transported, which takes minutes for a
            million of them.

    Raises:
        InputError: `out` holds something else than an earlier result, or can't be written.
    """
    contents = report(run)
    with new_folder(out, holds=RESULT_FILES) as draft:
        if run.plan.whole is not None:
            plan, kept = run.plan.whole.sparse()
            sparse.save_npz(draft / "coupling.npz", sparse.csr_matrix(plan))
            contents["coupling_kept_mass"] = _plain(kept)
        run.flow.save(draft / "flow")
        Flow.load(draft / "flow")  # what can't be read again is no result
        save_transported(
            run.flow, run.problem.source.x, draft / "transported.npy", seed=run.config.seed, on_progress=on_transport
        )
        (draft / "report.json").write_text(json.dumps(contents, indent=2, allow_nan=False) + "\n")
    return contents


def _weights(space: Space) -> dict[str, Any] | None:
    """How many rows carry mass, and how many equal ones would vary as little; None if all weigh the same."""
    if space.weights is None:
        return None
    return {"rows": int((space.weights > 0).sum()), "effective_rows": _plain(1 / (space.weights**2).sum())}


def _forbidden(cost: Cost) -> float:
    """The share of the matches that are forbidden."""
    n, m = cost.shape
    assert cost.forbidden is not None
    return cost.forbidden.mass(cost.source_atoms.multiplicity / n, cost.target_atoms.multiplicity / m)


def _plain(value: Any) -> Any:
    if value is None:
        return None
    value = float(value)
    return value if math.isfinite(value) else None
