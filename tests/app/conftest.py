"""Pages run by themselves, and trainings neither leave nor find saved runs."""

from __future__ import annotations

import pytest
import streamlit as st


@pytest.fixture(autouse=True)
def own_runs(tmp_path, monkeypatch):
    """A folder of runs for each test."""
    monkeypatch.setenv("BRIDGEVIZ_RUNS", str(tmp_path / "saved runs"))


@pytest.fixture(autouse=True)
def links(monkeypatch):
    """The links that a page draws: a page that runs by itself has no router to resolve them."""
    pages = []
    monkeypatch.setattr(st, "page_link", lambda page, **_: pages.append(page))
    return pages


@pytest.fixture(scope="module", autouse=True)
def quick(small_networks, one_search):
    """No test here asks how good a network is, or which components are installed."""
