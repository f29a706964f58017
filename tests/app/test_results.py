"""The store of results: bounded, shared by pages and jobs, and every result solved once."""

from __future__ import annotations

import threading
import time

import pytest

import bridgeviz as bv
from bridgeviz.costs import Bridge
from bridgeviz.couplings import Linear
from bridgeviz.datasets import Blobs
from bridgeviz.experiments import Finished, Pipeline
from bridgeviz.ui.cache.results import LIMITS, Results, updates
from bridgeviz.ui.work.jobs import Cancelled, Job
from bridgeviz.ui.work.queue import JobQueue
from bridgeviz.ui.work.training import train

from .driver import PATIENCE, job_of, load

CONFIG = bv.RunConfig(dataset="blobs", fraction=0.1, steps=20, batch_size=32)


@pytest.fixture
def solves(monkeypatch):
    """How often each stage was solved."""
    counts = dict.fromkeys(("load", "cost", "coupling"), 0)

    def count(stage, cls, method):
        original = getattr(cls, method)

        def counted(*args, **kwargs):
            counts[stage] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(cls, method, counted)

    count("load", Blobs, "load")
    count("cost", Bridge, "build")
    count("coupling", Linear, "steps")
    return counts


def run(job: Job) -> Job:
    job.start().join(PATIENCE)
    assert job.snapshot().state == "done", job.snapshot().error
    return job


def test_train_after_looking_at_the_coupling_solves_nothing_again(solves):
    # No other test uses this overlap.
    link = {"dataset": "blobs", "percent": "10", "overlap": "0.85", "steps": "20", "cost": "bridge"}
    assert not load("coupling", **link).run().exception
    assert solves == {"load": 1, "cost": 1, "coupling": 1}
    flow = load("flow", **link).run()
    flow.button(key="train").click().run()
    job_of(flow).join(PATIENCE)
    assert job_of(flow).snapshot().state == "done"
    assert not flow.run().exception
    assert solves == {"load": 1, "cost": 1, "coupling": 1}


def test_two_trainings_at_once_solve_once(solves):
    known = Results()
    jobs = [Job(train(CONFIG.replace(steps=steps), known), JobQueue()).start() for steps in (20, 30)]
    for job in jobs:
        job.join(PATIENCE)
        assert job.snapshot().state == "done", job.snapshot().error
    assert solves == {"load": 1, "cost": 1, "coupling": 1}


def test_what_a_cancelled_job_did_not_finish_is_solved_by_the_one_that_waits(solves):
    known, begun = Results(), threading.Event()
    first = updates(Pipeline(CONFIG, known=known), known)
    while next(first).stage != "coupling":
        pass
    second = threading.Thread(target=lambda: (begun.set(), list(updates(Pipeline(CONFIG, known=known), known))))
    second.start()
    begun.wait(PATIENCE)
    time.sleep(0.3)
    assert second.is_alive()
    first.close()
    second.join(PATIENCE)
    assert ("coupling", *CONFIG.key("coupling")) in known


def test_a_job_that_waits_for_a_result_can_be_cancelled():
    known = Results()

    def cancelled():
        raise Cancelled

    with (
        known.claim(("load", *CONFIG.key("load"))),
        pytest.raises(Cancelled),
        known.claim(("load", *CONFIG.key("load")), cancelled),
    ):
        pass


def test_only_the_most_recently_used_results_are_kept():
    known, most = Results(), LIMITS["cost"]
    for k in range(most):
        known["cost", k] = Finished(k, 0.0)
    assert known["cost", 0].result == 0
    known["cost", most] = Finished(most, 0.0)
    assert ("cost", 0) in known
    assert ("cost", 1) not in known
    assert len(known) == len(list(known)) == most
    del known["cost", 0]
    assert ("cost", 0) not in known


def test_trainings_are_not_kept():
    known = Results()
    run(Job(train(CONFIG, known), JobQueue()))
    assert {stage for stage, *_ in known} == {"load", "pairs", "cost", "coupling"}
