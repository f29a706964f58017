"""A map on which rows are brushed: they become the session's selection, and what is selected elsewhere is lit."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.components import v2 as components

from bridgeviz.ui.panels import charts
from bridgeviz.ui.state import router, selection
from bridgeviz.viz.maps import Panel, prepared, space_map

_SCRIPT = Path(__file__).parents[1] / "assets" / "cleared.js"


def brushable(panel: Panel, plain: go.Figure, lit: np.ndarray | None, *, key: str, side: str, alt: str) -> None:
    """Draw a map of the aligned rows of one side on which rows can be brushed.

    Args:
        panel: what is drawn.
        plain: its map with nothing highlighted.
        lit: the rows that are selected on it now, or mean the same as those that are.
        key: of the chart.
        side: "source" or "target".
        alt: a description for those who can't see it.
    """
    marks = prepared(panel).markers
    brushed = partial(
        selection.brushed, key, side, markers=marks.of_row if marks is not None and marks.merged else None
    )  # fmt: skip
    shown = selection.drawn_on(key, lit)
    figure = plain if shown is None else space_map(panel, lit=shown)
    charts.draw(st, selection.anew(figure, key), key=key, on_select=brushed, alt=alt, selection_mode=("box", "lasso"))
    if shown is not None:
        notice_clearing(key)


def notice_clearing(key: str) -> None:
    """Clear the selection when a visitor clears what a chart highlights from the start, by a double click."""
    with st.container(key=f"{router.UNSEEN}_{key}"):
        _component()(
            key=f"cleared_{key}", data={"chart": f"st-key-{key}"}, height=1, on_cleared_change=selection.clear
        )  # fmt: skip


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return components.component("bridgeviz_cleared", js=_SCRIPT.read_text(encoding="utf-8"))
