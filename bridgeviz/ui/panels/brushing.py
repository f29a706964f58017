"""A map on which rows are brushed, which keeps what is brushed while the visitor looks at other pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.components import v2 as components

from bridgeviz.ui.state import router, selection
from bridgeviz.viz.brush import brushed

_SCRIPT = Path(__file__).parents[1] / "assets" / "cleared.js"


def brushable(figure: go.Figure, *, key: str, of: Any, alt: str) -> np.ndarray:
    """Draw a map; the rows that are brushed on it.

    Args:
        figure: of the map, with nothing brushed.
        key: of the chart.
        of: what its row numbers belong to.
        alt: a description for those who can't see it.
    """
    brush = selection.brush(key, of)
    st.plotly_chart(
        brushed(figure, brush.drawn), key=key, on_select=lambda: selection.keep_brush(key), alt=alt,
        selection_mode=("box", "lasso"), config={"displaylogo": False},
    )  # fmt: skip
    if len(brush.drawn):
        with st.container(key=f"{router.UNSEEN}_{key}"):
            _component()(
                key=f"cleared_{key}", data={"chart": f"st-key-{key}"}, height=1,
                on_cleared_change=lambda: selection.keep_brush(key),
            )  # fmt: skip
    return brush.rows


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return components.component("bridgeviz_cleared", js=_SCRIPT.read_text(encoding="utf-8"))
