"""Transported points on disk, for more of them than fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._files import write_rows
from bridgeviz.flows._flow import Flow


def save_transported(
    flow: Flow,
    x: ArrayLike,
    path: Path,
    *,
    samples: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> tuple[int, ...]:
    """Carry source points to the target space, and write them to a `.npy` file block by block; returns its shape.

    The file has the precision of the target. Memory: a block of points, besides `x`.

    Args:
        flow: carries them.
        x: (n, p) source points, such as a memory map.
        path: of the file, a draft: what is interrupted leaves half of it.
        samples: draws per point, at least 2, for a file of shape (samples, n, q); None for one of shape (n, q).
        on_progress: called with (done, total) points after every block, and with (0, total) before the first.
        options: `seed`, `solver` and its options, as for `Flow.transport`.

    Raises:
        InputError: as for `Flow.transport`.
    """
    x = check.matrix(x, "x", "transport", columns=len(flow.source.mean), rows=1)
    draws = 1 if samples is None else check.count(samples, "samples", "draws", least=2)
    total = draws * len(x)
    states = flow.transport_in_blocks(x, samples=draws, **options)

    def blocks() -> Iterator[np.ndarray]:
        done = 0
        for block in states:
            yield block[-1]
            done += len(block[-1])
            if on_progress is not None:
                on_progress(done, total)

    shape = (len(x), len(flow.target.mean)) if samples is None else (draws, len(x), len(flow.target.mean))
    if on_progress is not None:
        on_progress(0, total)
    write_rows(path, blocks(), shape=shape, dtype=np.dtype(flow.target.dtype))
    return shape
