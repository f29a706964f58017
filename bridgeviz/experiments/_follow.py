"""A computation that tells its progress, run to its end."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

T = TypeVar("T")


def follow(steps: Generator[tuple[int, int], None, T], on_step: Callable[[int, int], None] | None) -> T:
    """What a generator returns; `on_step` is called with each (done, total) that it yields."""
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            return end.value
        if on_step is not None:
            on_step(*progress)
