"""The jobs of a session: one per slot, and its result only for what it worked on."""

from __future__ import annotations

import threading

import pytest
import streamlit as st

from bridgeviz.ui.work import slots


@pytest.fixture
def session(monkeypatch):
    """A session without a page."""
    state: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", state)
    return state


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


def waiting(gate):
    def work(job):
        while not gate.wait(0.01):
            job.check()
        job.update(result="done")

    return work


def test_a_new_job_takes_the_place_of_the_one_before(session, gate):
    assert slots.latest("tune") is None
    assert slots.snapshot("tune") is None
    slots.start("tune", waiting(gate))
    first = slots.latest("tune")
    other = threading.Event()
    slots.start("map", waiting(other))
    slots.start("tune", waiting(gate))
    first.join(20)
    assert first.snapshot().state == "cancelled"
    assert slots.latest("tune") is not first
    gate.set()
    other.set()
    slots.latest("tune").join(20)
    slots.latest("map").join(20)
    assert slots.snapshot("tune").result == slots.snapshot("map").result == "done"


def test_a_job_for_other_settings_is_cancelled_and_dropped(session, gate):
    slots.start("recommend", waiting(gate), key="these")
    job = slots.find("recommend", "these")
    assert job is slots.latest("recommend")
    assert slots.find("recommend", "others") is None
    job.join(20)
    assert job.snapshot().state == "cancelled"
    assert slots.find("recommend", "these") is None
