"""Which classes collide, and what each stage says about them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from bridgeviz import RunConfig, Space
from bridgeviz.metrics import Diagnosis, collisions
from bridgeviz.ui.panels import thumbnails
from bridgeviz.ui.text import literal
from bridgeviz.viz.words import blame, collision_sentence, counted


def show(diagnosis: Diagnosis, points: Space, names: Mapping[str, str], config: RunConfig, *, most: int = 4) -> None:
    """The most frequent confusions: the numbers of each stage, the likely cause, and some of the points.

    Args:
        diagnosis: of a run.
        points: the points that were evaluated.
        names: of the classes.
        config: of the run.
        most: the largest number of confusions.
    """
    frequent = collisions(diagnosis, most=most)
    if not frequent:
        st.success("No point arrived in a wrong class.", icon=":material/check:")
    for collision in frequent:
        true, taken = literal(names[str(collision.true)]), literal(names[str(collision.taken)])
        with st.container(border=True):
            text, pictures = st.columns([2, 1])
            text.markdown(
                f"**{true} is taken for {taken}** in {collision.share:.0%} of the cases "
                f"({counted(collision.count, 'point')})."
            )
            text.caption(literal(collision_sentence(collision, dict(names), estimated=diagnosis.estimated)))
            cause = blame(collision, dict(names), alignment=config.coupling)
            text.markdown(f":material/search_insights: {literal(cause)}")
            rows = np.flatnonzero((diagnosis.labels == collision.true) & (diagnosis.predicted == collision.taken))
            rows = rows[np.argsort(diagnosis.margin[rows], kind="stable")][:5]
            with pictures:
                thumbnails.of_rows(points, rows, [f"row {r}" for r in rows], size=48)
