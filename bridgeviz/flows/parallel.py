"""Data-parallel training over a device mesh, on one host or several: JAX's own runtime does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from bridgeviz import _checks as check
from bridgeviz._checks import InputError


def mesh(devices: int | None = None) -> Mesh:
    """A line of devices along which each batch is split.

    Args:
        devices: so many of this process, and of each other one that trains along; None takes all.

    Raises:
        InputError: there are fewer.
    """
    found = jax.devices()
    if devices is not None:
        check.count(devices, "devices", "mesh", most=jax.local_device_count())
        by_process = [[d for d in found if d.process_index == k] for k in range(jax.process_count())]
        found = [d for own in by_process for d in own[:devices]]
    return Mesh(np.array(found), ("batch",))


def check_mesh(value: Mesh, batch_size: int) -> Mesh:
    """A mesh that a batch can be split over, evenly."""
    if not isinstance(value, Mesh):
        raise check.fail("mesh", "fit", "a mesh, such as flows.mesh()", check.describe(value))
    check_even(batch_size, value.size)
    return value


def check_even(batch_size: int, devices: int) -> None:
    """Refuse a batch that the devices can't share evenly."""
    if batch_size % devices:
        raise check.fail("batch_size", "fit", f"a multiple of the {devices} devices", batch_size)


def check_same(marks: dict[str, str]) -> None:
    """Refuse processes that do not train the same; `marks` are hexadecimal digests by name.

    Raises:
        InputError: in every process, naming what differs.
    """
    if jax.process_count() == 1:
        return
    from jax.experimental.multihost_utils import process_allgather

    ours = np.array([list(bytes.fromhex(mark)) for mark in marks.values()], np.int32)
    all_of_them = process_allgather(ours)
    same = (all_of_them == all_of_them[0]).all((0, 2))
    if not same.all():
        differ = ", ".join(name for name, fine in zip(marks, same, strict=True) if not fine)
        raise InputError(
            f"The processes of one training must have the same data and settings. They differ in: {differ}. Give each "
            "the same files and options."
        )


def everywhere(tree: Any, over: Mesh) -> Any:
    """A copy of each array on every device, of other hosts as well."""
    place = NamedSharding(over, PartitionSpec())

    def put(leaf: Any) -> jax.Array:
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(put(jax.random.key_data(leaf)))
        whole = np.asarray(leaf)
        return jax.make_array_from_callback(whole.shape, place, lambda part: whole[part])

    return jax.tree.map(put, tree)


def here(tree: Any) -> Any:
    """Each array as it is on this process's first device."""
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), tree)


def agreed(tree: Any) -> Any:
    """The leading process's arrays in every process: a plan solved on another machine may differ in its last digits."""
    if jax.process_count() == 1:
        return tree
    from jax.experimental.multihost_utils import broadcast_one_to_all

    return broadcast_one_to_all(tree)


def leads() -> bool:
    """Whether this process is the one that writes files."""
    return jax.process_index() == 0


def from_leader(find: Callable[[], Any], like: Callable[[int], Any]) -> Any:
    """What `find()` gives in the leading process, a state or None, in every process.

    Args:
        find: called in the leading process alone; gives None, or something of the structure of `like(step)`.
        like: step -> a template.

    Raises:
        InputError: `find` raised it in the leading process.
    """
    if jax.process_count() == 1:
        return find()
    from jax.experimental.multihost_utils import broadcast_one_to_all

    found, refused = None, None
    try:
        found = find() if leads() else None
    except InputError as error:
        refused = error
    step = int(broadcast_one_to_all(np.int32(-1 if refused else (0 if found is None else len(found.losses)))))
    if step < 0:
        raise refused or InputError("The first process refused the checkpoints: its own message says why.")
    return None if step == 0 else broadcast_one_to_all(like(step) if found is None else found)


def split(array: jax.Array, over: Mesh | None) -> jax.Array:
    """Inside a compiled step: a part of the rows on each device."""
    if over is None:
        return array
    parts = PartitionSpec(over.axis_names, *[None] * (array.ndim - 1))
    return jax.lax.with_sharding_constraint(array, NamedSharding(over, parts))
