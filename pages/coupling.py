"""What did the transport decide? (Fig. 6, 17, 18)"""

import numpy as np
import streamlit as st

from bridgeviz.couplings import LocalCoupling
from bridgeviz.metrics.masses import blocks, received, strongest
from bridgeviz.ui import analysis, doors, page, settings
from bridgeviz.ui.advice import choice_of_tau
from bridgeviz.ui.verdict import verdict
from bridgeviz.viz.plans import block_heatmap, class_heatmap, plan_lines, received_bars

LEADS = {
    "true": "The strategy **true** couples the pairs and nothing else: never wrong, and silent about all other rows.",
    "global": "**Optimal transport** looks for the cheapest way to move one cloud of points onto the other; epsilon "
    "blurs it. The plan says how much of each source row goes to each target row.",
    "fgw": "**Fused Gromov-Wasserstein** weighs two wishes: cheap matches between the spaces, and matches that keep "
    "the distances within each space. Alpha is the weight of the second.",
    "local": "The strategy **local** solves a new transport problem inside each training batch. Everything here is "
    "**estimated from draws**, because there is no plan of all rows.",
}
page.question("What did optimal transport decide?", "")
config = settings.sidebar()
st.markdown(LEADS["fgw" if config.solver == "fgw" else config.strategy])
with doors.guard():
    problem, plan = doors.problem(config), doors.plan(config)
    drawn = analysis.draws(config)
source, target = problem.source, problem.target
classes, names = analysis.names(config)
labels = analysis.judged(problem)
verdict(problem, plan, drawn)

left, right = st.columns(2)
with left:
    st.subheader("Which class goes where?")
    if labels is not None:
        shares = analysis.class_shares_of(plan, labels, drawn, classes)
        heat = class_heatmap(shares, [names[str(c)] for c in classes])
        st.plotly_chart(heat, key="class_plan", alt="plan between classes")
        empty = [names[str(c)] for c, line in zip(classes, shares, strict=True) if not line.any()]
        st.caption(
            "Each row sums to 100%; perfect is all on the diagonal." + (f" No mass: {', '.join(empty)}." * bool(empty))
        )
    else:
        st.info("Without labels on both sides nothing can be called right or wrong.", icon=":material/label_off:")
with right:
    st.subheader("The plan itself")
    if isinstance(plan, LocalCoupling):
        st.info("A local strategy keeps no plan. Choose the strategy **global** to see one.", icon=":material/info:")
    else:
        parts = blocks(plan, source.labels, target.labels)
        st.plotly_chart(block_heatmap(parts, names, names), key="blocks", alt="the plan on its rows")
        st.caption(
            f"A line is about {parts.source_rows:,.0f} source rows, a column {parts.target_rows:,.0f} target rows."
        )


@st.fragment
def lines() -> None:
    """Only this part runs again when its own controls move."""
    st.subheader("Lines between the two maps")
    one, two = st.columns(2)
    hint = "Draws follow the mass, as training does. The strongest entries are where the plan is surest."
    how = one.segmented_control(
        "Show",
        ["draws"] if isinstance(plan, LocalCoupling) else ["draws", "strongest"],
        default="draws",
        required=True,
        key="how",
        help=hint,
    )
    many = two.slider("Lines", 20, 500, 150, 10, key="lines_many")
    if how == "strongest" and not isinstance(plan, LocalCoupling):
        i, j, _ = strongest(plan, many)
    else:
        i, j = drawn[0][:many], drawn[1][:many]
    same = None if labels is None else labels[0][i] == labels[1][j]
    drawing = plan_lines(analysis.both_maps(config, legend=True), i, j, right=same)
    st.plotly_chart(drawing, key="lines", alt="couplings between the two maps", config={"displaylogo": False})


lines()
if target.labels is not None and not isinstance(plan, LocalCoupling):
    st.subheader("What does each target class receive?")
    mass = received(plan, target.labels)
    ranks = np.searchsorted(classes, mass.classes).tolist()
    known = [names[str(c)] for c in mass.classes]
    st.plotly_chart(received_bars(mass, known, ranks), key="received", alt="mass by target class")
    worst = int(np.abs(mass.received - mass.asked).argmax())
    st.caption(
        f"Furthest from its share of the rows: {known[worst]}, {mass.received[worst]:.1%} instead of "
        f"{mass.asked[worst]:.1%}. "
        + (
            "Tau of the target is 1: these shares are forced."
            if config.strategy == "global" and config.tau[1] == 1
            else ""
        )
    )
if config.strategy != "true":
    choice_of_tau(config, problem)
page.onwards("flow", "how does noise become a target?")
