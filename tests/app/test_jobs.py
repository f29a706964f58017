"""The background jobs: they report, they can be cancelled, they queue, and nobody's job ends by itself."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz import flows
from bridgeviz.ui import jobs, training

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


def test_one_at_a_time_and_the_rest_in_line(gate):
    office = jobs.Office(limit=1)
    first, second, third = (jobs.Job(waiting(gate), office).start() for _ in range(3))
    until(lambda: first.look().state == "running")
    assert (second.look().place, third.look().place) == (1, 2)
    second.cancel()
    until(lambda: second.look().state == "cancelled")
    assert third.look().place == 1
    first.cancel()
    until(lambda: third.look().state == "running")
    gate.set()
    until(lambda: third.look().state == "done")


def test_a_job_that_nobody_looks_at_is_cancelled(gate, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 0.2)
    office = jobs.Office(limit=1)
    running, queued = (jobs.Job(waiting(gate), office).start() for _ in range(2))
    running.join(5)
    queued.join(5)
    assert running.look().state == queued.look().state == "cancelled"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (bv.InputError("The 'epsilon' is wrong."), "The 'epsilon' is wrong."),
        (bv.TrainingError("The loss became nan."), "The loss became nan."),
        (MemoryError(), "This machine ran out of memory. Try a smaller setting."),
        (KeyError("x"), "Something unexpected went wrong (KeyError). The server's log has the details."),
    ],
)
def test_an_error_becomes_one_sentence(error, said):
    def work(job):
        raise error

    job = jobs.Job(work, jobs.Office()).start()
    job.join(5)
    assert (job.look().state, job.look().error) == ("failed", said)


def test_a_training_job_gives_the_same_run_as_the_library():
    config = bv.RunConfig(dataset="blobs", options={"n": 100}, fraction=0.2, steps=60, batch_size=32)
    job = jobs.Job(training.train(config, bv.load("blobs", n=100)), jobs.Office(), config).start()
    job.join(120)
    record = job.look()
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
    job = jobs.Job(training.train(config, bv.load("blobs", n=100)), jobs.Office(), config).start()
    until(lambda: job.look().step > 0, 120)
    job.cancel()
    job.join(20)
    record = job.look()
    assert record.state == "cancelled"
    assert record.run.metrics == {}
    assert 0 < len(record.run.losses) < 100_000
    assert record.run.flow.transport(record.run.problem.source.x[:3]).states.shape[1] == 3


def test_a_pause_is_neither_in_the_speed_nor_in_the_seconds(monkeypatch):
    """Of a training that goes on from a checkpoint, whose first chunk holds all losses before."""
    now, told = [0.0], {}

    def check():
        now[0] += 100.0

    job = SimpleNamespace(check=check, tell=lambda **said: told.update(said))
    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(training, "quick_accuracy", lambda *_: None)
    config = bv.RunConfig(dataset="blobs", strategy="true", steps=1000)
    watch = training._Watch(job, bv.load("blobs", n=40), config)
    chunk = training.CHUNK["true"]
    watch(flows.Progress(4 * chunk, np.zeros(4 * chunk), None))
    watch.wait()
    for step in (5, 6, 7):
        now[0] += 1.0
        watch(flows.Progress(step * chunk, np.zeros(chunk), None))
        watch.wait()
    assert told["speed"] == pytest.approx(chunk)
    assert watch.paused == pytest.approx(400)


def test_a_paused_job_waits_gives_its_place_away_and_goes_on(gate):
    office = jobs.Office(limit=1)
    turns = []

    def work(job: jobs.Job) -> None:
        while not gate.wait(0.01):
            turns.append(1)
            job.check()

    first = jobs.Job(work, office).start()
    until(lambda: first.look().state == "running")
    first.pause()
    until(lambda: first.look().state == "paused")
    assert first.look().active
    before = len(turns)
    other = threading.Event()
    second = jobs.Job(waiting(other), office).start()
    until(lambda: second.look().state == "running")
    assert len(turns) == before
    first.resume()
    until(lambda: first.look().state == "queued")
    assert first.look().place == 1
    other.set()
    until(lambda: first.look().state == "running")
    until(lambda: len(turns) > before)
    gate.set()
    until(lambda: first.look().state == "done")


@pytest.mark.parametrize("how", ["cancel", "patience"])
def test_a_paused_job_can_be_cancelled_and_is_not_kept_for_nobody(gate, monkeypatch, how):
    job = jobs.Job(waiting(gate), jobs.Office(limit=1)).start()
    until(lambda: job.look().state == "running")
    job.pause()
    until(lambda: job.look().state == "paused")
    if how == "cancel":
        job.cancel()
    else:
        monkeypatch.setattr(jobs, "PATIENCE", 0.1)
    job.join(5)
    assert job.look().state == "cancelled"
