"""Data-parallel training over a device mesh, on one host or several, by JAX's own runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from bridgeviz import _checks as check
from bridgeviz._checks import InputError

Tree = TypeVar("Tree")


def mesh(devices: int | None = None) -> Mesh:
    """A row of devices that share each batch.

    Args:
        devices: number of devices of each process; None takes all.

    Raises:
        InputError: a process has fewer devices.
    """
    chosen = jax.devices()
    if devices is not None:
        check.count(devices, "devices", "mesh", most=jax.local_device_count())
        by_process = [[d for d in chosen if d.process_index == k] for k in range(jax.process_count())]
        chosen = [d for own in by_process for d in own[:devices]]
    return Mesh(np.array(chosen), ("batch",))


def check_mesh(value: object, batch_size: int) -> Mesh:
    """A mesh whose devices can share a batch evenly."""
    if not isinstance(value, Mesh):
        raise check.fail("mesh", "fit", "a mesh, such as flows.mesh()", check.describe(value))
    check_even(batch_size, value.size)
    return value


def check_even(batch_size: int, devices: int) -> None:
    """Refuse a batch that the devices cannot share evenly."""
    if batch_size % devices:
        raise check.fail("batch_size", "fit", f"a multiple of the {devices} devices", batch_size)


def check_same(marks: Mapping[str, str]) -> None:
    """Refuse processes whose trainings differ.

    Args:
        marks: hexadecimal digests by name.

    Raises:
        InputError: in every process, naming what differs.
    """
    if jax.process_count() == 1:
        return
    from jax.experimental.multihost_utils import process_allgather

    digests = np.array([list(bytes.fromhex(mark)) for mark in marks.values()], np.int32)
    gathered = process_allgather(digests)
    same = (gathered == gathered[0]).all((0, 2))
    if not same.all():
        differ = ", ".join(name for name, equal in zip(marks, same, strict=True) if not equal)
        raise InputError(
            f"The processes of one training must have the same data and settings. They differ in: {differ}. Give each "
            "the same files and options."
        )


def everywhere(tree: Tree, over: Mesh | None) -> Tree:
    """A copy of each array on every device of the mesh, including those of other hosts; unchanged without a mesh."""
    if over is None:
        return tree
    place = NamedSharding(over, PartitionSpec())

    def put(leaf: jax.Array) -> jax.Array:
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(put(jax.random.key_data(leaf)))
        whole = np.asarray(leaf)
        return jax.make_array_from_callback(whole.shape, place, lambda part: whole[part])

    return jax.tree.map(put, tree)


def here(tree: Tree, over: Mesh | None) -> Tree:
    """Each array on this process's first device; unchanged without a mesh."""
    return tree if over is None else jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)


def agreed(tree: Tree) -> Tree:
    """The leading process's arrays in every process: a plan solved on other hardware may differ in its last digits."""
    if jax.process_count() == 1:
        return tree
    from jax.experimental.multihost_utils import broadcast_one_to_all

    return broadcast_one_to_all(tree)


def leads() -> bool:
    """Whether this process is the one that writes files."""
    return jax.process_index() == 0


def split(array: jax.Array, over: Mesh | None) -> jax.Array:
    """Inside a compiled step: some of the rows on each device."""
    if over is None:
        return array
    parts = PartitionSpec(over.axis_names, *[None] * (array.ndim - 1))
    return jax.lax.with_sharding_constraint(array, NamedSharding(over, parts))
