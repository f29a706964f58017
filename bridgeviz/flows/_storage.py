"""Trees of arrays on disk (orbax). Each process reads and writes independently of the others."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import jax
import numpy as np
from jaxtyping import PyTree

if TYPE_CHECKING:
    import orbax.checkpoint as ocp

Tree = TypeVar("Tree")


def write_tree(path: Path, tree: PyTree) -> None:
    """Write nested dicts of arrays to a new folder.

    Raises:
        OSError: the disk is full or cannot be written to.
    """
    try:
        with _checkpointer() as checkpointer:
            checkpointer.save(path, jax.tree.map(np.asarray, tree))
    except ValueError as error:  # orbax wraps the error of the disk
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise OSError(errno.EIO, reason, str(path)) from error


def read_tree(path: Path, like: Tree) -> Tree:
    """Read what `write_tree` wrote, with the structure, shapes and types of `like`, as NumPy arrays.

    Raises:
        ValueError: the stored tree has another structure or other shapes. For damaged files, orbax raises errors of
            many other types.
    """
    with _checkpointer() as checkpointer:
        stored = checkpointer.restore(path, jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), like))
    for leaf, expected in zip(jax.tree.leaves(stored), jax.tree.leaves(like), strict=True):
        if leaf.shape != expected.shape:
            raise ValueError(f"an array of shape {leaf.shape}, not {expected.shape}")
    return stored


def _checkpointer() -> ocp.StandardCheckpointer:
    import orbax.checkpoint as ocp

    process = jax.process_index()
    return ocp.StandardCheckpointer(
        multiprocessing_options=ocp.options.MultiprocessingOptions(
            primary_host=process, active_processes={process}, barrier_sync_key_prefix=f"bridgeviz-{process}"
        )
    )
