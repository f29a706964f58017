"""Tasks in worker processes, each on one core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from tempfile import TemporaryDirectory
from threading import Thread

from bridgeviz.experiments.benchmarks._benchmark import Task
from bridgeviz.experiments.benchmarks._ledger import Row

ONE_CORE = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}  # fmt: skip
"""The environment of a worker: its libraries use one thread, and no GPU is shared out by accident."""


def in_workers(tasks: list[Task], jobs: int) -> Iterator[tuple[Task, list[Row]]]:
    """Measure tasks in `jobs` processes; yields each with its rows as soon as it is done.

    Tasks start in order. Their `measure` must be a function of a module, with arguments that can be pickled. What one
    worker has compiled, the others read from a folder that lasts as long as they do.
    """
    with (
        TemporaryDirectory() as compiled,
        environment({**ONE_CORE, "JAX_COMPILATION_CACHE_DIR": compiled}),
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool,
    ):
        futures = {pool.submit(_measure, task): task for task in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Environment variables that processes started meanwhile inherit."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _end_with_parent() -> None:
    """End this worker when its parent has ended, however that happened; it would wait for tasks forever."""
    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()


def _measure(task: Task) -> list[Row]:
    return list(task.measure())
