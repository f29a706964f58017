"""Runs that were begun on this machine: kept on its disk, listed with their settings, found again after a crash."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bridgeviz import InputError, RunConfig, __version__
from bridgeviz._files import write_text
from bridgeviz.datasets import paths
from bridgeviz.flows.checkpoints import held

MOST_RUNS, MOST_BYTES = 20, 2 * 10**9
"""What is kept at most; the oldest go first, but none that is being trained."""

DAY = 86_400.0


@dataclass(frozen=True)
class Saved:
    """One run on the disk.

    Attributes:
        config: what it was asked for.
        step: the last one that is kept.
        metrics: of a finished run; empty before.
        changed: when its folder last changed, in seconds since 1970.
        path: its folder.
    """

    config: RunConfig
    step: int
    metrics: dict[str, float]
    changed: float
    path: Path

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return self.step >= self.config.steps


def home() -> Path:
    """The folder of all runs: BRIDGEVIZ_RUNS, or the one in the cache."""
    return Path(os.environ.get("BRIDGEVIZ_RUNS") or paths.cache() / "runs")


def begin(config: RunConfig) -> Path | None:
    """Note that a run begins; the folder for its checkpoints, or None where the disk takes nothing."""
    asked = json.dumps({"config": config.as_dict(), "version": __version__}, sort_keys=True)
    path = home() / hashlib.blake2b(asked.encode(), digest_size=8).hexdigest()
    try:
        path.mkdir(parents=True, exist_ok=True)
        write_text(path / "settings.json", asked)
    except OSError:
        return None
    with suppress(OSError):
        _prune(path)
    return path / "training"


def finish(checkpoints: Path | None, metrics: dict[str, float]) -> None:
    """Note what a run reached."""
    if checkpoints is not None and checkpoints.is_dir():
        with suppress(OSError):
            write_text(checkpoints.parent / "metrics.json", json.dumps(metrics))


def listed() -> list[Saved]:
    """All runs that have something to go on from, the latest first; what can't be read is left out."""
    found = []
    for path in home().glob("*/settings.json"):
        with suppress(OSError, ValueError, KeyError, TypeError, InputError):
            asked = json.loads(path.read_text())
            kept = max((path.parent / "training").glob("step-*"), default=None)
            if kept is None or asked["version"] != __version__:
                continue
            numbers = path.parent / "metrics.json"
            metrics = json.loads(numbers.read_text()) if numbers.is_file() else {}
            config = RunConfig.from_dict(asked["config"])
            found.append(Saved(config, int(kept.name[5:]), metrics, kept.stat().st_mtime, path.parent))
    return sorted(found, key=lambda run: -run.changed)


def unfinished() -> Saved | None:
    """The latest run, if it stopped before its end within a day, and nobody goes on with it."""
    latest = next(iter(listed()), None)
    if latest is None or latest.finished or time.time() - latest.changed > DAY:
        return None
    return None if held(latest.path / "training") else latest


def forget(run: Saved) -> None:
    """Delete a run from the disk, unless it is being trained."""
    _delete(run.path)


def _delete(path: Path) -> None:
    if not held(path / "training"):
        shutil.rmtree(path, ignore_errors=True)


def _prune(but: Path) -> None:
    """Delete what is more than the limits allow, and what another version of the program left behind."""
    room, runs = MOST_BYTES, 0
    known = listed()
    for run in known:
        room, runs = room - _size(run.path), runs + 1
        if run.path != but and (runs > MOST_RUNS or room < 0):
            forget(run)
    for path in {file.parent for file in home().glob("*/settings.json")} - {run.path for run in known} - {but}:
        if time.time() - path.stat().st_mtime > DAY:
            _delete(path)


def _size(path: Path) -> int:
    """Bytes below a folder, whose files may vanish meanwhile."""
    total = 0
    for file in path.rglob("*"):
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total
