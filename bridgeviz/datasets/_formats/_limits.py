"""How large the arrays in a file may be, counted before they are read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bridgeviz._arrays import float_type
from bridgeviz._checks import InputError
from bridgeviz._memory import memory_limit
from bridgeviz.datasets._formats._file import File

_limited = False
"""Whether `limit_memory` was called: this process may take what `refuse_large` has counted, and little else."""

MOST_BYTES = 4 * 2**30
"""The memory that one array of a file may take, while it is read and converted to floats."""

MOST_TEXT = 2**28
"""Bytes of a file of labels or pairs. As Python's strings, they take ten times as much."""

_COPIES = 5
"""How often an array may exist while it is read, in a process whose memory is limited: Arrow doubles its buffers."""

SMALL, MOST_INFLATED = 10**8, 200
"""An array of more than SMALL bytes that is more than MOST_INFLATED times as large as in its file is a bomb.

Embeddings compress by a factor of 1.1 to 20 (deflate's limit is 1,032); constant columns of Parquet have none."""


def refuse_large(file: File, shape: Sequence[int], dtype: np.dtype, *, stored: int | None = None) -> None:
    """Refuse an array by the memory that it will take, and one that inflates like a bomb.

    Args:
        file: holds it.
        shape: of the array.
        dtype: of the array. Numbers that are not in a float type of ours exist twice while they are converted.
        stored: the bytes of the array in the file; None if it is not compressed.

    Raises:
        InputError: it would take more than 4 GB or than the memory limit, or is a bomb.
    """
    cells = math.prod(shape)
    size = cells * dtype.itemsize
    if dtype.kind in "fiub" and dtype != float_type(dtype):
        size += cells * float_type(dtype).itemsize
    limit = min(MOST_BYTES, memory_limit())
    if size > limit:
        raise InputError(
            f"{file} must hold arrays of at most {limit / 2**30:.3g} GB. Its array of shape {tuple(shape)} would take "
            f"{size / 2**30:.3g} GB: use a sample of its rows."
        )
    if stored is not None and SMALL < cells * dtype.itemsize > MOST_INFLATED * max(stored, 1):
        raise InputError(
            f"{file} must hold arrays that are at most {MOST_INFLATED} times as large as in the file. One of shape "
            f"{tuple(shape)} has {stored:,} bytes there: save it without compression if it is genuine."
        )
    if _limited:
        _grant(_COPIES * size)


def limit_memory(size: int) -> None:
    """Limit the address space of this process to what it has now and `size` bytes, where the system can do that."""
    global _limited
    statm = Path("/proc/self/statm")
    if statm.exists():
        import resource

        now = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + size, resource.getrlimit(resource.RLIMIT_AS)[1]))
        _limited = True


def _grant(size: int) -> None:
    """Let this process have more memory."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = soft + size if hard == resource.RLIM_INFINITY else min(soft + size, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def refuse_long_text(file: File) -> None:
    """Refuse a file of labels or pairs by its size."""
    if file.size > MOST_TEXT:
        size, most = file.size / 2**20, MOST_TEXT / 2**20
        raise InputError(f"{file} must have at most {most:.0f} MB as text. It has {size:.0f} MB: save it as .npy.")
