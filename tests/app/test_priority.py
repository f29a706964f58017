"""Garbage is collected when nobody waits for it."""

import gc
import threading

from bridgeviz.ui.work import priority


class _Circle:
    def __init__(self, freed):
        self.itself, self.freed = self, freed

    def __del__(self):
        self.freed.set()


def test_garbage_of_a_job_goes_a_moment_later(monkeypatch):
    monkeypatch.setattr(priority, "LATER", 0.05)
    freed = threading.Event()
    _Circle(freed)
    gc.freeze()  # an automatic collection would not find it
    try:
        priority.sweep_later()
        assert freed.wait(timeout=60)
    finally:
        gc.unfreeze()
