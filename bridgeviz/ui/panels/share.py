"""The link to this page, to be sent to somebody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2 as components

_SCRIPT = Path(__file__).parents[1] / "assets" / "copy.js"
_STYLE = """
button {
  font: inherit; font-size: 0.875rem; color: inherit; background: none; border: 0; padding: 0.25rem 0; cursor: pointer;
}
button:hover, button:focus-visible { color: var(--st-primary-color); text-decoration: underline; }
"""


def copy_link() -> None:
    """A button that copies the link, which holds the settings and the selection."""
    _component()(key="copy_link", height="content")


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    script = _SCRIPT.read_text(encoding="utf-8")
    return components.component(
        "bridgeviz_copy", html='<button type="button">Copy the link to this page</button>', css=_STYLE, js=script
    )
