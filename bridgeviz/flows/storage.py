"""Trees of arrays on disk (orbax), by one process for itself, whichever others there are."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import jax
import numpy as np


def write_tree(path: Path, tree: Any) -> None:
    """Write nested dicts of arrays to a new folder.

    Raises:
        OSError: the disk takes no more.
    """
    try:
        with _checkpointer() as checkpointer:
            checkpointer.save(path, jax.tree.map(np.asarray, tree))
    except ValueError as error:  # orbax's writer wraps what the disk said
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise OSError(errno.EIO, reason, str(path)) from error


def read_tree(path: Path, like: Any) -> Any:
    """Read what `write_tree` wrote, with the structure, shapes and types of `like`, as NumPy arrays.

    Raises:
        ValueError: it has another structure or other shapes. What orbax raises for damaged files is not listed.
    """
    with _checkpointer() as checkpointer:
        found = checkpointer.restore(path, jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), like))
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(like), strict=True):
        if one.shape != other.shape:
            raise ValueError(f"an array of shape {one.shape}, not {other.shape}")
    return found


def _checkpointer() -> Any:
    import orbax.checkpoint as ocp

    me = jax.process_index()
    return ocp.StandardCheckpointer(
        multiprocessing_options=ocp.options.MultiprocessingOptions(
            primary_host=me, active_processes={me}, barrier_sync_key_prefix=f"bridgeviz-{me}"
        )
    )
