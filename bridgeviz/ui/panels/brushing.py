"""A map on which rows are brushed: they become the session's selection, and what is selected elsewhere is lit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from bridgeviz import Problem
from bridgeviz.ui.panels import charts
from bridgeviz.ui.state import selection
from bridgeviz.ui.state.picks import Brush
from bridgeviz.ui.state.selection import Selection
from bridgeviz.viz.maps import Panel, prepared, space_map


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
        selection.brushed, chart=key, side=side, markers=marks.of_row if marks is not None and marks.merged else None
    )  # fmt: skip
    shown = selection.drawn_on(key, lit)
    figure = plain if shown is None else space_map(panel, lit=shown)
    charts.draw(st, selection.revised(figure, key), key=key, brush=("box", "lasso"), on_brush=brushed, alt=alt)


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
        st, selection.revised(figure, key), key=key, brush=("points", "box", "lasso"), alt=alt,
        on_brush=partial(_select, chart=key, tested=tested, story=story),
    )  # fmt: skip


def _select(brush: Brush, *, chart: str, tested: bool, story: str) -> None:
    """A map's callback: select what is clicked or brushed on it, and hand a single point on."""
    selection.brushed(brush, chart=chart, side="source", tested=tested)
    if story and len(brush.rows) == 1:
        st.session_state[story] = int(brush.rows[0])
