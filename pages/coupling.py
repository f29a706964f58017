"""What did the transport decide? (Fig. 6, 17, 18)"""

import streamlit as st

from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import formula, methods, page, plans, selecting, table
from bridgeviz.ui.panels.advice import choice_of_tau
from bridgeviz.ui.panels.sidebar import sidebar
from bridgeviz.ui.panels.verdict import verdict

page.question("What did optimal transport decide?", "")
config = sidebar()
st.markdown(config.coupling.introduction)
with page.place(), guard():
    problem, plan = stages.problem(config), stages.plan(config)
    analysis.draws(config)
classes, names = analysis.names(config)
chosen = selecting.bar(config, problem, names)
table.show(config, problem, chosen, names, plan=plan)
with page.place():
    verdict(config, [names[str(c)] for c in classes])
    cost = stages.cost(config)
    if cost is not None and cost.advice and len(stages.pairs(config)) == 0:
        st.warning(cost.advice, icon=":material/hub:")

left, right = st.columns(2)
with left:
    st.header("Which class goes where?")
    plans.between_classes(config, classes, names)
with right:
    st.header("The plan itself")
    plans.in_blocks(problem, plan, names)
with page.place():
    if chosen is not None:
        plans.selected(config, chosen, classes, names)
plans.lines(config, chosen)
with page.place():
    if problem.target.labels is not None and plan.whole is not None:
        st.header("What does each target class receive?")
        plans.received(config, plan.whole, problem.target.labels, classes, names)
with page.place():
    methods.compare(config)
if config.coupling.uses_cost:
    choice_of_tau(config, problem)
formula.of_plan(config)
page.next_page("flow", "how does noise become a target?")
