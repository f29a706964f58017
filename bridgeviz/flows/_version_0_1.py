"""Trees of arrays that version 0.1.0 wrote (orbax). They are read, and written no more."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import jax
import numpy as np

Tree = TypeVar("Tree")


def read_tree(path: Path, like: Tree) -> Tree:
    """A stored tree with the structure, shapes and types of `like`, as NumPy arrays.

    Raises:
        ValueError: the stored tree has another structure or other shapes. For damaged files, orbax raises errors of
            many other types.
    """
    import orbax.checkpoint as ocp

    process = jax.process_index()
    options = ocp.options.MultiprocessingOptions(
        primary_host=process, active_processes={process}, barrier_sync_key_prefix=f"bridgeviz-{process}"
    )
    with ocp.StandardCheckpointer(multiprocessing_options=options) as checkpointer:
        stored = checkpointer.restore(path, jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), like))
    for leaf, expected in zip(jax.tree.leaves(stored), jax.tree.leaves(like), strict=True):
        if leaf.shape != expected.shape:
            raise ValueError(f"an array of shape {leaf.shape}, not {expected.shape}")
    return stored
