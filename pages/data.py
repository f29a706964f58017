"""What are the two spaces? (Fig. 5)"""

import streamlit as st

from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import formula, page, rows, selecting, table, thumbnails
from bridgeviz.ui.panels.brushing import brushable
from bridgeviz.ui.panels.overlap import overlap
from bridgeviz.ui.panels.sidebar import sidebar
from bridgeviz.ui.state import selection

page.question(
    "What are the two spaces?",
    "Two frozen models describe the same things, each in its own way; they share no coordinates. **Draw a lasso or a "
    "box around points of one map** and see where their true counterparts lie on the other. What you select stays "
    "selected on every page.",
)
config = sidebar(choose=False)
with page.place(), guard():
    problem = stages.problem(config)
    near = {side: analysis.near(config, side) for side in ("source", "target")}
classes, names = analysis.names(config)

chosen = selecting.bar(config, problem, names)
table.show(config, problem, chosen, names)
lit = {side: selection.aligned(problem, chosen, side) for side in near}
for side, column in zip(near, st.columns(2), strict=True):
    with column:
        rows.heading(side.capitalize(), getattr(problem, side))
        panel, figure = analysis.panel(config, side), analysis.space_figure(config, side)
        brushable(panel, figure, lit[side], key=f"data_{side}", side=side, alt=f"map of the {side} space")
        st.caption(panel.badge)
with page.place():
    if chosen is not None:
        rows.selection(problem, chosen, names, near)
        if any(lit[side] is None for side in near):
            st.info("No true pairs are known of these rows, so their counterparts can't be shown.")

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
formula.of_page("data")
page.next_page("pairs_and_cost", "what does supervision buy?")
with guard():
    for side in near:
        sheet = analysis.sheet(config, side)
        thumbnails.hover(f"hover_{side}", f"data_{side}", sheet)
        if sheet is not None and sheet["count"] < len(getattr(problem, side)):
            st.caption(f"Only {sheet['count']:,} of the {side} rows show a picture under the pointer.")
