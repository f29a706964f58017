"""Which classes collide, and what each stage says of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from bridgeviz.metrics.diagnosis import Diagnosis, collisions
from bridgeviz.viz.words import blame


def show(diagnosis: Diagnosis, names: Mapping[str, str], *, most: int = 4) -> None:
    """The most frequent confusions, each with its four numbers and what they point at."""
    found = collisions(diagnosis, most=most)
    if not found:
        st.success("No point arrived in a wrong class.", icon=":material/check:")
    for hit in found:
        a, b = names[str(hit.true)], names[str(hit.taken)]
        with st.container(border=True):
            st.markdown(f"**{a} is taken for {b}** in {hit.share:.0%} of the cases ({hit.count:,} points).")
            boxes = st.columns(4)
            boxes[0].metric("Overlap", f"{hit.overlap:.0%}", help=f"Of the neighbours of {a} in the source are {b}.")
            boxes[1].metric(
                "Nearest pair",
                f"{hit.nearest:.0%}",
                help=f"Of {a} have a {b} as nearest pair. Pairs of {a}: {hit.true_pairs}; of {b}: {hit.taken_pairs}.",
            )
            if np.isfinite(hit.cheapest):
                boxes[2].metric("Cheapest target", f"{hit.cheapest:.0%}", help=f"Of {a} have a {b} as cheapest target.")
            about = " Counted from draws." if diagnosis.estimated else ""
            boxes[3].metric("Coupling", f"{hit.plan:.0%}", help=f"Of the mass of {a} goes to {b}.{about}")
            st.caption(blame(hit, dict(names)))
