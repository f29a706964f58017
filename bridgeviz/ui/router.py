"""The pages, in the order of the story, and the way to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

PAGES = (
    ("start", "Start", ":material/play_circle:"),
    ("data", "Data", ":material/scatter_plot:"),
    ("pairs_and_cost", "Pairs and cost", ":material/link:"),
    ("coupling", "Coupling", ":material/join_inner:"),
    ("flow", "Flow", ":material/air:"),
    ("diagnose", "Diagnose", ":material/troubleshoot:"),
)
"""File, title and icon of each page."""
_HERE = "_page"
_ICON = Path(__file__).parent / "assets" / "icon.svg"
_ROOM = "<style>.stMainBlockContainer { padding-top: 3rem; padding-bottom: 3rem; }</style>"


def route() -> Any:
    """The page that the link asks for; `app.py` runs it."""
    st.set_page_config(page_title="bridgeviz", page_icon=str(_ICON), layout="wide")
    page = st.navigation(
        [st.Page(f"pages/{file}.py", title=title, icon=icon, default=file == "start") for file, title, icon in PAGES]
    )
    st.session_state[_HERE] = page.url_path
    st.html(_ROOM)
    return page


def here() -> str:
    """The page that is being drawn; "" for Start."""
    return st.session_state.get(_HERE, "")


def ensure() -> None:
    """Go through `app.py` if a page was reached without it.

    Where a `pages/` folder lies beside the main script, Streamlit runs the first deep link of a fresh server without
    the main script, in its older style. Naming the pages once ends that for the whole server, and running again
    brings this visitor in by the front door.
    """
    if _HERE in st.session_state:
        return
    try:
        route()
    except StreamlitAPIException:  # a page tested by itself: there is no router around it
        return
    st.rerun()
