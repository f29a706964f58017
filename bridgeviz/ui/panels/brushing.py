"""A map on which rows are brushed: they become the session's selection, and what is selected elsewhere is lit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.components import v2 as components

from bridgeviz import Problem
from bridgeviz.ui.panels import charts
from bridgeviz.ui.state import picks, router, selection
from bridgeviz.ui.state.selection import Selection
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
    charts.draw(
        st, selection.revised(figure, key), key=key, on_select=brushed, alt=alt, selection_mode=("box", "lasso")
    )
    if shown is not None:
        notice_clearing(key)


def ringed(
    draw: Callable[..., go.Figure], problem: Problem, chosen: Selection | None, *, key: str, alt: str,
    tested: bool = False, story: str = "",
) -> None:  # fmt: skip
    """Draw a map of source points on which the selected ones are ringed; a click or a lasso selects.

    Args:
        draw: makes the figure; takes the ringed rows as `lit`.
        problem: that the points belong to.
        chosen: the selection.
        key: of the chart.
        alt: a description for those who can't see it.
        tested: whether they are points of the test split.
        story: the key of the control that takes up a single point, or "".
    """
    rows = None
    if chosen is not None and chosen.tested == tested:
        rows = selection.source_points(problem, chosen)
    figure = draw(lit=selection.drawn_on(key, rows))
    charts.draw(
        st, selection.revised(figure, key), key=key, on_select=partial(_select, key, tested, story), alt=alt,
        selection_mode=("points", "box", "lasso"),
    )  # fmt: skip


def _select(chart: str, tested: bool, story: str) -> None:
    """A map's callback: select what is clicked or brushed on it, and hand a single point on."""
    selection.brushed(chart, "source", tested)
    rows = picks.picked_rows(st.session_state.get(chart))
    if story and len(rows) == 1:
        st.session_state[story] = int(rows[0])


def notice_clearing(key: str) -> None:
    """Clear the selection when a visitor clears what a chart highlights from the start, by a double click."""
    with st.container(key=f"{router.UNSEEN}_{key}"):
        _component()(
            key=f"cleared_{key}", data={"chart": f"st-key-{key}"}, height=1, on_cleared_change=selection.clear
        )  # fmt: skip


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    return components.component("bridgeviz_cleared", js=_SCRIPT.read_text(encoding="utf-8"))
