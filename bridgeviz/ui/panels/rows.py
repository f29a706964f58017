"""The rows of a space: what they are, those that are selected, and what each class looks like."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from bridgeviz import Problem, Space
from bridgeviz.datasets import DatasetOptions
from bridgeviz.metrics import Neighbourhood
from bridgeviz.ui.panels import thumbnails
from bridgeviz.ui.state.selection import Selection
from bridgeviz.ui.text import literal
from bridgeviz.viz.markers import MOST
from bridgeviz.viz.words import counted, listed

_SHOWN = 24


def heading(title: str, space: Space) -> None:
    """A heading, and the size of the space."""
    st.header(title)
    drawn = f", {MOST:,} random ones drawn" if len(space) > MOST else ""
    size = f"{counted(len(space), 'row')}{drawn}, {counted(space.x.shape[1], 'dimension')}"
    st.caption(f"{literal(space.title or 'your points')}. {size}.")


def about(dataset: DatasetOptions) -> None:
    """The card of a data set: source, licence, and what to be careful about."""
    if dataset.card is None:
        return
    with st.expander("About these data", icon=":material/info:"):
        for heading, text in dataset.card.lines().items():
            st.markdown(f"**{heading}**: {literal(text)}")


def selection(
    problem: Problem, chosen: Selection, names: Mapping[str, str], near: Mapping[str, Neighbourhood | None]
) -> None:  # fmt: skip
    """Some of the selected rows, with their classes and overlaps.

    Args:
        problem: that they belong to.
        chosen: the selection.
        names: of the classes.
        near: the neighbourhoods of the aligned rows of both sides; None without labels.
    """
    space, rows = chosen.space(problem), np.random.default_rng(0).permutation(chosen.rows)
    shown, around = rows[:_SHOWN], None if chosen.tested else near[chosen.side]
    captions = [names[str(space.labels[row])] if space.labels is not None else f"row {row}" for row in shown]
    if around is not None:
        captions = [f"{c}, overlap {around.overlap[row]:.0%}" for c, row in zip(captions, shown, strict=True)]
    if thumbnails.of_rows(space, shown, captions):
        if len(rows) > len(shown):
            st.caption(f"{len(shown)} of the selected rows, taken at random.")
    elif space.labels is not None:
        classes, counts = np.unique(space.labels[rows], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        parts = [f"{counts[k]:,} of class {names[str(classes[k])]}" for k in order]
        st.caption(literal(f"{listed(parts)}. This space has no pictures."))


@st.fragment
def gallery(space: Space, names: Mapping[str, str]) -> None:
    """The pictures of one class; only this part of the page runs again when another class is chosen."""
    st.header("What the rows look like")
    rows = np.arange(len(space))
    if space.labels is not None:
        classes = {str(c): c for c in np.unique(space.labels)}
        first = next(iter(classes))
        chosen = st.pills("Class", list(classes), default=first, format_func=names.__getitem__, required=True)
        rows = np.flatnonzero(space.labels == classes[chosen or first])
    thumbnails.of_rows(space, rows[:32], [f"row {row}" for row in rows[:32]])
    thumbnails.note(space)
