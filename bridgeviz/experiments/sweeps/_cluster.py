"""Where tasks run: in processes of this machine, on a running Dask scheduler, or on workers that a job queue starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from bridgeviz import _checks as check
from bridgeviz._checks import InputError

QUEUES = {"htcondor": "HTCondorCluster", "lsf": "LSFCluster", "moab": "MoabCluster", "oar": "OARCluster",
          "pbs": "PBSCluster", "sge": "SGECluster", "slurm": "SLURMCluster", "local": "LocalCluster"}  # fmt: skip
"""The job queues that dask-jobqueue knows, and its class for each; "local" starts the jobs as processes."""

PATIENCE = 10
"""Seconds that a scheduler has to answer."""

REMEDY = "Install it: pip install 'bridgeviz[sweep]'."


class Done(NamedTuple):
    """A task that has ended.

    Attributes:
        number: of the task, in the order in which they were given.
        result: what it returned; None if it failed.
        error: why it failed; "" if it didn't.
    """

    number: int
    result: Any
    error: str


@dataclass(frozen=True, kw_only=True)
class Workers:
    """Which workers run the tasks.

    Attributes:
        jobs: processes on this machine, or jobs in a queue; None is one per core, or one job.
        scheduler: the address of a running Dask scheduler; None for none.
        jobqueue: a name in `QUEUES`, whose workers are described by dask-jobqueue's own configuration; None for none.

    Raises:
        InputError: fewer than one job, an unknown queue, or a scheduler beside jobs or a queue.
    """

    jobs: int | None = None
    scheduler: str | None = None
    jobqueue: str | None = None

    def __post_init__(self):
        if self.jobs is not None:
            check.count(self.jobs, "jobs", "sweep")
        if self.jobqueue is not None:
            check.choice(self.jobqueue, "jobqueue", "sweep", QUEUES)
        if self.scheduler is not None and (self.jobs, self.jobqueue) != (None, None):
            got = "jobs" if self.jobs is not None else "a job queue"
            raise InputError(f"A running scheduler has workers of its own, so that {got} can't be asked for beside it.")

    @contextmanager
    def client(self) -> Iterator[Any]:
        """A Dask client; what it has started ends with the block.

        Raises:
            InputError: Dask is not installed, or nobody answers at the scheduler's address.
        """
        with ExitStack() as stack:
            try:
                import distributed
            except ImportError as error:
                raise InputError(f"Sweeps and benchmarks with several jobs need Dask. {REMEDY}") from error
            if self.scheduler is not None:
                try:
                    client = distributed.Client(self.scheduler, timeout=PATIENCE)
                except (OSError, ValueError) as error:
                    raise InputError(f"No Dask scheduler answers at {self.scheduler}: {error}.") from error
            elif self.jobqueue is not None:
                client = distributed.Client(stack.enter_context(self._queued()))
            else:
                stack.enter_context(_same_environment())
                client = distributed.Client(stack.enter_context(self._local(stack)))
            yield stack.enter_context(client)

    def _local(self, stack: ExitStack) -> Any:
        """Processes on this machine, which divide its cores among them."""
        import distributed

        jobs = self.jobs or os.cpu_count() or 1
        compiled = stack.enter_context(TemporaryDirectory())
        return distributed.LocalCluster(
            n_workers=jobs, threads_per_worker=1, env=threads(jobs) | {"JAX_COMPILATION_CACHE_DIR": compiled},
            silence_logs=50, dashboard_address=":0",
        )  # fmt: skip

    def _queued(self) -> Any:
        assert self.jobqueue is not None
        try:
            module = import_module(f"dask_jobqueue.{self.jobqueue}")
        except ImportError as error:
            raise InputError(f"A job queue needs dask-jobqueue. {REMEDY}") from error
        cluster = getattr(module, QUEUES[self.jobqueue])(scheduler_options={"dashboard_address": ":0"})
        cluster.scale(jobs=self.jobs or 1)
        return cluster


@contextmanager
def _same_environment() -> Iterator[None]:
    """Afterwards, the environment of this process is as before: Dask may leave that of its workers there."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def threads(jobs: int) -> dict[str, str]:
    """The environment of one of several processes that divide the cores of a machine; no GPU is shared out."""
    if jobs == 1:
        return {}
    each = str(max(1, (os.cpu_count() or 1) // jobs))
    eigen = f"--xla_cpu_multi_thread_eigen={'false' if each == '1' else 'true'} intra_op_parallelism_threads={each}"
    libraries = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), each)
    flags = f"{os.environ.get('XLA_FLAGS', '')} {eigen}".strip()
    return libraries | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}


def in_order(
    client: Any, function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], names: Sequence[str]
) -> Iterator[Done]:
    """Call a function of a module with the arguments of each task; yields each task as soon as it has ended.

    Tasks start in their order. One whose worker dies is given to another, up to three times.

    Args:
        client: from `Workers.client`.
        function: of a module that the workers can import.
        tasks: the arguments of each call, which can be pickled.
        names: of the tasks, all different.
    """
    import distributed

    numbers: Mapping[Any, int] = {
        client.submit(function, *task, key=name, priority=-place, pure=False): place
        for place, (task, name) in enumerate(zip(tasks, names, strict=True))
    }
    try:
        for future in distributed.as_completed(list(numbers)):
            error = future.exception() if future.status == "error" else None
            if isinstance(error, distributed.KilledWorker):
                yield Done(numbers[future], None, "Its worker has died several times, most likely for want of memory.")
            elif error is not None:
                raise error
            else:
                yield Done(numbers[future], future.result(), "")
            future.release()
    finally:
        client.cancel(list(numbers))
