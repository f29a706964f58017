"""Never losing a run: the state of a training on disk, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jax
import numpy as np
from filelock import FileLock, Timeout

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._files import new_folder
from bridgeviz.flows.config import FlowConfig
from bridgeviz.flows.storage import read_tree, write_tree

_FORMAT = 1
_KEPT = 2
"""The newest, and the one before it in case a disk damages the newest."""


class Busy(InputError):
    """Another training holds the folder of checkpoints."""


class Stale(InputError):
    """The folder of checkpoints belongs to another training, or is damaged."""


class Checkpoints:
    """A folder of states of one training, which no other process may write to meanwhile.

    Args:
        folder: made if it is not there.
        config: of the training.
        data: what it is trained on, by name: `fingerprint` of each.

    Raises:
        InputError: the folder is none, another process trains there, or what is kept belongs to another training.
    """

    def __init__(self, folder: str | Path, config: FlowConfig, data: dict[str, str]):
        self.about = {"format": _FORMAT, "config": asdict(config), "data": data}
        self.notice = ""
        self._lock: FileLock | None = None
        try:
            self.folder = Path(folder).resolve()
        except (TypeError, ValueError):
            raise check.fail("checkpoints", "fit", "the path of a folder", check.describe(folder)) from None
        _refuse_foreign(self.folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _hold(self.folder)
        except OSError as error:
            self._say(error)
            return
        if self._lock is None:
            raise _busy(self.folder)
        for left in self.folder.glob(".step-*"):  # drafts of a process that was killed
            shutil.rmtree(left, ignore_errors=True)

    def close(self) -> None:
        """Let others in."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def latest(self, like: Callable[[int], Any]) -> Any:
        """The newest state that is whole, of the structure of `like(step)`; None where nothing is kept.

        Raises:
            InputError: it was kept by a training with other settings or on other data; or nothing can be read.
        """
        paths = sorted(self.folder.glob("step-*"), reverse=True)
        reason = ""
        for path in paths:
            try:
                about = json.loads((path / "about.json").read_text())
                self._refuse_another(about)
                names, leaves, tree = _flat(like(about["step"]))
                stored = read_tree(path / "state", dict(zip(names, leaves, strict=True)))
                return jax.tree.unflatten(tree, [stored[name] for name in names])
            except InputError:
                raise
            except Exception as error:  # whatever a damaged file makes a reader say
                reason = reason or (str(error).splitlines() or [type(error).__name__])[0][:120]
        if paths:
            raise Stale(f"The checkpoints in {self.folder} are damaged ({reason}). Delete the folder to begin anew.")
        return None

    def keep(self, step: int, state: Any) -> None:
        """Write a state beside the older one and drop what is older; a disk that refuses is told in `notice`."""
        if self._lock is None:
            return
        path = self.folder / f"step-{step:09d}"
        names, leaves, _ = _flat(state)
        try:
            with new_folder(path, holds={"state", "about.json"}) as draft:
                write_tree(draft / "state", dict(zip(names, leaves, strict=True)))
                (draft / "about.json").write_text(json.dumps(self.about | {"step": step}))
                _flush(draft)
            for old in sorted(self.folder.glob("step-*"))[:-_KEPT]:
                shutil.rmtree(old, ignore_errors=True)
            self.notice = ""
        except (OSError, InputError) as error:
            self._say(error)

    def drop(self, step: int) -> None:
        """Forget the state of a step, which turned out to be no good; the one before it is kept."""
        if self._lock is not None:
            shutil.rmtree(self.folder / f"step-{step:09d}", ignore_errors=True)

    def _say(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0][:120]
        self.notice = f"No checkpoint can be written to {self.folder} ({reason}): the run goes on in memory alone."

    def _refuse_another(self, about: dict[str, Any]) -> None:
        if about["format"] != _FORMAT:
            raise ValueError(f"format {about['format']}, not {_FORMAT}")
        config, ours = about["config"], self.about["config"]
        differ = [f"{k} {config.get(k)!r}, now {ours[k]!r}" for k in ours if config.get(k) != ours[k]]
        differ += [f"another {k}" for k, mark in self.about["data"].items() if about["data"].get(k) != mark]
        if differ == ["another coupling"]:
            differ = ["another coupling, or the same one, solved by another kind of machine to other last digits"]
        if differ:
            raise Stale(
                f"The checkpoints in {self.folder} belong to another training: {'; '.join(differ)}. Train with its "
                "settings and data to go on, or delete the folder to begin anew."
            )


def forget(folder: str | Path) -> None:
    """Delete the checkpoints in a folder, and the folder; nothing happens where there is none.

    Raises:
        InputError: a training goes on with them, or the folder holds something else.
    """
    folder = Path(folder)
    if not folder.exists():
        return
    _refuse_foreign(folder)
    if held(folder):
        raise _busy(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder that is none, or holds what no training has put there."""
    if folder.exists() and not folder.is_dir():
        raise check.fail("checkpoints", "fit", "the path of a folder", f"the file {folder}")
    foreign = sorted(path.name for path in folder.glob("*") if not path.name.startswith((".lock", "step-", ".step-")))
    if foreign:
        raise InputError(
            f"The folder of checkpoints {folder} must be new, empty or that of an earlier training. It holds other "
            f"files: {foreign[0]}."
        )


def _busy(folder: Path) -> Busy:
    return Busy(f"Another training goes on with the checkpoints in {folder}. Wait for it, or choose another folder.")


def _flush(folder: Path) -> None:
    """Have the disk write a folder's files now, so that a power cut can't leave them empty."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def held(folder: Path) -> bool:
    """Whether a training goes on with the checkpoints in a folder right now."""
    try:
        lock = _hold(folder)
    except OSError:
        return False
    if lock is not None:
        lock.release()
    return lock is None


def _hold(folder: Path) -> FileLock | None:
    """The folder's lock, which the system lets go of however a process ends; None if another training has it."""
    lock = FileLock(folder / ".lock", thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


def fingerprint(*arrays: Any, said: str = "") -> str:
    """A digest of arrays, their shapes and types, and of words."""
    digest = hashlib.blake2b(said.encode(), digest_size=16)
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _flat(state: Any) -> tuple[list[str], list[Any], Any]:
    paths, tree = jax.tree_util.tree_flatten_with_path(state)
    names = [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in paths]
    return names, [leaf for _, leaf in paths], tree
