"""What the solver on a stored kernel runs on its devices: one program for each shape, on one device or on several."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax

from bridgeviz import _kernel_sweeps as sweep
from bridgeviz._row_shards import AXIS, ROWS, WHOLE, OneDevice, RowShards, over_rows


class Programs(NamedTuple):
    """The functions of `_kernel_sweeps`, compiled.

    Attributes:
        start: with `store`; a kernel in memory of its own.
        replace_cost: a kernel in the memory of the cost.
        columns_alone, sweeps: see there.
    """

    start: Callable[..., Any]
    replace_cost: Callable[..., Any]
    columns_alone: Callable[..., Any]
    sweeps: Callable[..., Any]


_start = jax.jit(sweep.start, static_argnames=("block", "store"))
_replace_cost = jax.jit(sweep.start, static_argnames=("block", "store"), donate_argnums=0)
_columns_alone = jax.jit(sweep.columns_alone, static_argnames="block")
_sweeps = jax.jit(sweep.sweeps, static_argnames="block")

_TERMS = (WHOLE, ROWS, WHOLE)
_KERNEL = sweep.Kernel(values=ROWS, a=ROWS, b=WHOLE, f=ROWS, g=WHOLE, tau=WHOLE)  # type: ignore[arg-type] - a tree


def programs(block: int, swept: int, devices: RowShards | OneDevice) -> Programs:
    """Those for blocks of `block` rows, of which iterations take `swept` rows at a time."""
    if isinstance(devices, OneDevice):
        return Programs(
            partial(_start, block=block), partial(_replace_cost, block=block, store=None),
            partial(_columns_alone, block=block), partial(_sweeps, block=swept),
        )  # fmt: skip

    def start(*arrays: Any, store: Any) -> Any:
        inputs = (ROWS, _TERMS, ROWS, WHOLE, WHOLE, WHOLE)
        return over_rows(sweep.start, devices.mesh, inputs, (ROWS, ROWS), block=block, store=store)(*arrays)

    return Programs(
        start,
        partial(start, store=None),
        over_rows(
            sweep.columns_alone, devices.mesh, (ROWS, _TERMS, WHOLE, WHOLE, WHOLE), WHOLE, block=block, axis=AXIS
        ),
        over_rows(
            sweep.sweeps, devices.mesh, (_KERNEL, ROWS, WHOLE, WHOLE, WHOLE, WHOLE), (ROWS, WHOLE, WHOLE, WHOLE),
            block=swept, axis=AXIS,
        ),
    )  # fmt: skip
