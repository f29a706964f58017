"""How far the classes of one space overlap."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from bridgeviz.metrics.neighbours import Neighbourhood
from bridgeviz.viz.palette import colour


def overlap_bars(near: Neighbourhood, names: Sequence[str], ranks: Sequence[int]) -> go.Figure:
    """The mean overlap of each class (Eq. 21), with the level of completely mixed classes."""
    values = near.by_class
    figure = go.Figure(
        go.Bar(
            x=list(names),
            y=values,
            marker_color=[colour(k) for k in ranks],
            text=[f"{v:.0%}" for v in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{y:.1%} of the neighbours are of another class<extra></extra>",
        )
    )
    figure.add_hline(
        y=near.chance,
        line={"dash": "dash", "color": "#8A8A8A"},
        annotation_text=f"mixed completely: {near.chance:.0%}",
        annotation_position="top left",
    )
    figure.update_xaxes(type="category", title="class")
    figure.update_yaxes(title="neighbours of other classes", tickformat=".0%", range=[0, 1.08])
    return figure.update_layout(
        height=330,
        margin={"l": 10, "r": 10, "t": 24, "b": 10},
        showlegend=False,
        bargap=0.25,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
