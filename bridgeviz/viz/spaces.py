"""How far the classes of one space overlap."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from bridgeviz.metrics.neighbours import Neighbourhood
from bridgeviz.viz.figure import figure, level
from bridgeviz.viz.palette import colour


def overlap_bars(near: Neighbourhood, names: Sequence[str], ranks: Sequence[int]) -> go.Figure:
    """The mean overlap of each class (Eq. 21), with the level of completely mixed classes."""
    values = near.by_class
    bars = {
        "type": "bar", "x": list(names), "y": values, "marker": {"color": [colour(k) for k in ranks]},
        "text": [f"{v:.0%}" for v in values], "textposition": "outside", "cliponaxis": False,
        "hovertemplate": "%{x}: %{y:.1%} of the neighbours are of another class<extra></extra>",
    }  # fmt: skip
    return figure(
        [bars], height=330, bargap=0.25,
        x={"type": "category", "title": "class"},
        y={"title": "neighbours of other classes", "tickformat": ".0%", "range": [0, 1.08]},
        **level(near.chance, f"mixed completely: {near.chance:.0%}"),
    )  # fmt: skip
