"""What does supervision buy? (Fig. 3, 13, 14)"""

import streamlit as st

from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import editing, formula, page, selecting, supervision, table
from bridgeviz.ui.panels.advice import choice_of_cost
from bridgeviz.ui.panels.bridge import bridge, memory
from bridgeviz.ui.panels.sidebar import sidebar
from bridgeviz.viz.words import counted

page.question(
    "What does supervision buy?",
    "A few pairs say which source row belongs to which target row. All other distances between the two spaces are "
    "measured across these pairs. Move **Paired samples** in the sidebar and watch this page.",
)
config = sidebar()
with page.place(), guard():
    problem, pairs, cost = stages.problem(config), stages.pairs(config), stages.cost(config)
classes, names = analysis.names(config)
chosen = selecting.bar(config, problem, names)
table.show(config, problem, chosen, names)

st.header(f"Which classes are covered by {counted(len(pairs), 'pair')}?")
supervision.coverage(problem.source, pairs, classes, names)

st.header("Which pair bridges two points?")
if cost is None:
    st.info(
        f"{config.coupling.introduction} It needs no cost between the other rows. Choose another strategy in the "
        "sidebar to see one.", icon=":material/info:",
    )  # fmt: skip
elif len(pairs) == 0:
    st.info(f"{config.cost.lead} Without pairs, none bridges two points.", icon=":material/link_off:")
else:
    st.markdown(
        f"{config.cost.lead} **Pick two points**, by row or with a click on a map. "
        "The lasso in the toolbar of the maps selects rows."
    )
with page.place():
    if cost is not None and cost.advice:
        st.warning(cost.advice, icon=":material/hub:")
bridge(config, problem, cost, names, chosen)
editing.effect(config, problem, pairs)
if cost is not None:
    st.caption(memory(cost))
    with page.place():
        if len(pairs) > 0:
            choice_of_cost(config, problem, pairs)
    st.header("Does the cost tell classes apart?")
    supervision.separation(config, cost, problem, pairs)
formula.of_cost(config)
page.next_page("coupling", "what did optimal transport decide?")
