"""Figures of tuning: aes as predicted by a linear regression (Fig. 19) and for each pair of taus (Fig. 20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from bridgeviz.viz.figure import figure
from bridgeviz.viz.palette import GREY, colour

if TYPE_CHECKING:
    import pandas as pd

SCALE = "Viridis"


def aes_heatmap(table: pd.DataFrame, *, value: str = "aes", height: int = 360) -> go.Figure:
    """The mean of `value` over epsilons and fractions for each pair of taus (Fig. 20).

    Args:
        table: the rows of `bridgeviz.experiments.tuning.tune`.
        value: the column to show.
        height: in pixels.
    """
    grid = table.pivot_table(index="tau_x", columns="tau_y", values=value, aggfunc="mean")
    percent = value in ("matching_accuracy", "excluded_ratio")
    heat = {
        "type": "heatmap", "z": grid.to_numpy(), "x": [f"{t:g}" for t in grid.columns],
        "y": [f"{t:g}" for t in grid.index], "colorscale": SCALE, "texttemplate": "%{z:.0%}" if percent else "%{z:.1f}",
        "hovertemplate": "tau_x %{y}, tau_y %{x}: %{z:.3f}<extra></extra>", "showscale": False,
    }  # fmt: skip
    return figure(
        [heat], height=height, x={"title": "tau of the target", "type": "category"},
        y={"title": "tau of the source", "type": "category"},
    )  # fmt: skip


def aes_regression(measured: np.ndarray, predicted: np.ndarray, *, height: int = 360) -> go.Figure:
    """The aes predicted by a linear regression against the measured one (Fig. 19), with the diagonal for comparison.

    Args:
        measured: (k,).
        predicted: (k,).
        height: in pixels.
    """
    ends = [float(min(measured.min(), predicted.min())), float(max(measured.max(), predicted.max()))]
    line = {"x": ends, "y": ends, "mode": "lines", "line": {"dash": "dash", "color": GREY}, "hoverinfo": "skip"}
    dots = {
        "x": np.asarray(measured, np.float32), "y": np.asarray(predicted, np.float32), "mode": "markers",
        "marker": {"size": 7, "color": colour(0), "opacity": 0.5},
        "hovertemplate": "aes %{x:.2f}, predicted %{y:.2f}<extra></extra>",
    }  # fmt: skip
    return figure([line, dots], height=height, x={"title": "measured aes"}, y={"title": "predicted aes"})
