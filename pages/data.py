"""What are the two spaces? (Fig. 5)"""

import streamlit as st

from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import page, rows, thumbnails
from bridgeviz.ui.panels.brushing import brushable
from bridgeviz.ui.panels.overlap import overlap
from bridgeviz.ui.panels.sidebar import sidebar
from bridgeviz.ui.state.selection import counterparts
from bridgeviz.viz.maps import space_map

page.question(
    "What are the two spaces?",
    "Two frozen models describe the same things, each in its own way; they share no coordinates. **Draw a lasso or a "
    "box around points of the source** and see where their true counterparts lie in the target.",
)
config = sidebar(choose=False)
with guard():
    problem = stages.problem(config)
    near = {side: analysis.near(config, side) for side in ("source", "target")}
classes, names = analysis.names(config)

left, right = st.columns(2)
with left:
    rows.heading("Source", problem.source)
    figure = analysis.space_figure(config, "source")
    selected = brushable(figure, key="data_source", of=config.key("load"), alt="map of the source space")
    st.caption(analysis.panel(config, "source").badge)
partners = counterparts(problem, selected)
with right:
    rows.heading("Target", problem.target)
    figure = analysis.space_figure(config, "target")
    if partners is not None:
        figure = space_map(analysis.panel(config, "target"), lit=partners)
    st.plotly_chart(figure, key="data_target", config={"displaylogo": False}, alt="map of the target space")
    st.caption(analysis.panel(config, "target").badge)

if len(selected):
    rows.selection(problem.source, selected, names, near["source"])
    if partners is None:
        st.info("No true pairs are known here, so the counterparts of the selected rows can't be shown.")
else:
    st.caption("Nothing is selected. Double-click the source map to clear a selection.")

rows.about(config.data.dataset)
st.divider()
for side, neighbourhood in near.items():
    if neighbourhood is not None:
        overlap(side, neighbourhood, classes, names)
    else:
        st.info(f"The {side} has no labels, so its overlap can't be measured.", icon=":material/label_off:")
for space in (problem.source, problem.target):
    if space.images is not None:
        rows.gallery(space, names)
        break
page.next_page("pairs_and_cost", "what does supervision buy?")
with guard():
    for side in near:
        sheet = analysis.sheet(config, side)
        thumbnails.hover(f"hover_{side}", f"data_{side}", sheet)
        if sheet is not None and sheet["count"] < len(getattr(problem, side)):
            st.caption(f"Only {sheet['count']:,} of the {side} rows show a picture under the pointer.")
