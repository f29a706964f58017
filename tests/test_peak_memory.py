"""The memory that a solve is said to have taken."""

from __future__ import annotations

import time

import numpy as np

from bridgeviz._memory import PeakMemory


def test_what_is_held_in_between_counts():
    with PeakMemory() as peak:
        held = np.ones(20_000_000)
        time.sleep(0.1)
        del held
    assert 100e6 < peak.bytes < 400e6


def test_a_thread_ends_with_its_measurement():
    import threading

    before = threading.active_count()
    for _ in range(5):
        with PeakMemory() as peak:
            pass
    assert threading.active_count() == before
    assert peak.bytes < 50e6
