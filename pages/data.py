"""What are the two spaces? (Fig. 5)"""

import numpy as np
import streamlit as st

from bridgeviz import Space
from bridgeviz.ui import analysis, doors, page, settings, thumbnails
from bridgeviz.ui.maps import counterparts, picked_rows
from bridgeviz.ui.overlap import overlap
from bridgeviz.viz.maps import MOST, space_map

page.question(
    "What are the two spaces?",
    "Two frozen models describe the same things, each in its own way; they share no coordinates. **Draw a lasso or a "
    "box around points of the source** and see where their true counterparts lie in the target.",
)
config = settings.sidebar()
with doors.guard():
    problem = doors.problem(config)
    near = {side: analysis.near(config, side) for side in ("source", "target")}
source, target = problem.source, problem.target
classes, names = analysis.names(config)


def head(side: str) -> None:
    space = getattr(problem, side)
    st.subheader(side.capitalize())
    drawn = f", {MOST:,} random ones drawn" if len(space) > MOST else ""
    st.caption(f"{space.title or 'your points'}. {len(space):,} rows{drawn}, {space.x.shape[1]} dimensions.")


left, right = st.columns(2)
with left:
    head("source")
    event = st.plotly_chart(
        analysis.space_figure(config, "source"), key="data_source", on_select="rerun", selection_mode=("box", "lasso"),
        config={"displaylogo": False}, alt="map of the source space",
    )  # fmt: skip
brushed = picked_rows(event)
lit = counterparts(problem, brushed)
with right:
    head("target")
    partner = analysis.space_figure(config, "target")
    if lit is not None:
        partner = space_map(analysis.panel(config, "target"), lit=lit)
    st.plotly_chart(partner, key="data_target", config={"displaylogo": False}, alt="map of the target space")

if len(brushed):
    shown = np.random.default_rng(0).permutation(brushed)[:24]
    st.markdown(
        f"**{len(brushed):,} rows selected**" + (f", {len(shown)} of them:" if len(brushed) > len(shown) else ":")
    )
    said = [f"{names[str(source.labels[r])]}" if source.labels is not None else f"row {r}" for r in shown]
    if near["source"] is not None:
        said = [f"{s}, overlap {near['source'].overlap[r]:.0%}" for s, r in zip(said, shown, strict=True)]
    if not thumbnails.of_rows(source, shown, said):
        st.caption("; ".join(said) + ". (This space has no pictures.)")
    if lit is None:
        st.info("No true pairs are known here, so the counterparts of the selected rows can't be shown.")
else:
    st.caption("Nothing is selected. Double-click the source map to clear a selection.")

st.divider()
for side, found in near.items():
    if found is not None:
        overlap(side, found, classes, names)
    else:
        st.info(f"The {side} has no labels, so its overlap can't be measured.", icon=":material/label_off:")


@st.fragment
def gallery(space: Space) -> None:
    """Only this part runs again when another class is chosen."""
    st.subheader("What the rows look like")
    rows = np.arange(len(space))
    if space.labels is not None:
        known = {str(c): c for c in np.unique(space.labels)}
        which = st.pills("Class", list(known), default=next(iter(known)), format_func=names.__getitem__, required=True)
        rows = np.flatnonzero(space.labels == known[which])
    thumbnails.of_rows(space, rows[:32], [f"row {r}" for r in rows[:32]])
    thumbnails.note(space)


for side in (source, target):
    if side.images is not None:
        gallery(side)
        break
page.onwards("pairs_and_cost", "what does supervision buy?")
with doors.guard():
    for side in ("source", "target"):
        sheet = analysis.sheet(config, side)
        thumbnails.hover(f"hover_{side}", f"data_{side}", sheet)
        if sheet is not None and sheet["count"] < len(getattr(problem, side)):
            st.caption(f"Under the pointer, {sheet['count']:,} of the {side} rows have a picture.")
