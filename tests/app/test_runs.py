"""Runs on the disk: begun, listed, gone on with, forgotten, and never in the way."""

from __future__ import annotations

import json
import os
import time
from itertools import islice

import numpy as np
import pytest
from filelock import FileLock

import bridgeviz as bv
from bridgeviz.ui import doors, jobs, runs, training

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
CONFIG = bv.RunConfig(dataset="blobs", fraction=0.2, steps=100, batch_size=64, ema=0.9)


@pytest.fixture(autouse=True)
def home(monkeypatch):
    monkeypatch.setattr(training, "CHUNK", {"true": 5, "global": 5, "local": 2})
    monkeypatch.setattr(training, "SECONDS", 0.0)
    return runs.home()


def train(config=CONFIG, stop_at=None):
    work = training.train(config, doors.problem(config))
    job = jobs.Job(work, jobs.Office()).start()
    end = time.monotonic() + 120
    while job.look().active and time.monotonic() < end:
        if stop_at is not None and job.look().step >= stop_at:
            job.cancel()
        time.sleep(0.005)
    return job.look()


def test_a_finished_run_is_listed_and_opens_as_it_was():
    record = train()
    assert record.state == "done"
    (saved,) = runs.listed()
    assert (saved.config, saved.step, saved.finished) == (CONFIG, 100, True)
    assert saved.metrics == record.run.metrics
    assert runs.unfinished() is None
    again = train()
    np.testing.assert_array_equal(again.run.losses, record.run.losses)
    assert again.run.metrics == record.run.metrics
    assert len(again.losses) == 20  # the curve is as fine as it was
    assert len(runs.listed()) == 1


def test_a_stopped_run_is_found_again_and_ends_as_one_that_was_not():
    config = bv.RunConfig(dataset="blobs", fraction=0.2, steps=2000, batch_size=64)
    stopped = train(config, stop_at=100)
    assert stopped.state == "cancelled"
    saved = runs.unfinished()
    assert saved is not None
    assert saved.config == config
    assert 50 <= saved.step < 2000
    finished = train(config)
    whole = bv.run(config)
    np.testing.assert_allclose(finished.run.losses, whole.losses, rtol=1e-4)
    assert runs.unfinished() is None


def test_a_training_that_fails_keeps_what_it_had_learned(monkeypatch):
    real = training._fit

    def fails(*arguments):
        yield from islice(real(*arguments), 3)
        raise bv.TrainingError("The loss became nan at step 16 of 100.")

    monkeypatch.setattr(training, "_fit", fails)
    record = train()
    assert (record.state, record.step) == ("failed", 15)
    assert record.error.startswith("The loss became nan")
    assert np.isfinite(record.run.flow.transport(record.run.problem.source.x[:5]).states).all()
    assert len(record.run.losses) == 15


def test_a_run_that_goes_on_elsewhere_is_not_called_stopped():
    config = bv.RunConfig(dataset="blobs", fraction=0.2, steps=5000, batch_size=64)
    job = jobs.Job(training.train(config, doors.problem(config)), jobs.Office()).start()
    end = time.monotonic() + 120
    while not runs.listed() and time.monotonic() < end:
        time.sleep(0.01)
    assert job.look().state == "running"
    assert runs.unfinished() is None
    runs.forget(runs.listed()[0])
    assert runs.listed() != []
    job.cancel()
    job.join(20)
    assert runs.unfinished() is not None


def test_an_old_stop_is_not_brought_up_again():
    train(bv.RunConfig(dataset="blobs", fraction=0.2, steps=2000, batch_size=64), stop_at=100)
    (saved,) = runs.listed()
    for path in (saved.path / "training").glob("step-*"):
        os.utime(path, (time.time() - 90_000,) * 2)
    assert runs.unfinished() is None
    assert len(runs.listed()) == 1
    runs.forget(saved)
    assert runs.listed() == []
    runs.forget(saved)


def test_the_same_training_in_two_sessions_disturbs_neither():
    work = training.train(CONFIG, doors.problem(CONFIG))
    both = [jobs.Job(work, jobs.Office()).start() for _ in range(2)]
    for job in both:
        job.join(120)
    one, two = (job.look() for job in both)
    assert (one.state, two.state) == ("done", "done"), (one.error, two.error)
    np.testing.assert_array_equal(one.run.losses, two.run.losses)


def test_what_can_not_be_read_is_left_out(home):
    train()
    (saved,) = runs.listed()
    asked = json.loads((saved.path / "settings.json").read_text())
    for name, text in (
        ("cut", "{"), ("old", json.dumps(asked | {"version": "0.0"})), ("list", "[]"),
        ("odd", json.dumps(asked | {"config": {"x": 1}})),
    ):  # fmt: skip
        (home / name / "training" / "step-000000005").mkdir(parents=True)
        (home / name / "settings.json").write_text(text)
    assert [run.path for run in runs.listed()] == [saved.path]
    os.utime(home / "old", (time.time() - 90_000,) * 2)
    runs.begin(CONFIG)
    assert not (home / "old").exists()  # nobody could ever open it
    assert (home / "odd").exists()


def test_the_oldest_go_first(monkeypatch):
    monkeypatch.setattr(runs, "MOST_RUNS", 2)
    for seed in range(4):
        train(bv.RunConfig(dataset="blobs", fraction=0.2, steps=5, batch_size=64, seed=seed))
    assert {run.config.seed for run in runs.listed()} <= {1, 2, 3}
    assert {2, 3} <= {run.config.seed for run in runs.listed()}
    monkeypatch.setattr(runs, "MOST_BYTES", 0)
    kept = runs.listed()[-1]
    with FileLock(kept.path / "training" / ".lock"):  # as a training that goes on holds it
        runs.begin(CONFIG)
        assert runs.listed() == [kept]
    runs.begin(CONFIG)
    assert runs.listed() == []


def test_a_disk_that_takes_nothing_does_not_stop_a_training(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BRIDGEVIZ_RUNS", str(tmp_path / "file"))
    record = train()
    assert (record.state, record.notice) == ("done", training.UNKEPT)


def test_a_run_that_another_session_keeps_says_so():
    kept = runs.begin(CONFIG)
    kept.mkdir()
    with FileLock(kept / ".lock"):
        record = train()
    assert (record.state, record.notice) == ("done", training.ELSEWHERE)
    assert train().notice == ""
