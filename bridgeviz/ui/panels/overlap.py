"""How much the classes of one space overlap, and which of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from bridgeviz.metrics import Neighbourhood
from bridgeviz.ui.panels import charts
from bridgeviz.ui.text import literal
from bridgeviz.viz.plans import class_heatmap
from bridgeviz.viz.spaces import overlap_bars


def overlap(side: str, near: Neighbourhood, classes: np.ndarray, names: Mapping[str, str]) -> None:
    """The overlap of each class against chance, and which classes are neighbours.

    Args:
        side: "source" or "target".
        near: its neighbourhoods.
        classes: of both sides, whose order gives the colours.
        names: of the classes.
    """
    known = [names[str(c)] for c in near.classes]
    st.header(f"Do the classes of the {side} overlap?")
    mean = near.mean
    st.markdown(
        f"On average, **{mean:.1%}** of a point's {near.rows.shape[1]} nearest neighbours belong to another class "
        f"(Eq. 21). If the classes were completely mixed, it would be {near.chance:.0%}."
    )
    if mean == 0:
        st.caption("All neighbours of every point belong to its own class.")
        return
    bars, table = st.columns(2)
    ranks = np.searchsorted(classes, near.classes).tolist()
    charts.draw(bars, overlap_bars(near, known, ranks), key=f"overlap_{side}", alt="overlap by class")
    charts.draw(
        table,
        class_heatmap(
            near.between,
            known,
            row_title="a point of class",
            column_title="has neighbours of class",
            zero_diagonal=True,
            height=330,
        ),
        key=f"between_{side}",
        alt="share of neighbours between classes",
    )
    off = near.between.copy()
    np.fill_diagonal(off, 0)
    a, b = np.unravel_index(off.argmax(), off.shape)
    from_, to = literal(known[a]), literal(known[b])
    table.caption(f"Nearest classes: {off[a, b]:.0%} of the neighbours of class {from_} belong to class {to}.")
