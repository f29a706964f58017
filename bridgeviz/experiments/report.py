"""What a run leaves on disk: a report, the coupling, the flow, the transported points. Whole or not at all."""

from __future__ import annotations

import json
import math
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from bridgeviz._checks import InputError
from bridgeviz.couplings import Coupling
from bridgeviz.experiments.run import Run

_STACK = ("bridgeviz", "jax", "flax", "optax", "ott-jax", "diffrax", "numpy", "scipy", "scikit-learn")


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
        "metric": config.metric,
        "solver": None if config.strategy == "true" else config.solver,
        "epsilon": _plain(getattr(plan, "epsilon", None)),
        "tau": list(config.tau),
        "converged": plan.converged,
        "marginal_error": _plain(plan.marginal_error),
        "iterations": plan.iterations,
        "mass": _plain(plan.mass),
        "merged": isinstance(plan, Coupling) and plan.merged,
        "advice": plan.advice,
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
    with new_folder(out) as draft:
        if isinstance(run.plan, Coupling):
            plan, kept = run.plan.sparse()
            sparse.save_npz(draft / "coupling.npz", sparse.csr_matrix(plan))
            contents["coupling_kept_mass"] = _plain(kept)
        run.flow.save(draft / "flow")
        moved = run.flow.transport(run.problem.source.x, seed=run.config.seed).states[-1]
        np.save(draft / "transported.npy", moved.astype(np.float32))
        (draft / "report.json").write_text(json.dumps(contents, indent=2, allow_nan=False) + "\n")
    return contents


def check_out(out: str | Path) -> Path:
    """`out` as a path that `new_folder` may fill: not there, empty, or an earlier result. Said before the long work."""
    out = Path(out).resolve()
    if out.exists() and not out.is_dir():
        raise InputError(f"The output folder {out} must be a folder. It is a file: choose another name.")
    if out.is_dir() and any(out.iterdir()) and not (out / "report.json").is_file():
        raise InputError(f"The output folder {out} must be new, empty or an earlier result. It holds other files.")
    parent = next(p for p in out.parents if p.exists())
    if not os.access(parent, os.W_OK):
        raise InputError(f"The output folder {out} can't be made: {parent} can't be written to.")
    return out


@contextmanager
def new_folder(out: str | Path) -> Iterator[Path]:
    """A draft folder beside `out` that takes its place when the block ends well, and vanishes when it does not."""
    out = check_out(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield draft
        draft.chmod(0o755)
        old = draft.with_name(draft.name + "-old")
        if out.exists():
            os.replace(out, old)
        os.replace(draft, out)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_array(path: str | Path, array: np.ndarray) -> None:
    """Write one `.npy`, whole or not at all."""
    path = Path(path)
    if path.suffix != ".npy":
        raise InputError(f"The output file {path} must end in .npy. Got '{path.suffix}' instead.")
    if not path.resolve().parent.is_dir():
        raise InputError(f"The output file {path} must be in a folder that exists. {path.resolve().parent} does not.")
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with draft.open("wb") as file:
            np.save(file, array, allow_pickle=False)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    if value is None:
        return None
    value = float(value)
    return value if math.isfinite(value) else None
