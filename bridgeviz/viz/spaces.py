"""Overlap of the classes of one space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from bridgeviz.viz.figure import figure, level
from bridgeviz.viz.palette import colour

if TYPE_CHECKING:
    from bridgeviz.metrics import Neighbourhood


def overlap_bars(near: Neighbourhood, names: Sequence[str], ranks: Sequence[int]) -> go.Figure:
    """The mean overlap of each class (Eq. 21), and a line at the overlap of completely mixed classes.

    Args:
        near: the neighbourhoods of the space.
        names: of its classes.
        ranks: of its classes among all classes, which give their colours.
    """
    values = near.by_class
    bars = {
        "type": "bar", "x": list(names), "y": values, "marker": {"color": [colour(k) for k in ranks]},
        "text": [f"{v:.0%}" for v in values], "textposition": "outside", "cliponaxis": False,
        "hovertemplate": "%{x}: %{y:.1%} of the neighbours belong to other classes<extra></extra>",
    }  # fmt: skip
    return figure(
        [bars], height=330, bargap=0.25,
        x={"type": "category", "title": "class"},
        y={"title": "neighbours of other classes", "tickformat": ".0%", "range": [0, 1.08]},
        **level(near.chance, f"completely mixed: {near.chance:.0%}"),
    )  # fmt: skip
