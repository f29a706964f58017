"""The progress bars of a training, a transport and a sweep."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from bridgeviz.couplings import Pace
    from bridgeviz.experiments import sweeps
    from bridgeviz.flows import FlowConfig, Progress

OFTEN, SELDOM = 0.1, 60.0
"""Seconds between two lines on the coupling: on a terminal, and in a log."""


class TrainingBar:
    """A progress bar on stderr, as a context manager.

    Args:
        config: of the training.
        pace: of the coupling.
        shown: whether there is a bar at all. Without a terminal there is none either way, and a long coupling writes a
            line per minute.
    """

    def __init__(self, config: FlowConfig, pace: Pace, *, shown: bool):
        self._pace, self._shown, self._due = pace, shown, 0.0
        self._chunk_size = config.chunk_size
        disable = None if shown else True
        self._bar = tqdm(total=config.steps, desc="training", unit="step", disable=disable, leave=False)
        self._notices = {""}
        self._begun = False

    def __enter__(self) -> TrainingBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def show(self, progress: Progress) -> None:
        """The progress of the training."""
        bar = self._bar
        if not self._begun and len(progress.losses) > self._chunk_size:
            bar.write(f"Resuming an interrupted training at step {progress.step:,}.", file=sys.stderr)
        if progress.notice not in self._notices:
            bar.write(progress.notice, file=sys.stderr)
        self._begun = True
        self._notices.add(progress.notice)
        bar.set_description("training", refresh=False)
        bar.update(progress.step - bar.n)
        error = {} if progress.held_out is None else {"held_out_error": f"{progress.held_out:.3f}"}
        bar.set_postfix({"loss": f"{progress.losses.mean():.3f}", **error}, refresh=False)

    def show_choice(self, done: int, total: int) -> None:
        """The progress of the choice of a cost, which comes before the training."""
        self._bar.set_description(f"choosing a cost, {done} of {total}", refresh=True)

    def show_coupling(self, done: int, error: float) -> None:
        """The progress of the coupling, which comes before the training."""
        line, now, terminal = f"coupling, {self._pace(done, error)}", time.monotonic(), not self._bar.disable
        if not terminal and not self._due:
            self._due = now + SELDOM
        if now < self._due:
            return
        self._due = now + (OFTEN if terminal else SELDOM)
        if terminal:
            self._bar.set_description(line, refresh=True)
        elif self._shown:
            print(line, file=sys.stderr, flush=True)


@contextmanager
def transport_bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr with the remaining time, as what is called with (done, total) points.

    Without a terminal there is none.
    """
    with tqdm(desc="transport", unit="point", unit_scale=True, disable=None, leave=False) as bar:

        def show(done: int, total: int) -> None:
            if bar.total != total:
                bar.reset(total)  # the time counts from here
            bar.update(done - bar.n)

        yield show


@contextmanager
def sweep_bar() -> Iterator[Callable[[sweeps.Progress], None]]:
    """A progress bar on stderr with the remaining time, and a line for the dashboard and each cell that failed."""
    told = ""
    with tqdm(desc="sweep", unit="cell", disable=None, leave=False) as bar:

        def show(progress: sweeps.Progress) -> None:
            nonlocal told
            if bar.total != progress.total:
                bar.reset(progress.total)
                bar.initial = progress.done  # those of earlier starts took no time
            if progress.dashboard and progress.dashboard != told:
                told = progress.dashboard
                bar.write(f"Dask's dashboard: {told}", file=sys.stderr)
            for line in progress.failed:
                bar.write(line, file=sys.stderr)
            bar.update(progress.done - bar.n)

        yield show
