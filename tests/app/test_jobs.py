"""Background jobs: they report, queue, pause, can be cancelled, and stop when they are abandoned."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz import flows
from bridgeviz.experiments import _pipeline
from bridgeviz.ui.cache.results import Results
from bridgeviz.ui.work import jobs, training
from bridgeviz.ui.work.queue import JobQueue

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def waiting(gate: threading.Event):
    def work(job: jobs.Job) -> None:
        while not gate.wait(0.01):
            job.check()

    return work


def until(true, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


def test_one_runs_at_a_time_and_the_others_queue(gate):
    queue = JobQueue(limit=1)
    first, second, third = (jobs.Job(waiting(gate), queue).start() for _ in range(3))
    until(lambda: first.snapshot().state == "running")
    assert (second.snapshot().position, third.snapshot().position) == (1, 2)
    second.cancel()
    until(lambda: second.snapshot().state == "cancelled")
    assert third.snapshot().position == 1
    first.cancel()
    until(lambda: third.snapshot().state == "running")
    gate.set()
    until(lambda: third.snapshot().state == "done")


def test_who_waits_learns_when_the_running_job_ends(gate):
    def work(job: jobs.Job) -> None:
        job.update(step=100, steps=300, speed=10.0)
        waiting(gate)(job)

    queue = JobQueue(limit=1)
    running, queued, later = (jobs.Job(work, queue).start() for _ in range(3))
    until(lambda: running.snapshot().step == 100)
    assert running.snapshot().wait is None
    assert queued.snapshot().wait == 20
    assert "You are next" in queued.snapshot().text
    assert "about 20 s" in queued.snapshot().text
    assert "more than 20 s" in later.snapshot().text
    running.update(steps=0, speed=0.0)
    assert "not known yet" in queued.snapshot().text


def test_a_pause_is_acknowledged_before_the_job_comes_to_its_next_check(gate):
    job = jobs.Job(lambda job: (job.update(stage="Preparing"), gate.wait(), job.check()), JobQueue()).start()
    until(lambda: job.snapshot().stage == "Preparing")
    assert not job.snapshot().pausing
    job.pause()
    assert job.snapshot().pausing
    assert job.snapshot().text == "**Pausing** as soon as this has ended: Preparing"
    gate.set()
    until(lambda: job.snapshot().state == "paused")
    assert not job.snapshot().pausing
    job.resume()
    until(lambda: job.snapshot().state == "done")


def test_an_abandoned_job_is_cancelled(gate, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 0.2)
    queue = JobQueue(limit=1)
    running, queued = (jobs.Job(waiting(gate), queue).start() for _ in range(2))
    running.join(5)
    queued.join(5)
    assert running.snapshot().state == queued.snapshot().state == "cancelled"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (bv.InputError("The 'epsilon' is wrong."), "The 'epsilon' is wrong."),
        (bv.TrainingError("The loss became nan."), "The loss became nan."),
        (MemoryError(), "This machine ran out of memory. Try a smaller setting."),
        (KeyError("x"), "Something unexpected went wrong (KeyError). The server's log has the details."),
    ],
)
def test_an_error_becomes_one_sentence(error, message):
    def work(job):
        raise error

    job = jobs.Job(work, JobQueue()).start()
    job.join(5)
    assert (job.snapshot().state, job.snapshot().error) == ("failed", message)


def test_a_training_job_gives_the_same_run_as_the_library():
    config = bv.RunConfig(dataset="blobs", options={"n": 100}, fraction=0.2, steps=60, batch_size=32)
    job = jobs.Job(training.train(config, Results()), JobQueue()).start()
    job.join(120)
    record = job.snapshot()
    assert record.error == ""
    assert record.state == "done"
    direct = bv.run(config)
    np.testing.assert_allclose(record.run.losses, direct.losses, rtol=1e-4)
    assert record.run.metrics.keys() == direct.metrics.keys()
    assert record.run.metrics["test_accuracy"] == pytest.approx(direct.metrics["test_accuracy"], abs=0.02)
    assert record.step == record.steps == 60
    assert record.accuracy[-1][0] == 60
    assert record.scene.positions.shape[0] == 21


def test_a_cancelled_training_keeps_its_flow():
    config = bv.RunConfig(dataset="blobs", options={"n": 100}, fraction=0.2, steps=100_000, batch_size=32)
    job = jobs.Job(training.train(config, Results()), JobQueue()).start()
    until(lambda: job.snapshot().step > 0, 120)
    job.cancel()
    job.join(20)
    record = job.snapshot()
    assert record.state == "cancelled"
    assert record.run.metrics == {}
    assert 0 < len(record.run.losses) < 100_000
    assert record.run.flow.transport(record.run.problem.source.x[:3]).states.shape[1] == 3


@pytest.fixture
def paused(monkeypatch):
    """A job in which every check takes 100 s and nothing else takes any time; its clock and its record."""
    clock, record = [0.0], {}

    def check():
        clock[0] += 100.0

    job = SimpleNamespace(check=check, raise_if_cancelled=lambda: None, update=lambda **changes: record.update(changes))
    for module in (training, _pipeline):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: clock[0], sleep=time.sleep))
    return job, clock, record


def test_a_pause_does_not_count_in_the_speed(paused, monkeypatch):
    """The first chunk of a resumed training holds all losses before the checkpoint."""
    job, clock, record = paused
    monkeypatch.setattr(training._Monitor, "_look", lambda *_: None)
    config = bv.RunConfig(dataset="blobs", strategy="true", steps=1000)
    monitor = training._Monitor(job, bv.load("blobs", n=40), config)
    chunk = config.coupling.chunk_size
    monitor(flows.Progress(4 * chunk, np.zeros(4 * chunk), None))
    monitor.check()
    for step in (5, 6, 7):
        clock[0] += 1.0
        monitor(flows.Progress(step * chunk, np.zeros(chunk), None))
        monitor.check()
    assert record["speed"] == pytest.approx(chunk)


def test_looking_at_the_points_takes_little_of_the_time_however_fast_the_steps_are(paused, monkeypatch):
    job, clock, _ = paused
    looks = []

    class Slow:
        def __init__(self, problem):
            pass

        def __call__(self, flow, step):
            clock[0] += 1.0
            looks.append(step)
            return SimpleNamespace(accuracy=0.5)

    monkeypatch.setattr(training, "Onlooker", Slow)
    config = bv.RunConfig(dataset="blobs", strategy="true", steps=100_000)
    monitor = training._Monitor(job, bv.load("blobs", n=40), config)
    chunk, count = config.coupling.chunk_size, 200
    for number in range(1, count + 1):
        clock[0] += 1.0
        monitor(flows.Progress(number * chunk * 10, np.zeros(chunk), None, last=number == count))
    assert looks[0] == chunk * 10
    assert looks[-1] == count * chunk * 10
    assert 4 <= len(looks) <= 3 + count / training.PAUSE


def test_a_pause_does_not_count_in_the_seconds(paused):
    job, clock, record = paused
    config = bv.RunConfig(dataset="blobs", options={"n": 60}, strategy="true", fraction=0.5, steps=75, batch_size=16)
    training.train(config, Results())(job)
    assert clock[0] >= 400
    assert record["run"].seconds["training"] == 0


def test_a_paused_job_lets_another_run_and_then_continues(gate):
    queue = JobQueue(limit=1)
    turns = []

    def work(job: jobs.Job) -> None:
        while not gate.wait(0.01):
            turns.append(1)
            job.check()

    first = jobs.Job(work, queue).start()
    until(lambda: first.snapshot().state == "running")
    first.pause()
    until(lambda: first.snapshot().state == "paused")
    assert first.snapshot().active
    before = len(turns)
    other = threading.Event()
    second = jobs.Job(waiting(other), queue).start()
    until(lambda: second.snapshot().state == "running")
    assert len(turns) == before
    first.resume()
    until(lambda: first.snapshot().state == "queued")
    assert first.snapshot().position == 1
    other.set()
    until(lambda: first.snapshot().state == "running")
    until(lambda: len(turns) > before)
    gate.set()
    until(lambda: first.snapshot().state == "done")


@pytest.mark.parametrize("how", ["cancel", "patience"])
def test_a_paused_job_can_be_cancelled_and_abandoned(gate, monkeypatch, how):
    job = jobs.Job(waiting(gate), JobQueue(limit=1)).start()
    until(lambda: job.snapshot().state == "running")
    job.pause()
    until(lambda: job.snapshot().state == "paused")
    if how == "cancel":
        job.cancel()
    else:
        monkeypatch.setattr(jobs, "PATIENCE", 0.1)
    job.join(5)
    assert job.snapshot().state == "cancelled"
