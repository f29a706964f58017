"""Pages without a browser."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from streamlit.testing.v1 import AppTest

from bridgeviz import Run
from bridgeviz.ui.work.jobs import Job

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300
TINY = {"dataset": "blobs", "overlap": "0.3", "cost": "bridge", "steps": "20", "percent": "20", "batch_size": "64"}
"""Settings that train within a moment, and leave some points wrong."""


def load(name: str, **link: str) -> AppTest:
    """A page with the settings of a link, which has not run yet."""
    app = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=PATIENCE)
    for key, text in link.items():
        app.query_params[key] = text
    return app


def opened(name: str, runs: Sequence[Run] = (), **link: str) -> AppTest:
    """A page of a session that has trained some runs, the latest first, with the settings of `TINY` and of a link."""
    app = load(name, **TINY | link)
    if runs:
        app.session_state["_runs"] = list(runs)
        app.session_state["_run"] = runs[0]
    app.run()
    assert not app.exception, app.exception
    return app


def job_of(app: AppTest, slot: str = "training") -> Job:
    """The latest job of the session in a slot."""
    return app.session_state["_jobs"][slot].job
