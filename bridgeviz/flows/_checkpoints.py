"""Training states on disk: each checkpoint is written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import jax
import numpy as np
from filelock import FileLock, Timeout
from jaxtyping import PyTree
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._files import new_folder
from bridgeviz.flows._config import BEFORE, FlowConfig
from bridgeviz.flows._storage import ARRAYS, by_name, read_about, read_arrays, write_record
from bridgeviz.flows._version_0_1 import read_tree

Tree = TypeVar("Tree")

_FORMAT = 2
_FORMAT_0_1 = 1
_KEPT = 2
"""The newest checkpoint, and the one before it in case the newest is damaged."""


class Busy(InputError):
    """Another training is using the folder of checkpoints."""


class Stale(InputError):
    """The folder of checkpoints belongs to another training, or is damaged."""


class Checkpoints:
    """A folder with the states of one training, locked against other processes.

    Args:
        folder: created if it does not exist.
        config: settings of the training.
        data: `fingerprint` of each of its inputs, by name.

    Attributes:
        notice: one sentence if checkpoints cannot be written, else "".

    Raises:
        InputError: the path is not a folder, another process is training there, or the folder holds other files.
    """

    def __init__(self, folder: str | Path, config: FlowConfig, data: Mapping[str, str]):
        self.config, self.data = config.as_dict(), dict(data)
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
            self._report(error)
            return
        if self._lock is None:
            raise _busy(self.folder)
        for draft in self.folder.glob(".step-*"):  # left by a process that was killed
            shutil.rmtree(draft, ignore_errors=True)

    def close(self) -> None:
        """Release the folder for other trainings."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def latest(self, like: Callable[[int], Tree]) -> Tree | None:
        """The newest undamaged state; None if there are no checkpoints.

        Args:
            like: step -> a state of that step, for the structure, shapes and types.

        Raises:
            InputError: the checkpoints belong to a training with other settings or data, or all are damaged.
        """
        paths = sorted(self.folder.glob("step-*"), reverse=True)
        reason = ""
        for path in paths:
            try:
                about = read_about(path / "about.json")
                if about["format"] not in (_FORMAT, _FORMAT_0_1):
                    raise ValueError(f"format {about['format']}, not {_FORMAT}")
                self._refuse_another(about["config"], about["data"])
                template = like(about["step"])
                if about["format"] == _FORMAT:
                    return read_arrays(path, about, template)
                names = by_name(template)
                stored = read_tree(path / "state", names)
                return jax.tree.unflatten(jax.tree.structure(template), [stored[name] for name in names])
            except InputError:
                raise
            except Exception as error:  # a damaged file can make its reader raise anything
                reason = reason or (str(error).splitlines() or [type(error).__name__])[0][:120]
        if paths:
            raise Stale(f"The checkpoints in {self.folder} are damaged ({reason}). Delete the folder to start again.")
        return None

    def keep(self, step: int, state: PyTree) -> None:
        """Write a state and delete all but the one before it; if the disk refuses, `notice` says so."""
        if self._lock is None:
            return
        path = self.folder / f"step-{step:09d}"
        about = {"format": _FORMAT, "config": self.config, "data": self.data, "step": step}
        try:
            with new_folder(path, holds={"about.json", ARRAYS}) as draft:
                write_record(draft, "about.json", about, state)
                _flush(draft)
            for old in sorted(self.folder.glob("step-*"))[:-_KEPT]:
                shutil.rmtree(old, ignore_errors=True)
            self.notice = ""
        except (OSError, InputError) as error:
            self._report(error)

    def drop(self, step: int) -> None:
        """Delete the state of a step that proved to be bad; the one before it stays."""
        if self._lock is not None:
            shutil.rmtree(self.folder / f"step-{step:09d}", ignore_errors=True)

    def _report(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0][:120]
        self.notice = f"No checkpoint can be written to {self.folder} ({reason}). Training continues without any."

    def _refuse_another(self, config: dict[str, object], data: dict[str, str]) -> None:
        config = {**BEFORE, **config}
        differ = [f"{k} {config.get(k)!r}, now {ours!r}" for k, ours in self.config.items() if config.get(k) != ours]
        differ += [f"another {k}" for k, mark in self.data.items() if data.get(k) != mark]
        if differ == ["another coupling"]:
            differ = ["another coupling, or the same one solved on other hardware, with other last digits"]
        if differ:
            raise Stale(
                f"The checkpoints in {self.folder} belong to another training: {'; '.join(differ)}. Train with its "
                "settings and data to resume it, or delete the folder to start again."
            )


def check_checkpoints(folder: str | Path) -> None:
    """Refuse a folder that `fit` would refuse for its checkpoints, before any work is done.

    Raises:
        InputError: the path is not a folder, another process is training there, or the folder holds other files.
    """
    folder = Path(folder)
    _refuse_foreign(folder)
    if folder.exists() and held(folder):
        raise _busy(folder)


def forget(folder: str | Path) -> None:
    """Delete a folder of checkpoints; a folder that does not exist is ignored.

    Raises:
        InputError: a training is using it, or it holds other files.
    """
    check_checkpoints(folder)
    shutil.rmtree(folder, ignore_errors=True)


def held(folder: Path) -> bool:
    """Whether a training is using a folder of checkpoints right now."""
    try:
        lock = _hold(folder)
    except OSError:
        return False
    if lock is not None:
        lock.release()
    return lock is None


def fingerprint(*arrays: ArrayLike, text: str = "") -> str:
    """A hexadecimal digest of a text and of arrays with their shapes and types."""
    digest = hashlib.blake2b(text.encode(), digest_size=16)
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)  # the array itself, not a copy of it
    return digest.hexdigest()


def _refuse_foreign(folder: Path) -> None:
    """Refuse a path that is not a folder, and a folder with files that no training has written."""
    if folder.exists() and not folder.is_dir():
        raise check.fail("checkpoints", "fit", "the path of a folder", f"the file {folder}")
    foreign = sorted(path.name for path in folder.glob("*") if not path.name.startswith((".lock", "step-", ".step-")))
    if foreign:
        raise InputError(
            f"The folder of checkpoints {folder} must be new, empty or that of an earlier training. It holds other "
            f"files: {foreign[0]}."
        )


def _busy(folder: Path) -> Busy:
    return Busy(f"Another training is using the checkpoints in {folder}. Wait for it, or choose another folder.")


def _flush(folder: Path) -> None:
    """Write a folder's files to the disk now, so that a power cut cannot leave them empty."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _hold(folder: Path) -> FileLock | None:
    """The lock of a folder, which the system releases however the process ends; None if another training has it."""
    lock = FileLock(folder / ".lock", thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock
