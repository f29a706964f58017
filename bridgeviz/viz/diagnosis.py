"""Diagnosis of errors: confusion, and overlap against error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from bridgeviz.viz.figure import figure
from bridgeviz.viz.palette import colour, symbol
from bridgeviz.viz.plans import class_heatmap

if TYPE_CHECKING:
    from bridgeviz.metrics import Diagnosis


def confusion_heatmap(diagnosis: Diagnosis, names: Sequence[str]) -> go.Figure:
    """The classes in which the points of each class arrived, as shares of the class."""
    counts = diagnosis.confusion
    total = np.maximum(counts.sum(1, keepdims=True), 1)
    return class_heatmap(
        counts / total, names, row_title="true class", column_title="arrived in class", counts=counts, height=460
    )


def overlap_against_error(diagnosis: Diagnosis, names: Sequence[str]) -> go.Figure:
    """One marker per class: its mean overlap in the source space, and the share of its points in other classes."""
    overlap, error = 1.0 - np.diag(diagnosis.overlap), diagnosis.error
    markers = [
        {
            "x": [overlap[c]], "y": [error[c]], "mode": "markers+text", "text": [f" {name}"], "name": name,
            "textposition": "top right", "textfont": {"size": 14}, "cliponaxis": False,
            "marker": {"size": 13, "color": colour(c), "symbol": symbol(c)},
            "hovertemplate": f"<b>{name}</b><br>overlap %{{x:.1%}}<br>error %{{y:.1%}}<extra></extra>",
        }
        for c, name in enumerate(names)
        if np.isfinite(error[c])
    ]  # fmt: skip
    share = {"tickformat": ".0%", "rangemode": "tozero"}
    return figure(
        markers, height=460, margin={"r": 24},
        x={"title": "overlap: source neighbours of other classes", **share},
        y={"title": "error: points that arrived in other classes", **share},
    )  # fmt: skip
