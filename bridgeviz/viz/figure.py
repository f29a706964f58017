"""How every figure is made: plain dictionaries, which Plotly reads and checks once.

Building a figure piece by piece (`go.Bar`, `add_trace`, `update_layout`) checks each piece several times and takes
about six times as long, which a visitor feels at every move of a slider.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import plotly.graph_objects as go

from bridgeviz.viz.palette import GREY

_NONE = "rgba(0,0,0,0)"
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
    """A figure on no ground of its own, so that it suits both themes.

    Args:
        traces: as Plotly's JSON has them; a trace without a type is a scatter.
        height: in pixels.
        x, y: the axes.
        margin: what differs from ours.
        layout: the rest of it, such as `showlegend`, which is off unless it is asked for.
    """
    return go.Figure(
        {
            "data": [{"type": "scatter", **trace} for trace in traces],
            "layout": {
                "height": height,
                "margin": {**_MARGIN, **(margin or {})},
                "paper_bgcolor": _NONE,
                "plot_bgcolor": _NONE,
                "showlegend": False,
                "xaxis": x or {},
                "yaxis": y or {},
                **layout,
            },
        }
    )


def level(at: float, said: str, *, dash: str = "dash", side: str = "left", above: bool = True) -> dict[str, Any]:
    """A horizontal line across the figure with a word at its end, as part of a layout."""
    line = {
        "type": "line",
        "xref": "x domain",
        "x0": 0,
        "x1": 1,
        "y0": at,
        "y1": at,
        "line": {"dash": dash, "color": GREY},
    }
    word = {
        "xref": "x domain", "x": 0 if side == "left" else 1, "xanchor": side, "y": at, "showarrow": False,
        "yanchor": "bottom" if above else "top", "text": said,
    }  # fmt: skip
    return {"shapes": [line], "annotations": [word]}
