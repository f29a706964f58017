"""How every figure is built: from plain dictionaries, in one go.

Plotly would check every attribute of every trace, which takes eight times as long as building the figure: a delay that
visitors notice at every move of a slider. So figures are checked where they are tested (`VALIDATE`) and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import plotly.graph_objects as go

from bridgeviz.viz.palette import GREY

VALIDATE = False
"""Whether Plotly checks the figures; the tests ask for it."""

_TRANSPARENT = "rgba(0,0,0,0)"
_MARGIN = {"l": 10, "r": 10, "t": 24, "b": 10}


def figure(
    traces: Iterable[Mapping[str, Any]],
    *,
    height: int,
    x: Mapping[str, Any] | None = None,
    y: Mapping[str, Any] | None = None,
    margin: Mapping[str, int] | None = None,
    **layout: Any,
) -> go.Figure:
    """A figure with a transparent background, which suits the light and the dark theme.

    Args:
        traces: in Plotly's JSON form; a trace without a type is a scatter plot.
        height: in pixels.
        x, y: the axes.
        margin: changes to the default margins.
        layout: other attributes of the layout, such as `showlegend`, which is False by default.
    """
    parts = {
        "data": [{"type": "scatter", **trace} for trace in traces],
        "layout": {
            "height": height,
            "margin": {**_MARGIN, **(margin or {})},
            "paper_bgcolor": _TRANSPARENT,
            "plot_bgcolor": _TRANSPARENT,
            "showlegend": False,
            "xaxis": x or {},
            "yaxis": y or {},
            **layout,
        },
    }
    return go.Figure(parts, _validate=VALIDATE)


def level(y: float, text: str, *, dash: str = "dash", side: str = "left", above: bool = True) -> dict[str, Any]:
    """A horizontal line across the figure with a label at its end, as part of a layout.

    Args:
        y: height of the line, on the y axis.
        text: of the label.
        dash: Plotly's style of the line.
        side: end of the line at which the label stands, "left" or "right".
        above: whether the label stands above the line.
    """
    line = {
        "type": "line",
        "xref": "x domain",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"dash": dash, "color": GREY},
    }
    label = {
        "xref": "x domain", "x": 0 if side == "left" else 1, "xanchor": side, "y": y, "showarrow": False,
        "yanchor": "bottom" if above else "top", "text": text,
    }  # fmt: skip
    return {"shapes": [line], "annotations": [label]}
