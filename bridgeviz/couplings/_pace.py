"""How far a solve is, and when it will end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

WINDOW, LEAST = 12, 6
"""The latest steps from which the decay is read, and how many it takes."""

JUMP = 2.0
"""The factor by which an error grows where something new begins, such as a stage with a smaller epsilon."""

ALIKE = 2.0
"""The factor between the decay in the first half of the window and that in the second, up to which it is believed."""


class Point(NamedTuple):
    """Where a solve is at one moment.

    Attributes:
        seconds: of a clock.
        done: steps so far.
        error: that falls until the solve ends.
    """

    seconds: float
    done: int
    error: float


class Pace:
    """Turns the steps of a solve into a line on its progress.

    Args:
        step: the name of a step.
        error: the name of the error that a step yields.
        tolerance: of the error, at which the solve ends; None if it says nothing about the end.
        most: steps at which it ends at the latest.
        clock: in seconds.

    >>> pace = Pace("iteration", "marginal error")
    >>> pace(1200, 0.0034)
    'iteration 1,200, marginal error 3.4e-03'
    """

    def __init__(
        self, step: str, error: str, *, tolerance: float | None = None, most: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ):  # fmt: skip
        self._step, self._error, self._tolerance, self._most, self._clock = step, error, tolerance, most, clock
        self._points: list[Point] = []

    def __call__(self, done: int, error: float) -> str:
        """The line after a step."""
        last = self._points[-1] if self._points else None
        if last is not None and (done <= last.done or not error < JUMP * last.error):
            self._points = []
        self._points = [*self._points[1 - WINDOW :], Point(self._clock(), done, error)]
        left = None if self._tolerance is None else seconds_left(self._points, self._tolerance, self._most)
        line = f"{self._step} {done:,}, {self._error} {error:.1e}"
        return line if left is None else f"{line}, {in_words(left)} left"


def seconds_left(points: Sequence[Point], tolerance: float, most: float = math.inf) -> float | None:
    """The seconds until the error reaches the tolerance, if it goes on falling as it did; None if that can't be told.

    `log(error / tolerance) / rate` steps, where the rate is that at which the logarithm of the error falls per step.

    Args:
        points: the latest ones.
        tolerance: at which the solve ends.
        most: steps at which it ends at the latest.
    """
    if len(points) < LEAST or not all(0 < point.error < math.inf for point in points):
        return None
    half = len(points) // 2
    rates = [_rate(part) for part in (points, points[: half + 1], points[half:])]
    if min(rates) <= 0 or max(rates[1:]) > ALIKE * min(rates[1:]):
        return None
    first, last = points[0], points[-1]
    steps = min(max(math.log(last.error / tolerance), 0.0) / rates[0], most - last.done)
    return steps * (last.seconds - first.seconds) / (last.done - first.done)


def _rate(points: Sequence[Point]) -> float:
    """How much the logarithm of the error falls per step, by least squares."""
    return -float(np.polyfit([point.done for point in points], np.log([point.error for point in points]), 1)[0])


def in_words(seconds: float) -> str:
    """A duration that is only an estimate.

    >>> [in_words(seconds) for seconds in (3, 23, 200, 9000)]
    ['a few seconds', 'about 20 s', 'about 3 min', 'about 2.5 h']
    """
    if seconds < 9:
        return "a few seconds"
    if seconds < 95:
        return f"about {round(seconds, -1):.0f} s"
    if seconds < 95 * 60:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.2g} h"
