"""Resuming a training from its checkpoints, and writing them as it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.flows._checkpoints import Checkpoints
from bridgeviz.flows._config import FlowConfig
from bridgeviz.flows._parallel import leads
from bridgeviz.flows._selection import Selection
from bridgeviz.flows._step import State


class Checkpoint(NamedTuple):
    """What a checkpoint holds. The names are those of the stored arrays.

    Attributes:
        state: of the training.
        losses: (steps, 2) of the flow and of the masses.
        selection: the best weights on held-out rows; None if none are held out.
    """

    state: State
    losses: np.ndarray
    selection: Selection | None = None


class Keeper:
    """The checkpoints of one training, as a context manager. If there are several processes, only the first one writes.

    Args:
        folder: folder of the checkpoints; None for none.
        config: settings of the training.
        marks: gives the fingerprints of its data; called only if there is a folder.
        every: chunks between two checkpoints.
        seconds: least time between two checkpoints.
    """

    def __init__(
        self, folder: str | Path | None, config: FlowConfig, marks: Callable[[], Mapping[str, str]], *, every: int,
        seconds: float,
    ):  # fmt: skip
        self._folder, self._config, self._marks = folder, config, marks
        self._every, self._seconds = every, seconds
        self._store: Checkpoints | None = None
        self._written: float | None = None

    def __enter__(self) -> Keeper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._store is not None:
            self._store.close()

    @property
    def notice(self) -> str:
        """One sentence if checkpoints cannot be written, else ""."""
        return "" if self._store is None else self._store.notice

    def resume(self, state: State, selection: Selection | None) -> Checkpoint:
        """The newest checkpoint; without one, the same state and no losses.

        Args:
            state, selection: those before the first step.

        Raises:
            InputError: the folder is in use, or belongs to another training.
        """

        def like(step: int) -> Checkpoint:
            losses = np.zeros((step, 2), np.float32)
            if selection is None:
                return Checkpoint(state, losses)
            return Checkpoint(state, losses, selection._replace(errors=np.zeros(1 - -step // self._config.chunk_size)))

        newest = None if self._folder is None else _from_leader(lambda: self._open(like), like)
        if newest is None:
            return Checkpoint(state, np.zeros((0, 2), np.float32), selection)
        kept = newest.selection
        kept = None if kept is None else kept._replace(best=jax.tree.map(jnp.asarray, kept.best))
        return Checkpoint(jax.tree.map(jnp.asarray, newest.state), newest.losses, kept)

    def keep(self, checkpoint: Checkpoint, *, last: bool) -> None:
        """Write a checkpoint if it is due; the end of a training is always written."""
        if self._store is None:
            return
        if self._written is None:  # the clock starts after the first chunk, which includes the compilation
            self._written = time.monotonic()
        step = len(checkpoint.losses)
        due = step // self._config.chunk_size % self._every == 0 and time.monotonic() - self._written >= self._seconds
        if due or last:
            self._store.keep(step, checkpoint)
            self._written = time.monotonic()

    def drop(self, step: int) -> None:
        """Delete the checkpoint of a step that proved to be bad."""
        if self._store is not None:
            self._store.drop(step)

    def _open(self, like: Callable[[int], Checkpoint]) -> Checkpoint | None:
        assert self._folder is not None
        self._store = Checkpoints(self._folder, self._config, self._marks())
        return self._store.latest(like)


def _from_leader(read: Callable[[], Checkpoint | None], like: Callable[[int], Checkpoint]) -> Checkpoint | None:
    """The result of `read()` in the leading process, in every process.

    Args:
        read: called only in the leading process.
        like: step -> a state of that step, for the structure, shapes and types.

    Raises:
        InputError: `read` raised it in the leading process.
    """
    if jax.process_count() == 1:
        return read()
    from jax.experimental.multihost_utils import broadcast_one_to_all

    newest, refusal = None, None
    try:
        newest = read() if leads() else None
    except InputError as error:
        refusal = error
    step = int(broadcast_one_to_all(np.int32(-1 if refusal else (0 if newest is None else len(newest.losses)))))
    if step < 0:
        raise refusal or InputError("The first process refused the checkpoints: its own message says why.")
    return None if step == 0 else broadcast_one_to_all(like(step) if newest is None else newest)
