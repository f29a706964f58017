"""What are the two spaces? (Fig. 5)"""

import numpy as np
import streamlit as st

from bridgeviz.ui import analysis, doors, settings, thumbnails
from bridgeviz.ui.maps import counterparts, picked_rows
from bridgeviz.viz.maps import MOST, space_map
from bridgeviz.viz.plans import class_heatmap
from bridgeviz.viz.spaces import overlap_bars

st.title("What are the two spaces?")
config = settings.sidebar()
with doors.guard():
    problem = doors.problem(config)
    panels = {side: analysis.panel(config, side) for side in ("source", "target")}
    near = {side: analysis.near(config, side) for side in ("source", "target")}
source, target = problem.source, problem.target
classes, names = analysis.names(config)
st.markdown(
    f"Two frozen models describe the same things, each in its own way: the source in {source.x.shape[1]} dimensions, "
    f"the target in {target.x.shape[1]}. They share no coordinates. **Draw a lasso or a box around points of the "
    "source** to see where their true counterparts lie in the target."
)

left, right = st.columns(2)
with left:
    st.subheader(f"Source: {source.title or 'your points'}")
    st.caption(f"{len(source):,} rows, {source.x.shape[1]} dimensions. Colour and shape are the class.")
    event = st.plotly_chart(
        space_map(panels["source"]), key="data_source", on_select="rerun", selection_mode=("box", "lasso"),
        config={"displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]}, alt="map of the source space",
    )  # fmt: skip
    if len(source) > MOST:
        st.caption(f"{MOST:,} random rows are drawn.")
brushed = picked_rows(event)
lit = counterparts(problem, brushed)
with right:
    st.subheader(f"Target: {target.title or 'your points'}")
    st.caption(f"{len(target):,} rows, {target.x.shape[1]} dimensions.")
    st.plotly_chart(
        space_map(panels["target"], lit=lit), key="data_target", config={"displaylogo": False},
        alt="map of the target space",
    )  # fmt: skip

if len(brushed):
    if lit is None:
        st.info("No true pairs are known here, so the counterparts of the selected rows can't be shown.")
    shown = np.random.default_rng(0).permutation(brushed)[:24]
    st.markdown(
        f"**{len(brushed):,} rows selected**" + (f", {len(shown)} of them:" if len(brushed) > len(shown) else ":")
    )
    overlap = panels["source"].overlap
    said = [
        (names[str(source.labels[r])] if classes is not None and source.labels is not None else f"row {r}")
        + ("" if overlap is None else f", overlap {overlap[r]:.0%}")
        for r in shown
    ]
    if not thumbnails.of_rows(source, shown, said):
        st.caption("This space has no pictures. " + "; ".join(said[:12]))

st.divider()
if near["source"] is None and near["target"] is None:
    st.info("Neither side has labels, so overlap can't be measured and nothing can be called right or wrong.")
for side in [side for side in ("source", "target") if near[side] is not None]:
    found = near[side]
    known = [names[str(c)] for c in found.classes]
    st.subheader(f"Do the classes of the {side} overlap?")
    mean = float(found.overlap.mean())
    st.markdown(
        f"On average **{mean:.1%}** of a point's {found.rows.shape[1]} nearest neighbours belong to another class "
        f"(Eq. 21); classes mixed completely would give {found.chance:.0%}."
    )
    if mean == 0:
        st.caption("Every point has only its own class around it: this side can't be what goes wrong.")
        continue
    bars, table = st.columns(2)
    ranks = np.searchsorted(classes, found.classes)
    bars.plotly_chart(overlap_bars(found, known, ranks), key=f"overlap_{side}", alt="overlap by class")
    with table:
        st.plotly_chart(
            class_heatmap(found.between, known, row_title="a point of class", column_title="has neighbours of class",
                          zero_diagonal=True, height=330),
            key=f"between_{side}", alt="share of neighbours between classes",
        )  # fmt: skip
        off = found.between.copy()
        np.fill_diagonal(off, 0)
        a, b = np.unravel_index(off.argmax(), off.shape)
        st.caption(f"Nearest classes: {off[a, b]:.0%} of the neighbours of {known[a]} are {known[b]}.")

pictured = next((space for space in (source, target) if space.images is not None), None)
if pictured is not None:
    st.subheader("What the rows look like")
    if pictured.labels is not None:
        which = st.pills(
            "Class", list(pictured.classes), default=pictured.classes[0], format_func=lambda c: names[str(c)]
        )
        rows = np.flatnonzero(pictured.labels == which)[:32]
    else:
        rows = np.arange(min(32, len(pictured)))
    thumbnails.of_rows(pictured, rows, [f"row {r}" for r in rows])
    thumbnails.note(pictured)
st.page_link("pages/pairs_and_cost.py", label="Next: what does supervision buy?", icon=":material/arrow_forward:")
with doors.guard():
    for side in ("source", "target"):
        thumbnails.hover(f"hover_{side}", f"data_{side}", getattr(problem, side))
