"""The job of the Train button: the pipeline, with its progress in the job's record and its checkpoints on the disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from bridgeviz import FlowConfig, Problem, Run, RunConfig, TrainingError, flows
from bridgeviz.couplings import Plan
from bridgeviz.experiments import Onlooker, Pipeline, Scene, device, scene, with_neighbourhoods
from bridgeviz.flows import Progress
from bridgeviz.ui.cache.results import Results, updates
from bridgeviz.ui.cache.stages import TEXTS
from bridgeviz.ui.state import owner
from bridgeviz.ui.work import runs
from bridgeviz.ui.work.jobs import Cancelled, Job
from bridgeviz.ui.work.priority import give_way

SECONDS = 3.0
"""Between two checkpoints: at most this much work is lost. Writing one blocks the page for a tenth of a second."""

PAUSE, FIRST = 30.0, 0.05
"""The time between two looks at the points, in units of what one takes; what it is taken to be after the first."""

NOT_SAVED = "This run can't be saved to the disk; it continues in memory only."
NOBODYS = "This server is shared. To keep your runs, add ?owner= and a name to the link; this one is in memory only."
ELSEWHERE = "Another session is training and saving the same run; this one continues in memory only."


def train(config: RunConfig, known: Results) -> Callable[[Job], None]:
    """The work of a run; call it where the session is known, whose owner the run gets.

    Args:
        config: its settings.
        known: the results that the server has already; the job adds its own.
    """

    whose = owner.current()

    def work(job: Job) -> None:
        checkpoints = runs.begin(config, whose)
        notice = "" if checkpoints else NOBODYS if whose is None else NOT_SAVED

        def fit(problem: Problem, plan: Plan, settings: FlowConfig) -> Iterator[Progress]:
            give_way()
            return _fit(problem, plan, replace(settings, chunk_size=config.coupling.chunk_size), checkpoints, notice)

        pipeline, monitor = Pipeline(config, known=known, train=fit), None
        pace = config.coupling.pace()
        job.update(steps=config.flow.steps, device=device())
        try:
            with closing(updates(pipeline, known, job.raise_if_cancelled)) as progress:
                for update in progress:
                    if isinstance(update.progress, Progress):
                        monitor = monitor or _Monitor(job, pipeline.problem, config)
                        monitor(update.progress)
                        monitor.check()
                    elif update.finished is None:
                        step = update.progress if update.stage == "coupling" else None
                        job.update(stage=TEXTS[update.stage], detail="" if step is None else pace(*step))
                        job.raise_if_cancelled()  # no pause here, because other sessions may wait for this stage
                    else:
                        job.check()
            runs.finish(checkpoints, pipeline.metrics)
            job.update(stage="Drawing the animation")
            run = Run.of(pipeline)
            job.update(scene=scene(run), run=run)
        except (Cancelled, TrainingError):
            if pipeline.flow is not None:  # what it has learned so far is kept
                job.update(run=Run.of(pipeline))
            raise

    return work


def neighbourhoods(run: Run, straight: Scene) -> Callable[[Job], None]:
    """The work of fitting the "Neighbourhoods" map to the scene of a run."""

    def work(job: Job) -> None:
        def report(done: int, total: int) -> None:
            job.check()
            job.update(stage="Arranging the points of all frames", step=done, steps=total)

        job.update(stage="Finding the neighbours of all frames")
        job.update(scene=with_neighbourhoods(straight, run, report=report))

    return work


def _fit(problem: Problem, plan: Plan, config: FlowConfig, checkpoints: Path | None, notice: str) -> Iterator[Progress]:
    """Train from the last checkpoint of the same run, if any; without checkpoints if another session is training it.

    Args:
        problem, plan, config, checkpoints: as in `flows.fit`.
        notice: why there are no checkpoints, if there are none.
    """
    for _ in range(5 if checkpoints else 0):
        with suppress(flows.Busy):  # another session may hold the lock for a moment, only to see whether it is free
            yield from flows.fit(problem, plan, config, checkpoints=checkpoints, every=1, seconds=SECONDS)
            return
        time.sleep(0.05)
    for progress in flows.fit(problem, plan, config):
        yield progress._replace(notice=notice or ELSEWHERE)


class _Monitor:
    """Writes losses, speed and, now and then, where some points end and how many are right to the record.

    After the first look and before the last, looking takes at most `1 / PAUSE` of the time of the training.
    """

    def __init__(self, job: Job, problem: Problem | None, config: RunConfig):
        assert problem is not None, "it is loaded by the time that training reports"
        self.job, self.problem, self.config = job, problem, config
        self.chunk = config.coupling.chunk_size
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.accuracy: list[tuple[int, float]] = []
        self.onlooker: Onlooker | None = None
        self.looked = self.look = 0.0  # when the latest look ended, and the seconds that it took
        self.start = (time.perf_counter(), 0)
        self.excluded = 0.0
        self.resumed = False

    def check(self) -> None:
        """As `Job.check`; the time of a pause does not count as training."""
        began = time.perf_counter()
        self.job.check()
        self.excluded += time.perf_counter() - began

    def __call__(self, progress: Progress) -> None:
        now = time.perf_counter()
        if not self.steps or self.resumed:  # the first chunk includes the compilation, or all steps before a checkpoint
            self.resumed = len(progress.losses) > self.chunk
            self.start, self.excluded = (now, progress.step), 0.0
        seconds = now - self.start[0] - self.excluded
        speed = (progress.step - self.start[1]) / seconds if seconds > 0 else 0.0
        step = progress.step - len(progress.losses)
        for losses in np.array_split(progress.losses, -(-len(progress.losses) // self.chunk)):
            step += len(losses)
            self.steps.append(step)
            self.losses.append(float(losses.mean()))
        self.job.update(
            stage="Training", step=progress.step, speed=speed, loss_steps=np.array(self.steps),
            losses=np.array(self.losses), held_out=progress.held_out,
            notice=progress.notice,
        )  # fmt: skip
        due = self.onlooker is None or time.perf_counter() - self.looked > PAUSE * self.look
        if due or progress.last:
            self._look(progress)
            self.excluded += time.perf_counter() - now

    def _look(self, progress: Progress) -> None:
        """Follow some points through the flow as it is."""
        first, began = self.onlooker is None, time.perf_counter()
        self.onlooker = self.onlooker or Onlooker(self.problem)
        glimpse = self.onlooker(progress.flow, progress.step)
        self.looked = time.perf_counter()
        self.look = FIRST if first else self.looked - began  # the first one includes the compilation
        if glimpse.accuracy is not None:
            self.accuracy.append((progress.step, glimpse.accuracy))
        self.job.update(accuracy=tuple(self.accuracy), glimpse=glimpse)
