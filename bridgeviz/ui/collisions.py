"""Which classes collide, and what each stage says of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from bridgeviz import RunConfig
from bridgeviz.metrics.diagnosis import Diagnosis, collisions
from bridgeviz.problem import Space
from bridgeviz.ui import thumbnails
from bridgeviz.viz.words import blame, collision_sentence


def show(diagnosis: Diagnosis, points: Space, names: Mapping[str, str], config: RunConfig, *, most: int = 4) -> None:
    """The most frequent confusions: the numbers of each stage, what they point at, and some of the points.

    Args:
        diagnosis: of a run.
        points: that it judged.
        names: of the classes.
        config: of that run.
        most: confusions to show.
    """
    found = collisions(diagnosis, most=most)
    if not found:
        st.success("No point arrived in a wrong class.", icon=":material/check:")
    for hit in found:
        a, b = names[str(hit.true)], names[str(hit.taken)]
        with st.container(border=True):
            told, seen = st.columns([2, 1])
            told.markdown(f"**{a} is taken for {b}** in {hit.share:.0%} of the cases ({hit.count:,} points).")
            told.caption(collision_sentence(hit, dict(names), estimated=diagnosis.estimated))
            told.markdown(
                f":material/search_insights: {blame(hit, dict(names), strategy=config.strategy, tau=config.tau)}"
            )
            rows = np.flatnonzero((diagnosis.labels == hit.true) & (diagnosis.predicted == hit.taken))
            rows = rows[np.argsort(diagnosis.margin[rows], kind="stable")][:5]
            with seen:
                thumbnails.of_rows(points, rows, [f"row {r}" for r in rows], size=48)
