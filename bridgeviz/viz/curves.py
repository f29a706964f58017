"""Training as curves: the loss on a log axis, and the test accuracy beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from bridgeviz.viz.palette import COLOURS


def loss_curve(steps: np.ndarray, losses: np.ndarray, *, last: int | None = None) -> go.Figure:
    """The training loss, standardised units: 2 is what a flow that does nothing scores.

    Args:
        steps: (k,).
        losses: (k,).
        last: step at which training ends, to keep the axis still while it runs.
    """
    figure = _figure("loss (log)", last)
    figure.add_scatter(x=np.asarray(steps), y=np.asarray(losses), mode="lines", line_color=COLOURS[0], name="loss")
    figure.update_yaxes(type="log", dtick="D2")
    return figure


def accuracy_curve(points: Sequence[tuple[int, float]], *, chance: float, last: int | None = None) -> go.Figure:
    """Test accuracy on a sample, as training goes on, against the accuracy of guessing."""
    steps, values = np.array([p[0] for p in points]), np.array([p[1] for p in points])
    figure = _figure("test accuracy", last)
    figure.add_scatter(x=steps, y=values, mode="lines+markers", line_color=COLOURS[2], name="test accuracy")
    figure.add_hline(
        y=chance, line_dash="dot", line_color=COLOURS[8], annotation_text="guessing", annotation_position="top left"
    )
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    return figure


def _figure(title: str, last: int | None) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        height=230, margin={"l": 10, "r": 10, "t": 30, "b": 10}, showlegend=False,
        title={"text": title, "font_size": 14}, uirevision=title,
    )  # fmt: skip
    figure.update_xaxes(title="step", range=None if last is None else [0, last])
    return figure
