"""Figures of tuning: aes as predicted by a linear regression (Fig. 19) and for each pair of taus (Fig. 20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from bridgeviz.viz.figure import figure
from bridgeviz.viz.palette import GREY, colour, contrast

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
    values = grid.to_numpy()
    x, y = ([f"{t:g}" for t in axis] for axis in (grid.columns, grid.index))
    heat = {
        "type": "heatmap", "z": values, "x": x, "y": y, "colorscale": SCALE, "showscale": False,
        "hovertemplate": "tau_x %{y}, tau_y %{x}: %{z:.3f}<extra></extra>",
    }  # fmt: skip
    form = ".0%" if value in ("matching_accuracy", "excluded_ratio") else ".1f"
    cells = [(r, c) for r, c in np.ndindex(values.shape) if np.isfinite(values[r, c])]
    low, span = np.nanmin(values), float(np.ptp(values[np.isfinite(values)])) or 1.0
    numbers = {
        "x": [x[c] for _, c in cells], "y": [y[r] for r, _ in cells], "text": [f"{values[at]:{form}}" for at in cells],
        "mode": "text", "hoverinfo": "skip",
        "textfont": {"color": [_ink((values[at] - low) / span) for at in cells]},
    }  # fmt: skip
    return figure(
        [heat, numbers], height=height, x={"title": "tau of the target", "type": "category"},
        y={"title": "tau of the source", "type": "category"},
    )  # fmt: skip


def _ink(share: float) -> str:
    """Black or white, whichever is easier to read on the colour of `SCALE` at a share of it."""
    ground = sample_colorscale(SCALE, [min(max(float(share), 0.0), 1.0)], colortype="tuple")[0]
    rgb = [255 * float(channel) for channel in ground]
    return "white" if contrast((255, 255, 255), rgb) > contrast((0, 0, 0), rgb) else "black"


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
