"""Trees of arrays on disk (orbax), by one process for itself, whichever others there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np


def write_tree(path: Path, tree: Any) -> None:
    """Write nested dicts of arrays to a new folder."""
    with _checkpointer() as checkpointer:
        checkpointer.save(path, jax.tree.map(np.asarray, tree))


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
