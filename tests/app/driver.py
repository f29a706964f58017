"""Pages without a browser."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from bridgeviz.ui.work.jobs import Job

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 300


def load(name: str, **link: str) -> AppTest:
    """A page with the settings of a link, which has not run yet."""
    app = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=PATIENCE)
    for key, text in link.items():
        app.query_params[key] = text
    return app


def job_of(app: AppTest, slot: str = "training") -> Job:
    """The latest job of the session in a slot."""
    return app.session_state["_jobs"][slot].job
