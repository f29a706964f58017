"""Saved runs: begun, listed, resumed, deleted, and never in the way of a training."""

from __future__ import annotations

import json
import os
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

import bridgeviz as bv
from bridgeviz.couplings import Alignment
from bridgeviz.ui.cache.results import Results
from bridgeviz.ui.state import owner
from bridgeviz.ui.work import jobs, runs, training
from bridgeviz.ui.work.queue import JobQueue

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
CONFIG = bv.RunConfig(dataset=bv.datasets.Blobs(n=120), fraction=0.2, steps=100, batch_size=64, ema=0.9)
FLOW = Path(__file__).resolve().parents[2] / "pages" / "flow.py"


@pytest.fixture(autouse=True)
def home(monkeypatch):
    monkeypatch.setattr(Alignment, "chunk_size", 5)
    monkeypatch.setattr(training, "SECONDS", 0.0)
    return runs.home()


def train(config=CONFIG, stop_at=None):
    job = jobs.Job(training.train(config, Results()), JobQueue()).start()
    end = time.monotonic() + 300
    while job.snapshot().active and time.monotonic() < end:
        if stop_at is not None and job.snapshot().step >= stop_at:
            job.cancel()
        time.sleep(0.005)
    return job.snapshot()


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
    assert not again.run.stopped
    assert len(again.losses) == 20  # the curve is as detailed as before
    assert len(runs.listed()) == 1


def test_the_curves_of_a_reopened_run_show_all_of_its_steps_and_say_what_is_missing():
    train()
    app = AppTest.from_function(_curves_of_a_reopened_run, default_timeout=120)
    app.session_state["record"] = record = train()
    app.run()
    assert not app.exception
    assert record.accuracy[0][0] == 100
    assert app.caption[0].value.startswith("Measured once, at step 100")
    charts = [json.loads(chart.proto.bytes)["figure"] for chart in app.get("bidi_component")]
    assert len(charts) == 2
    for figure in charts:
        assert figure["layout"]["xaxis"]["range"][0] == 0


def _curves_of_a_reopened_run():
    import streamlit as st

    from bridgeviz.ui.panels import live

    record = st.session_state["record"]
    live.curves(record, 0.2, last=record.run.config.flow.steps)


def test_a_stopped_run_is_resumed_and_ends_like_an_uninterrupted_one():
    config = bv.RunConfig(dataset=bv.datasets.Blobs(n=120), fraction=0.2, steps=600, batch_size=64)
    stopped = train(config, stop_at=100)
    assert stopped.state == "cancelled"
    saved = runs.unfinished()
    assert saved is not None
    assert saved.config == config
    assert 50 <= saved.step < 600
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


def test_a_run_that_another_job_trains_is_not_called_stopped():
    config = bv.RunConfig(dataset=bv.datasets.Blobs(n=120), fraction=0.2, steps=5000, batch_size=64)
    job = jobs.Job(training.train(config, Results()), JobQueue()).start()
    end = time.monotonic() + 300
    while not runs.listed() and time.monotonic() < end:
        time.sleep(0.01)
    assert job.snapshot().state == "running"
    assert runs.unfinished() is None
    runs.delete(runs.listed()[0])
    assert runs.listed() != []
    job.cancel()
    job.join(20)
    assert runs.unfinished() is not None


def test_an_old_interruption_is_not_offered_again():
    train(bv.RunConfig(dataset=bv.datasets.Blobs(n=120), fraction=0.2, steps=2000, batch_size=64), stop_at=100)
    (saved,) = runs.listed()
    for path in (saved.path / "training").glob("step-*"):
        os.utime(path, (time.time() - 90_000,) * 2)
    assert runs.unfinished() is None
    assert len(runs.listed()) == 1
    runs.delete(saved)
    assert runs.listed() == []
    runs.delete(saved)


def test_the_same_training_in_two_sessions_disturbs_neither():
    work = training.train(CONFIG, Results())
    both = [jobs.Job(work, JobQueue()).start() for _ in range(2)]
    for job in both:
        job.join(120)
    first, second = (job.snapshot() for job in both)
    assert (first.state, second.state) == ("done", "done"), (first.error, second.error)
    np.testing.assert_array_equal(first.run.losses, second.run.losses)


def test_what_can_not_be_read_is_left_out(home):
    train()
    (saved,) = runs.listed()
    settings = json.loads((saved.path / "settings.json").read_text())
    for name, text in (
        ("cut", "{"), ("old", json.dumps(settings | {"version": "0.0"})), ("list", "[]"),
        ("odd", json.dumps(settings | {"config": {"x": 1}})),
    ):  # fmt: skip
        (home / name / "training" / "step-000000005").mkdir(parents=True)
        (home / name / "settings.json").write_text(text)
    assert [run.path for run in runs.listed()] == [saved.path]
    os.utime(home / "old", (time.time() - 90_000,) * 2)
    runs.begin(CONFIG)
    assert not (home / "old").exists()  # this version could never open it
    assert (home / "odd").exists()
    assert {path.name for path in runs.unreadable()} == {"cut", "list", "odd"}
    for name in ("cut", "list", "odd"):
        os.utime(home / name, (time.time() - 90_000,) * 2)
    runs.begin(CONFIG)
    assert {path.name for path in runs.unreadable()} == {"cut", "list", "odd"}  # nothing is deleted without being read


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"test_accuracy": "x"}', '{"test_accuracy": NaN}'])
def test_a_run_with_damaged_numbers_is_one_that_was_not_evaluated(home, text):
    (home / "a" / "training" / "step-000000005").mkdir(parents=True)
    settings = {"config": CONFIG.as_dict(), "version": bv.__version__}
    (home / "a" / "settings.json").write_text(json.dumps(settings))
    (home / "a" / "metrics.json").write_text(text)
    (saved,) = runs.listed()
    assert (saved.config, saved.step, saved.metrics) == (CONFIG, 5, {})


@pytest.mark.parametrize("damage", ["settings", "metrics"])
def test_the_page_opens_whatever_is_in_the_folder_of_runs(home, damage):
    (home / "a" / "training" / "step-000000005").mkdir(parents=True)
    settings = json.dumps({"config": CONFIG.as_dict(), "version": bv.__version__})
    (home / "a" / "settings.json").write_text("[1" if damage == "settings" else settings)
    (home / "a" / "metrics.json").write_text('{"test_accuracy": []}')
    page = AppTest.from_file(str(FLOW), default_timeout=60)
    page.query_params["dataset"] = "blobs"
    page.run()
    assert not page.exception
    assert not page.error
    notices = [caption.value for caption in page.caption if "Nothing in it is changed" in caption.value]
    assert len(notices) == (damage == "settings")


def test_the_oldest_go_first(monkeypatch):
    monkeypatch.setattr(runs, "MOST_RUNS", 2)
    for seed in range(4):
        train(bv.RunConfig(dataset=bv.datasets.Blobs(n=120), fraction=0.2, steps=5, batch_size=64, seed=seed))
    assert {run.config.seed for run in runs.listed()} <= {1, 2, 3}
    assert {2, 3} <= {run.config.seed for run in runs.listed()}
    monkeypatch.setattr(runs, "MOST_BYTES", 0)
    oldest = runs.listed()[-1]
    with FileLock(oldest.path / "training" / ".lock"):  # as a running training does
        runs.begin(CONFIG)
        assert runs.listed() == [oldest]
    runs.begin(CONFIG)
    assert runs.listed() == []


def test_on_a_shared_server_a_run_belongs_to_the_name_in_its_link(monkeypatch):
    link = {}
    monkeypatch.setattr(owner.st, "get_option", lambda name: "0.0.0.0")
    monkeypatch.setattr(owner.st, "query_params", link)
    monkeypatch.setattr(owner.st, "session_state", session := {})

    def arrive(**named):
        session.clear()
        link.clear()
        link.update(named)

    arrive()
    record = train(CONFIG.replace(steps=5))
    assert (record.state, record.notice) == ("done", training.NOBODYS)
    assert runs.listed() == []
    for name, steps in (("ann", 10), ("ben", 15)):
        arrive(owner=name)
        assert train(CONFIG.replace(steps=steps)).notice == ""
        link.clear()  # the next page's link does not name the owner
        assert [run.step for run in runs.listed()] == [steps]
        assert runs.find(CONFIG.replace(steps=steps)) is not None
    assert runs.find(CONFIG.replace(steps=10)) is None  # ann's
    arrive(owner="ann")
    assert [run.step for run in runs.listed()] == [10]
    assert not [path for path in runs.home().iterdir() if "ann" in (path / "settings.json").read_text()]


def test_a_disk_that_cannot_be_written_does_not_stop_a_training(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BRIDGEVIZ_RUNS", str(tmp_path / "file"))
    record = train()
    assert (record.state, record.notice) == ("done", training.NOT_SAVED)


def test_a_run_that_another_session_saves_says_so():
    checkpoints = runs.begin(CONFIG)
    checkpoints.mkdir()
    with FileLock(checkpoints / ".lock"):
        record = train()
    assert (record.state, record.notice) == ("done", training.ELSEWHERE)
    assert train().notice == ""
