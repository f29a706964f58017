"""What a machine is and how fast it can be: its description, and the floors under measured times."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from bridgeviz._memory import machine_memory
from bridgeviz.experiments.benchmarks._fresh_process import GB, Trial
from bridgeviz.experiments.benchmarks._ledger import Row

COUNTED = {"bytes": "GB/s", "flops": "GFLOP/s", "add_mins": "G(add+min)/s"}
"""What the work of a row is counted in, and the unit of its rate divided by 10^9."""


def machine() -> str:
    """The processor and its number of cores."""
    name = platform.processor() or platform.machine()
    about = Path("/proc/cpuinfo")
    if about.is_file():
        models = [line for line in about.read_text().splitlines() if line.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    return f"{name}, {os.cpu_count()} cores"


def machine_and_versions() -> str:
    """The processor, the memory, and the versions of what is measured."""
    versions = [f"{name} {_version(name)}" for name in ("numpy", "jax", "ott-jax", "POT")]
    memory = f"{machine_memory() / GB:.0f} GB of memory"
    return f"{machine()}, {memory}; " + ", ".join([f"Python {platform.python_version()}", *versions])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


@dataclass(frozen=True)
class Rates:
    """The rates of a machine that bound every time from below.

    Attributes:
        per_second: by what is counted: bytes of memory traffic, operations of a float32 matrix product, and pairs of an
            addition and a minimum.
    """

    per_second: Mapping[str, float]

    @classmethod
    def of(cls, rows: list[Row]) -> Rates:
        """The rates from the rows that measure them: what a row counts, over its shortest time."""
        return cls(
            {count: row[count] / row["seconds_least"] for row in rows for count in COUNTED if _is_known(row, count)}
        )

    def floor(self, row: Row) -> float | None:
        """The least seconds that the work of a row takes; None if the row counts nothing whose rate is known."""
        return max(
            (row[count] / rate for count, rate in self.per_second.items() if _is_known(row, count)), default=None
        )


def _is_known(row: Row, column: str) -> bool:
    return row.get(column) is not None and row[column] == row[column]  # not NaN


def memory_bandwidth(n: int) -> Trial:
    """The addition of STREAM, `a = b + c`, on all cores; n numbers in each array, many more than a cache holds."""
    a, b, c = np.zeros(n), np.ones(n), np.ones(n)
    cores = os.cpu_count() or 1
    parts = [slice(k * n // cores, (k + 1) * n // cores) for k in range(cores)]
    pool = ThreadPoolExecutor(cores)

    def call() -> None:
        list(pool.map(lambda part: np.add(b[part], c[part], out=a[part]), parts))

    return Trial(call, _count(bytes=3 * a.nbytes))


def matrix_product(n: int) -> Trial:
    """A float32 product of two n x n matrices by NumPy's library of linear algebra."""
    a, b = np.ones((n, n), np.float32), np.ones((n, n), np.float32)
    return Trial(lambda: a @ b, _count(flops=2 * n**3))


def add_and_min(n: int, chain: int = 128) -> Trial:
    """`min_k x + s_k` for n float32 numbers x and a chain of s: numbers stay in registers from one step to the next."""
    import jax
    import jax.numpy as jnp

    def least(terms: list[jax.Array]) -> jax.Array:
        """The minimum as a tree, whose branches don't wait for each other."""
        if len(terms) == 1:
            return terms[0]
        a, b = least(terms[::2]), least(terms[1::2])
        return jnp.where(a < b, a, b)  # one instruction; jnp.minimum needs more of them, for NaN

    run = jax.jit(lambda x, shifts: least([x + shifts[k] for k in range(chain)]))
    x, shifts = jnp.arange(n, dtype=jnp.float32), jnp.arange(chain, dtype=jnp.float32)
    return Trial(lambda: run(x, shifts).block_until_ready(), _count(add_mins=chain * n))


def _count(**work: float) -> Callable[[Any], Row]:
    return lambda _: dict(work)
