"""Pages and jobs share their results: each is solved by one thread, and nobody waits for one that pauses."""

from __future__ import annotations

import threading
import time

import pytest

import bridgeviz as bv
from bridgeviz.costs import Bridge
from bridgeviz.couplings import Linear
from bridgeviz.experiments import Pipeline
from bridgeviz.ui.cache import stages
from bridgeviz.ui.cache.results import Results, results, updates

CONFIG = bv.RunConfig(dataset="blobs", options={"n": 60}, fraction=0.2, epsilon=0.1)
PATIENCE = 30


@pytest.fixture
def calls(monkeypatch):
    """Every build of a cost and every transport that is solved, slowly enough for another thread to come in between."""
    calls = []

    def watched(name, function):
        def slow(*given):
            calls.append(name)
            time.sleep(0.2)
            return function(*given)

        return slow

    monkeypatch.setattr(Bridge, "build", watched("cost", Bridge.build))
    monkeypatch.setattr(Linear, "steps", watched("coupling", Linear.steps))
    return calls


def in_threads(*work):
    """Run functions side by side until all have ended."""
    threads = [threading.Thread(target=function, daemon=True) for function in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)


def test_two_threads_solve_a_stage_once(calls):
    known, plans = Results(), []

    def solve():
        pipeline = Pipeline(CONFIG, known=known)
        for update in updates(pipeline, known):
            if update.stage == "coupling" and update.finished is not None:
                plans.append(update.finished.result)
                return

    in_threads(solve, solve, solve)
    assert calls == ["cost", "coupling"]
    assert plans[0] is plans[1] is plans[2]
    assert known._claims == {}


def test_a_page_and_a_job_solve_a_stage_once(calls):
    stages.results.clear()
    known, plans = results(), []

    def job():
        for update in updates(Pipeline(CONFIG, known=known), known):
            if update.stage == "coupling" and update.finished is not None:
                plans.append(update.finished.result)
                return

    in_threads(job, lambda: plans.append(stages.plan(CONFIG)))
    assert calls == ["cost", "coupling"]
    assert plans[0] is plans[1]
    assert stages.plan(CONFIG.replace(steps=7)) is plans[0]
    stages.results.clear()


def test_nobody_waits_for_a_caller_that_pauses_between_stages():
    known = Results()
    pausing = updates(Pipeline(CONFIG, known=known), known)
    for update in pausing:
        if update.stage == "coupling" and update.finished is not None:
            break  # and goes on later, perhaps

    def solve():
        assert next(u for u in updates(Pipeline(CONFIG, known=known), known) if u.stage == "coupling").finished

    in_threads(solve)
    assert known._claims == {}
    pausing.close()


def test_who_waits_for_another_thread_can_stop_waiting():
    known, held, end = Results(), threading.Event(), threading.Event()

    def hold():
        with known.claim(("load", *CONFIG.key("load"))):
            held.set()
            end.wait(PATIENCE)

    def stop():
        raise InterruptedError

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    assert held.wait(PATIENCE)
    timer = threading.Timer(5.0, end.set)
    timer.start()
    with pytest.raises(InterruptedError):
        list(updates(Pipeline(CONFIG, known=known), known, stop))
    end.set()
    timer.cancel()
    thread.join(PATIENCE)
