"""The rows of a problem divided over devices, of one host or of several; what belongs to the columns is on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

AXIS = "rows"
"""The name of the devices' axis."""

ROWS, WHOLE = PartitionSpec(AXIS), PartitionSpec()
"""What is divided over the devices, and what each of them has."""


class RowShards:
    """The devices that rows are divided over.

    Args:
        devices: in the order of their rows.
    """

    def __init__(self, devices: Sequence[Any]):
        self.mesh, self.count = Mesh(np.asarray(devices), (AXIS,)), len(devices)

    @cached_property
    def several_hosts(self) -> bool:
        """Whether some of the devices belong to other processes, each of which makes the same calls."""
        return any(device.process_index != jax.process_index() for device in self.mesh.devices)

    def array(self, shape: tuple[int, ...], part: Callable[[Any], np.ndarray]) -> jax.Array:
        """An array whose rows are divided, from a function that returns those of an index."""
        return jax.make_array_from_callback(shape, NamedSharding(self.mesh, ROWS), part)

    def rows(self, values: np.ndarray) -> jax.Array:
        """Values of all rows, divided."""
        return self.array(values.shape, lambda index: values[index])

    def columns(self, values: np.ndarray) -> jax.Array:
        """Values of all columns, on each device."""
        return jax.make_array_from_callback(values.shape, NamedSharding(self.mesh, WHOLE), lambda index: values[index])

    def on_host(self, values: jax.Array) -> np.ndarray:
        """The whole array, on each host."""
        if self.several_hosts:
            return np.asarray(multihost_utils.process_allgather(values, tiled=True))
        return np.asarray(values)

    def from_all_hosts(self, numbers: Sequence[float]) -> np.ndarray:
        """The numbers of each host, a row each."""
        values = np.asarray(numbers, np.float64)[None]
        return np.asarray(multihost_utils.process_allgather(values, tiled=True)) if self.several_hosts else values


class OneDevice:
    """The same where nothing is divided."""

    count = 1
    rows = columns = staticmethod(jnp.asarray)
    on_host = staticmethod(np.asarray)


def all_devices() -> RowShards | OneDevice:
    """Those of this process, and of all others that `jax.distributed` has joined."""
    devices = jax.devices()
    return RowShards(devices) if len(devices) > 1 else OneDevice()


@cache
def over_rows(function: Any, mesh: Mesh, inputs: Any, outputs: Any, **static: Any) -> Any:
    """A compiled function that each device calls with its own rows.

    Args:
        function: of arrays; it takes `axis`, if it has to add up what the devices have.
        mesh: of the devices.
        inputs, outputs: what is divided, as trees of `ROWS` and `WHOLE`.
        static: other arguments of the function.
    """
    inner = jax.shard_map(
        lambda *arrays: function(*arrays, **static), mesh=mesh, in_specs=inputs, out_specs=outputs, check_vma=False
    )
    return jax.jit(inner)
