"""Training curves: the loss on a logarithmic axis, and the test accuracy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from bridgeviz.viz.figure import figure, level
from bridgeviz.viz.palette import COLOURS

_TICKS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]


def loss_curve(
    steps: np.ndarray, losses: np.ndarray, *, last: int | None = None, span: tuple[float, float] | None = None
) -> go.Figure:
    """The training loss in standardised units, in which a flow that predicts zero velocity scores 2.

    Args:
        steps: (k,).
        losses: (k,).
        last: the step at which training ends, so that the axis does not move while training runs.
        span: lowest and highest loss of the axis; None fits it to the losses.
    """
    line = {
        "x": np.asarray(steps), "y": np.asarray(losses), "mode": "lines", "line": {"color": COLOURS[0]}, "name": "loss"
    }  # fmt: skip
    ticks = {"tickvals": _TICKS, "ticktext": [f"{tick:g}" for tick in _TICKS]}
    axis = {"type": "log", **ticks, "range": None if span is None else np.log10(span).tolist()}
    return _curve(line, "loss (log scale)", last, axis)


def accuracy_curve(points: Sequence[tuple[int, float]], *, chance: float, last: int | None = None) -> go.Figure:
    """Test accuracy on a sample during training, with the accuracy of guessing for comparison.

    Args:
        points: (step, accuracy).
        chance: the accuracy of guessing.
        last: the step at which training ends, so that the axis does not move while training runs.
    """
    line = {
        "x": np.array([p[0] for p in points]), "y": np.array([p[1] for p in points]), "mode": "lines+markers",
        "line": {"color": COLOURS[2]}, "name": "test accuracy",
    }  # fmt: skip
    axis = {"range": [0, 1.02], "tickformat": ".0%"}
    return _curve(line, "test accuracy", last, axis, **level(chance, "guessing", dash="dot"))


def _curve(line: dict, title: str, last: int | None, axis: dict, **layout) -> go.Figure:
    steps = None if last is None else [0, 1.02 * last]  # the last point is drawn whole
    return figure(
        [line], height=230, margin={"t": 30}, x={"title": "step", "range": steps}, y=axis,
        title={"text": title, "font": {"size": 14}}, uirevision=title, **layout,
    )  # fmt: skip
