"""How well each cost finds held-out partners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from bridgeviz.viz.figure import figure
from bridgeviz.viz.palette import COLOURS, GREY

if TYPE_CHECKING:
    import pandas as pd


def foscttm_bars(table: pd.DataFrame) -> go.Figure:
    """FOSCTTM of held-out pairs by cost, the best on top, with 95 % intervals; a dashed line marks chance.

    Args:
        table: of an `Assessment`.
    """
    rows = table.iloc[::-1]
    bars = {
        "mode": "markers", "x": rows.foscttm, "y": rows.cost, "marker": {"size": 11, "color": COLOURS[0]},
        "error_x": {
            "type": "data", "symmetric": False, "array": rows.high - rows.foscttm,
            "arrayminus": rows.foscttm - rows.low, "color": GREY, "thickness": 2,
        },
        "customdata": rows[["low", "high"]].to_numpy(),
        "hovertemplate": "%{y}: %{x:.1%} (%{customdata[0]:.1%} to %{customdata[1]:.1%})<extra></extra>",
        "showlegend": False,
    }  # fmt: skip
    top = max(0.55, float(table.high.max()) + 0.03)
    chance = {
        "type": "line", "x0": 0.5, "x1": 0.5, "yref": "paper", "y0": 0, "y1": 1,
        "line": {"dash": "dash", "color": GREY, "width": 1.5},
        "label": {"text": "guessing", "textposition": "end", "textangle": 0, "yanchor": "bottom"},
    }  # fmt: skip
    axis = {"title": "nearer than the true partner (0%: perfect)", "tickformat": ".0%", "range": [0, top]}
    return figure([bars], height=90 + 34 * len(table), x=axis, y={"automargin": True}, shapes=[chance])
