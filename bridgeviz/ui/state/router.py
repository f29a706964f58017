"""The pages in the order of the story, and how a visitor gets to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from streamlit.errors import StreamlitAPIException


class Page(NamedTuple):
    """One page.

    Attributes:
        file: its script's name in `pages/`.
        title, icon: in the menu.
        settings: whether it reads the settings, so that their controls can be seen. They are on every page, because
            the browser carries a part of the link to another page only if a control holds it.
        training: whether it trains, so that the settings of the training are not folded away.
    """

    file: str
    title: str
    icon: str
    settings: bool = True
    training: bool = False


PAGES = (
    Page("start", "Start", ":material/play_circle:", settings=False),
    Page("lessons", "Lessons", ":material/school:", settings=False),
    Page("data", "Data", ":material/scatter_plot:"),
    Page("pairs_and_cost", "Pairs and cost", ":material/link:"),
    Page("coupling", "Coupling", ":material/join_inner:"),
    Page("flow", "Flow", ":material/air:", training=True),
    Page("diagnose", "Diagnose", ":material/troubleshoot:", training=True),
    Page("compare", "Compare", ":material/compare_arrows:", training=True),
    Page("paper", "Paper", ":material/menu_book:", settings=False),
    Page("which_method", "Which method?", ":material/alt_route:"),
    Page("your_data", "Your data", ":material/upload_file:", settings=False),
)
"""The first one opens if the link names none."""

UNSEEN = "unseen"
"""The key, or its beginning, of a container that is not shown."""

_HERE = "_page"
_ICON = Path(__file__).parents[1] / "assets" / "icon.svg"
_STYLE = f"""<style>
.stMainBlockContainer {{ padding-top: 3rem; padding-bottom: 3rem; }}
[class*="st-key-{UNSEEN}"] {{ display: none; }}
</style>"""


def route() -> Any:
    """The page that the link asks for; `app.py` runs it."""
    st.set_page_config(page_title="bridgeviz", page_icon=str(_ICON), layout="wide")
    pages = [
        st.Page(f"pages/{page.file}.py", title=page.title, icon=page.icon, default=page is PAGES[0]) for page in PAGES
    ]
    chosen = st.navigation(pages)
    st.session_state[_HERE] = pages.index(chosen)
    st.html(_STYLE)
    return chosen


def here() -> Page | None:
    """The page that is being drawn; None if it was reached without `app.py`."""
    number = st.session_state.get(_HERE)
    return None if number is None else PAGES[number]


def ensure() -> None:
    """Go through `app.py` if a page was reached without it.

    If a `pages/` folder lies beside the main script, Streamlit runs the first deep link of a fresh server without the
    main script. Naming the pages once stops that for the whole server, and a rerun takes this visitor through the
    main script.
    """
    if here() is not None:
        return
    try:
        route()
    except StreamlitAPIException:  # a page that is tested by itself: there is no router around it
        return
    st.rerun()
