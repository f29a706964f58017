"""Runs on this machine's disk: listed with their settings, and resumed after a crash."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bridgeviz import InputError, RunConfig, __version__
from bridgeviz._files import write_text
from bridgeviz.datasets import paths
from bridgeviz.flows import held
from bridgeviz.ui.state import owner

MOST_RUNS, MOST_BYTES = 20, 2 * 10**9
"""The most that is kept. The oldest runs are deleted first, but none that is being trained."""

DAY = 86_400.0


@dataclass(frozen=True)
class Saved:
    """One run on the disk.

    Attributes:
        config: its settings.
        step: of its last checkpoint.
        metrics: of a finished run; empty before.
        changed: when its folder last changed, in seconds since 1970.
        path: its folder.
        owner: of the run, by `state.owner`.
        evaluated: whether it ended and was evaluated, which it can be before its last step.
    """

    config: RunConfig
    step: int
    metrics: dict[str, float]
    changed: float
    path: Path
    owner: str = ""
    evaluated: bool = False

    @property
    def finished(self) -> bool:
        """Whether its training ended."""
        return self.evaluated or self.step >= self.config.flow.steps


def home() -> Path:
    """The folder of all runs: BRIDGEVIZ_RUNS, or one in the cache."""
    return Path(os.environ.get("BRIDGEVIZ_RUNS") or paths.cache() / "runs")


def begin(config: RunConfig, whose: str | None = "") -> Path | None:
    """Record that a run begins; the folder for its checkpoints, or None if nobody owns it or the disk can't be written.

    Args:
        config: its settings.
        whose: its owner, by `state.owner`.
    """
    if whose is None:
        return None
    known = {"config": config.as_dict(), "version": __version__} | ({"owner": whose} if whose else {})
    settings = json.dumps(known, sort_keys=True)
    path = home() / hashlib.blake2b(settings.encode(), digest_size=8).hexdigest()
    try:
        path.mkdir(parents=True, exist_ok=True)
        write_text(path / "settings.json", settings)
    except OSError:
        return None
    with suppress(OSError):
        _prune(path)
    return path / "training"


def finish(checkpoints: Path | None, metrics: dict[str, float]) -> None:
    """Record the metrics of a run."""
    if checkpoints is not None and checkpoints.is_dir():
        with suppress(OSError):
            write_text(checkpoints.parent / "metrics.json", json.dumps(metrics))


def listed() -> list[Saved]:
    """The runs of this session's owner with a checkpoint, the latest first; what can't be read is left out."""
    whose = owner.current()
    return [run for run in _everybodys() if run.owner == whose]


def unreadable() -> list[Path]:
    """The folders that look like runs and can't be read. They are left alone; a server for several names none."""
    return [] if owner.current() != "" else [path for path, found in _scan().items() if found is None]


def _everybodys() -> list[Saved]:
    """All runs of this version with a checkpoint, the latest first."""
    return _latest_first(_scan())


def _scan() -> dict[Path, list[Saved] | None]:
    """What `_read` finds in each folder that looks like a run."""
    return {path.parent: _read(path.parent) for path in home().glob("*/settings.json")}


def _latest_first(scan: dict[Path, list[Saved] | None]) -> list[Saved]:
    return sorted((run for found in scan.values() for run in found or ()), key=lambda run: -run.changed)


def _read(path: Path) -> list[Saved] | None:
    """The run in a folder; none if another version wrote it or it has no checkpoint, None if it can't be read."""
    try:
        settings = _json(path / "settings.json")
        last = max((path / "training").glob("step-*"), default=None)
        if settings["version"] != __version__ or last is None:
            return []
        config, whose = RunConfig.from_dict(settings["config"]), str(settings.get("owner", ""))
        run = Saved(config, int(last.name[5:]), {}, last.stat().st_mtime, path, whose)
    except FileNotFoundError:  # it is being deleted
        return []
    except (OSError, ValueError, KeyError, TypeError, InputError):
        return None
    with suppress(OSError, ValueError, TypeError):  # a run without its numbers is one that was not evaluated
        numbers = {name: float(value) for name, value in _json(path / "metrics.json").items()}
        finite = all(map(math.isfinite, numbers.values()))
        return [replace(run, metrics=numbers if finite else {}, evaluated=finite)]
    return [run]


def _json(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} holds no settings")
    return value


def find(config: RunConfig) -> Saved | None:
    """The saved run of a config, unless it is being trained."""
    run = next((run for run in listed() if run.config == config), None)
    return None if run is None or (not run.finished and held(run.path / "training")) else run


def unfinished() -> Saved | None:
    """The latest run, if it stopped before its end within the last day and nobody is training it."""
    latest = next(iter(listed()), None)
    if latest is None or latest.finished or time.time() - latest.changed > DAY:
        return None
    return None if held(latest.path / "training") else latest


def delete(run: Saved) -> None:
    """Delete a run from the disk, unless it is being trained."""
    _delete(run.path)


def _delete(path: Path) -> None:
    if not held(path / "training"):
        shutil.rmtree(path, ignore_errors=True)


def _prune(current: Path) -> None:
    """Delete what exceeds the limits, and what another version of the program left behind, but not the current run."""
    room, count = MOST_BYTES, 0
    scan = _scan()
    for run in _latest_first(scan):
        room, count = room - _size(run.path), count + 1
        if run.path != current and (count > MOST_RUNS or room < 0):
            delete(run)
    for path, found in scan.items():
        if found == [] and path != current and time.time() - path.stat().st_mtime > DAY:
            _delete(path)


def _size(path: Path) -> int:
    """Bytes below a folder, whose files may vanish meanwhile."""
    total = 0
    for file in path.rglob("*"):
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total
