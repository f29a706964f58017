"""A figure with some of its markers brushed."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go


def brushed(figure: go.Figure, rows: np.ndarray) -> go.Figure:
    """The same figure with some rows selected; itself if there are none.

    Args:
        figure: its markers have their row numbers as `customdata`.
        rows: to select.
    """
    if not len(rows):
        return figure
    copy = go.Figure(figure)
    traces: Any = copy.data
    for trace in traces:
        if trace.customdata is not None:
            trace.selectedpoints = np.flatnonzero(np.isin(trace.customdata, rows))
    return copy
