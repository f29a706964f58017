"""Trainings of these tests leave no runs behind, and find none."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def own_runs(tmp_path, monkeypatch):
    """A folder of runs for each test."""
    monkeypatch.setenv("BRIDGEVIZ_RUNS", str(tmp_path / "kept runs"))
