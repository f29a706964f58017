"""Every chart of the app is drawn here, so that each can be saved in the format that the visitor has chosen."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

FORMATS = {"png": "PNG (pixels)", "svg": "SVG (vector)"}
"""The formats in which the browser saves a chart, and their names."""

_KEY = "picture_format"


def draw(place: Any, figure: go.Figure, *, key: str, alt: str = "", **more: Any) -> Any:
    """Draw a chart. Its toolbar, which appears under the pointer, saves it as a file.

    Args:
        place: where: `st`, or a column.
        figure: of the chart.
        key: of the chart, also the name of its file.
        alt: a description for those who can't see it.
        more: as `st.plotly_chart` takes.
    """
    file = {"format": st.session_state.get(_KEY) or "png", "filename": f"bridgeviz_{key}", "scale": 2}
    config = {"displaylogo": False, "toImageButtonOptions": file}
    return place.plotly_chart(figure, key=key, alt=alt or None, config=config, **more)


def choose_format() -> None:
    """The control of the format."""
    st.segmented_control(
        "Charts are saved as", list(FORMATS), default="png", required=True, key=_KEY, format_func=FORMATS.__getitem__,
        help="By the camera in the toolbar of a chart, which appears under the pointer.", persist_state="session",
    )  # fmt: skip
