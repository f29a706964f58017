"""Every chart of the app is drawn here, by a component that draws a changed figure over the one before.

Streamlit's own component treats a changed figure as a different chart: it rebuilds the chart, draws it twice, and
reports a selection with all that Plotly knows about each point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.io.json import to_json_plotly
from streamlit.components import v2 as components

from bridgeviz.ui import plotly_script
from bridgeviz.ui.state import selection
from bridgeviz.ui.state.picks import Brush

FORMATS = {"png": "PNG (pixels)", "svg": "SVG (vector)"}
"""The formats in which the browser saves a chart, and their names."""

_KEY = "picture_format"
_SCRIPT = Path(__file__).parents[1] / "assets" / "chart.js"


def draw(
    place: Any, figure: go.Figure, *, key: str, alt: str = "", brush: Sequence[str] = (),
    on_brush: Callable[[Brush], object] | None = None,
) -> None:  # fmt: skip
    """Draw a chart. Its toolbar, which appears under the pointer, saves it as a file and lets it fill the screen.

    Args:
        place: where: `st`, or a column.
        figure: of the chart; its layout has a height.
        key: of the chart, also the name of its file.
        alt: a description for those who can't see it.
        brush: how rows can be selected on it: some of "points", "box" and "lasso".
        on_brush: called with what was clicked or brushed. A double click clears the selection.
    """
    calls: dict[str, Callable[[], None]] = {}
    if on_brush is not None:
        calls = {"on_brushed_change": partial(_brushed, key, on_brush), "on_cleared_change": selection.clear}
    with nullcontext() if place is st else place:
        _component()(key=key, data=message(figure, key=key, alt=alt, brush=brush), height="content", **calls)


def message(figure: go.Figure, *, key: str, alt: str = "", brush: Sequence[str] = ()) -> bytes:
    """What the browser needs to draw a chart: as JSON, arrays of numbers as base64."""
    file = {"format": st.session_state.get(_KEY) or "png", "filename": f"bridgeviz_{key}", "scale": 2}
    drawn = figure.to_dict()
    drawn["layout"].pop("template", None)  # the page's theme takes its place
    parts = {"figure": drawn, "file": file, "alt": alt, "brush": list(brush), "library": plotly_script.address()}
    return str(to_json_plotly(parts)).encode()


def _brushed(key: str, on_brush: Callable[[Brush], object]) -> None:
    """The chart's callback: read the browser's message."""
    event = st.session_state[key]["brushed"]
    if event:
        on_brush(Brush.read(event))


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return components.component("bridgeviz_chart", js=_SCRIPT.read_text(encoding="utf-8"), isolate_styles=False)


def choose_format() -> None:
    """The control of the format."""
    st.segmented_control(
        "Charts are saved as", list(FORMATS), default="png", required=True, key=_KEY, format_func=FORMATS.__getitem__,
        help="By the camera in the toolbar of a chart, which appears under the pointer.", persist_state="session",
    )  # fmt: skip
