"""Which points changed sides between two runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from bridgeviz.viz.maps import plain_map, ring
from bridgeviz.viz.palette import COLOURS, GREY, WRONG

MARKS: Mapping[str, tuple[str, str, int]] = {
    "right": (GREY, "circle-open", 5),
    "wrong": (GREY, "x", 7),
    "won": (COLOURS[2], "triangle-up", 10),
    "lost": (WRONG, "triangle-down", 10),
}
"""The colour, shape and size of a point by what became of it."""

NAMES = {"right": "right in both", "wrong": "wrong in both", "won": "won", "lost": "lost"}


def changes_map(
    points: Float[np.ndarray, "k 2"], sides: np.ndarray, texts: Sequence[str], *, lit: np.ndarray | None = None
) -> go.Figure:  # fmt: skip
    """The points on a map. Each marker's `customdata` is its row number.

    Args:
        points: where they are.
        sides: (k,) "right", "wrong", "won" or "lost".
        texts: (k,) of the hover.
        lit: rows that are ringed.
    """
    traces: list[dict[str, Any]] = []
    for side, (colour, symbol, size) in MARKS.items():
        at = np.flatnonzero(sides == side)
        if len(at):
            traces.append({
                "x": points[at, 0].astype(np.float32), "y": points[at, 1].astype(np.float32), "mode": "markers",
                "customdata": at.astype(np.int32), "text": [texts[int(k)] for k in at],
                "name": f"{NAMES[side]} ({len(at):,})",
                "hovertemplate": "%{text}<extra></extra>", "marker": {"color": colour, "symbol": symbol, "size": size},
            })  # fmt: skip
    if lit is not None:
        traces.append(ring(points[lit]))
    return plain_map(traces)
