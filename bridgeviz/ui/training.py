"""What the Train button does: Algorithm 1 as a job, stage by stage, telling how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bridgeviz import Problem, Run, RunConfig, flows
from bridgeviz.experiments.run import build_cost, build_coupling, device, judge, sample_pairs
from bridgeviz.ui import runs
from bridgeviz.ui.courtesy import give_way
from bridgeviz.ui.jobs import Cancelled, Job
from bridgeviz.viz.scene import quick_accuracy, scene, with_neighbourhoods

CHUNK = {"true": 25, "global": 25, "local": 2}
"""Training steps between two looks at Cancel; a local step solves a transport problem and takes far longer."""

SECONDS = 3.0
"""From one checkpoint to the next: so much work can be lost. Writing one takes a tenth of a second from the page."""

UNKEPT = "This run can't be kept on the disk: it goes on in memory alone."
ELSEWHERE = "Another session trains the same run and keeps it: this one goes on in memory alone."


def train(config: RunConfig, problem: Problem) -> Callable[[Job], None]:
    """The work of training `config` on its problem, which is already the right way round."""

    def work(job: Job) -> None:
        seconds: dict[str, float] = {}
        clock = time.perf_counter()

        def stage(said: str, done: str | None = None) -> None:
            nonlocal clock
            if done:
                seconds[done] = time.perf_counter() - clock
            job.check()
            job.tell(stage=said)
            clock = time.perf_counter()

        job.tell(steps=config.steps, device=device())
        stage("Drawing the pairs")
        pairs = sample_pairs(problem, config)
        stage("Measuring the cost", "load")
        cost = build_cost(problem, pairs, config)
        stage("Solving the transport", "cost")
        plan = build_coupling(problem, pairs, cost, config, on_step=lambda *_: job.check())
        stage("Preparing the training", "coupling")
        losses: list[np.ndarray] = []
        flow: Any = None
        run: Run | None = None
        kept = runs.begin(config)

        def result(numbers: dict[str, float]) -> Run:
            return Run(config, problem, pairs, cost, plan, flow, np.concatenate(losses), numbers, seconds, device())

        try:
            flow_config = replace(config.flow(), chunk_size=CHUNK[config.strategy])
            watch = _Watch(job, problem, config)
            give_way()
            for progress in _fit(problem, plan, flow_config, kept):
                losses.append(progress.losses)
                flow = progress.flow
                watch(progress)
                import orbax.checkpoint  # noqa: F401 - slow: while the first loss is looked at, not at a later move

                watch.wait()
            clock += watch.paused
            stage("Measuring the accuracy", "training")
            numbers = judge(problem, plan, flow, seed=config.seed)
            runs.finish(kept, numbers)
            stage("Drawing the journey", "evaluation")
            run = result(numbers)
            job.tell(scene=scene(run), run=run)
        except (Cancelled, flows.TrainingError):  # what had been learned until then is kept
            if flow is not None:
                job.tell(run=run or result({}))
            raise

    return work


def _fit(problem: Problem, plan: Any, config: flows.FlowConfig, kept: Path | None) -> Iterator[flows.Progress]:
    """Train from the last checkpoint of the same run, if any; without one beside another session that trains it."""
    for _ in range(5 if kept else 0):
        with suppress(flows.Busy):  # somebody may hold it for a moment, only to see whether it is free
            yield from flows.fit(problem, plan, config, checkpoints=kept, every=1, seconds=SECONDS)
            return
        time.sleep(0.05)
    for progress in flows.fit(problem, plan, config):
        yield progress._replace(notice=ELSEWHERE if kept else UNKEPT)


def neighbourhoods(run: Run, made) -> Callable[[Job], None]:
    """The work of fitting the "Neighbourhoods" map to a run's scene."""

    def work(job: Job) -> None:
        job.tell(stage="Fitting one UMAP to all frames")
        job.tell(scene=with_neighbourhoods(made, run))

    return work


class _Watch:
    """Writes losses, speed and, now and then, the test accuracy on a sample to the record."""

    def __init__(self, job: Job, problem: Problem, config: RunConfig):
        self.job, self.problem, self.config = job, problem, config
        self.every = max(CHUNK[config.strategy], config.steps // 10)
        self.steps: list[int] = []
        self.losses: list[float] = []
        self.accuracy: list[tuple[int, float]] = []
        self.measured = 0
        self.before = (time.perf_counter(), 0)
        self.spent = self.paused = 0.0
        self.resumed = False

    def wait(self) -> None:
        """As `Job.check`; the time of a pause is not the training's."""
        now = time.perf_counter()
        self.job.check()
        took = time.perf_counter() - now
        self.paused, self.spent = self.paused + took, self.spent + took

    def __call__(self, progress: flows.Progress) -> None:
        now = time.perf_counter()
        if not self.steps or self.resumed:  # the first chunk holds the compilation, and a checkpoint comes before it
            self.resumed = len(progress.losses) > CHUNK[self.config.strategy]
            self.before, self.spent = (now, progress.step), 0.0
        took = now - self.before[0] - self.spent
        speed = (progress.step - self.before[1]) / took if took > 0 else 0.0
        first = progress.step - len(progress.losses)  # after a resumption the first chunk holds all there was before
        for part in np.array_split(progress.losses, -(-len(progress.losses) // CHUNK[self.config.strategy])):
            first += len(part)
            self.steps.append(first)
            self.losses.append(float(part.mean()))
        self.job.tell(
            stage="Training", step=progress.step, speed=speed, loss_steps=np.array(self.steps),
            losses=np.array(self.losses), notice=progress.notice,
        )  # fmt: skip
        if progress.step - self.measured >= self.every or progress.step == self.config.steps:
            self.measured = progress.step
            value = quick_accuracy(progress.flow, self.problem)
            if value is not None:
                self.accuracy.append((progress.step, value))
                self.job.tell(accuracy=tuple(self.accuracy))
            self.spent += time.perf_counter() - now
