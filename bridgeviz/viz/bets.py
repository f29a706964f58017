"""What was bet, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from bridgeviz.viz.figure import figure
from bridgeviz.viz.palette import COLOURS, GREY


def bet_bars(
    values: Mapping[str, float], shown: Sequence[str], *, bet: float | str, decides: str, share: bool = True
) -> go.Figure:  # fmt: skip
    """Bars of what was measured, with the bet: a line at a number, or a name in bold.

    Args:
        values: by name.
        shown: the names that are drawn, from top to bottom.
        bet: a number, or one of the names.
        decides: the name of the bar that decides the bet, in blue; the others are grey.
        share: whether the values are shares, shown in percent.
    """
    form = ".0%" if share else ".1f"
    heights = [values[name] for name in shown]
    names = [f"<b>{name}</b> (your bet)" if name == bet else name for name in shown]
    bars = {
        "type": "bar", "orientation": "h", "x": heights, "y": names, "textposition": "outside", "cliponaxis": False,
        "marker": {"color": [COLOURS[0] if name == decides else GREY for name in shown]},
        "text": [f"{height:{form}}" for height in heights], "hoverinfo": "skip", "textfont": {"size": 15},
    }  # fmt: skip
    top = max(1.0 if share else 0.0, 1.1 * max(heights))
    line = {}
    if isinstance(bet, float):
        line = {
            "shapes": [{
                "type": "line", "x0": bet, "x1": bet, "y0": 0, "y1": 1, "yref": "paper",
                "line": {"color": COLOURS[1], "width": 3, "dash": "dash"},
            }],
            "annotations": [{
                "x": bet, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False, "font": {"size": 14},
                "text": f"your bet: {bet:{form}}",
            }],
        }  # fmt: skip
    return figure(
        [bars], height=110 + 52 * len(shown), bargap=0.35, margin={"t": 34, "r": 50},
        x={"range": [0, 1.06 * top], "tickformat": form, "showgrid": True},
        y={"type": "category", "autorange": "reversed", "tickfont": {"size": 15}}, **line,
    )  # fmt: skip
