"""The lines on the coupling, on a terminal and in a log."""

from __future__ import annotations

import io
import sys

import pytest

from bridgeviz.cli import _bar
from bridgeviz.couplings import Pace
from bridgeviz.flows import FlowConfig


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """The time, which stands still until it is set."""
    now = [100.0]
    monkeypatch.setattr(_bar.time, "monotonic", lambda: now[0])
    return now


def bar(shown=True):
    return _bar.TrainingBar(FlowConfig(), Pace("iteration", "marginal error"), shown=shown)


def test_a_log_gets_a_line_per_minute(clock, capsys):
    with bar() as coupling:
        for second in range(150):
            clock[0] = 100.0 + second
            coupling.show_coupling(10 * second + 10, 0.5)
    assert capsys.readouterr().err.splitlines() == [
        "coupling, iteration 610, marginal error 5.0e-01",
        "coupling, iteration 1,210, marginal error 5.0e-01",
    ]


def test_a_terminal_is_kept_up_to_date(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    with bar() as coupling:
        for step in range(20):
            clock[0] += 0.05
            coupling.show_coupling(step + 1, 0.5)
    assert 8 <= screen.getvalue().count("coupling, iteration") <= 11


def test_a_process_that_does_not_lead_is_silent(clock, capsys):
    with bar(shown=False) as coupling:
        for _ in range(5):
            clock[0] += 100
            coupling.show_coupling(1, 0.5)
    assert capsys.readouterr().err == ""
