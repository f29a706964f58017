"""The app's own style sheet."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_SHEET = Path(__file__).parents[1] / "assets" / "app.css"


def apply() -> None:
    """Add the style sheet to the page; it takes no room."""
    st.html(_SHEET)
