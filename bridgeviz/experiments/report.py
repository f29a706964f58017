"""What a run leaves on disk: a report, the coupling, the flow, the transported points. Whole or not at all."""

from __future__ import annotations

import json
import math
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from bridgeviz._files import new_folder
from bridgeviz.couplings import Coupling
from bridgeviz.experiments.run import Run

_STACK = ("bridgeviz", "jax", "flax", "optax", "ott-jax", "diffrax", "numpy", "scipy", "scikit-learn")


HOLDS = {"report.json", "coupling.npz", "flow", "transported.npy"}
"""What `save` writes, and may write over."""


def versions() -> dict[str, str]:
    """Of Python and of everything that a number depends on."""
    found = {"python": platform.python_version()}
    for name in _STACK:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def report(run: Run) -> dict[str, Any]:
    """The run as plain values for JSON; a number that could not be had is null."""
    config, plan = run.config, run.plan
    n, m = run.problem.shape
    return {
        "n": n,
        "m": m,
        "p": run.problem.source.x.shape[1],
        "q": run.problem.target.x.shape[1],
        "l": len(run.pairs),
        "dataset": run.problem.name,
        "strategy": config.strategy,
        "cost": None if run.cost is None else run.cost.name,
        "cost_options": config.cost_options,
        "metric": config.distance,
        "solver": None if config.strategy == "true" else config.solver,
        "alpha": _plain(getattr(plan, "alpha", None)),
        "epsilon": _plain(getattr(plan, "epsilon", None)),
        "tau": list(config.tau),
        "converged": plan.converged,
        "marginal_error": _plain(plan.marginal_error),
        "iterations": plan.iterations,
        "mass": _plain(plan.mass),
        "merged": isinstance(plan, Coupling) and plan.merged,
        "advice": " ".join(said for said in (plan.advice, "" if run.cost is None else run.cost.advice) if said),
        "recommendation": None if run.recommendation is None else run.recommendation.as_dict(),
        "matching_accuracy": _plain(run.metrics.get("matching_accuracy")),
        "test_accuracy": _plain(run.metrics.get("test_accuracy")),
        "metrics": {k: _plain(v) for k, v in run.metrics.items()},
        "velocity": config.velocity,
        "steps": len(run.losses),
        "final_loss": _plain(run.losses[-100:].mean()),
        "seconds": {k: round(v, 3) for k, v in run.seconds.items()},
        "seed": config.seed,
        "device": run.device,
        "config": config.as_dict(),
        "versions": versions(),
    }


def save(run: Run, out: str | Path) -> dict[str, Any]:
    """Write `report.json`, `coupling.npz` (SciPy CSR, n x m), `flow/` and `transported.npy` to the folder `out`.

    A local run has no plan and leaves no `coupling.npz`. Entries of the plan below 1e-8 of their row's mass are left
    out; the report's `coupling_kept_mass` says how much remains.

    Raises:
        InputError: `out` holds something else than an earlier result, or can't be written.
    """
    contents = report(run)
    with new_folder(out, holds=HOLDS) as draft:
        if isinstance(run.plan, Coupling):
            plan, kept = run.plan.sparse()
            sparse.save_npz(draft / "coupling.npz", sparse.csr_matrix(plan))
            contents["coupling_kept_mass"] = _plain(kept)
        run.flow.save(draft / "flow")
        moved = run.flow.transport(run.problem.source.x, seed=run.config.seed).states[-1]
        np.save(draft / "transported.npy", moved.astype(np.float32))
        (draft / "report.json").write_text(json.dumps(contents, indent=2, allow_nan=False) + "\n")
    return contents


def _plain(value: Any) -> Any:
    if value is None:
        return None
    value = float(value)
    return value if math.isfinite(value) else None
