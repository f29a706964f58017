"""What did the transport decide? (Fig. 6, 17, 18)"""

import numpy as np
import streamlit as st

from bridgeviz import metrics
from bridgeviz.metrics.masses import blocks, received, strongest
from bridgeviz.metrics.supervision import chance_matching
from bridgeviz.ui import analysis, doors, settings
from bridgeviz.viz.plans import block_heatmap, class_heatmap, plan_lines, received_bars

st.title("What did the transport decide?")
config = settings.sidebar()
with doors.guard():
    problem, plan = doors.problem(config), doors.plan(config)
    local = analysis.is_local(config)
    panels = {side: analysis.panel(config, side) for side in ("source", "target")}
    drawn = analysis.draws(config)
source, target = problem.source, problem.target
classes, names = analysis.names(config)
judged = source.labels is not None and target.labels is not None
n, m = plan.shape
st.markdown({
    "true": f"The strategy **true** couples the {len(doors.pairs(config)):,} pairs and nothing else: never wrong, and "
            "silent about all other rows.",
    "global": f"**Optimal transport** between all {n:,} source and {m:,} target rows: the cheapest way to move one cloud "
              "onto the other, blurred by epsilon.",
    "local": f"The strategy **local** solves a new transport problem inside each batch of {config.batch_size} rows. There "
             f"is no plan of all rows: everything here is **estimated from {len(drawn[0]):,} draws**.",
}[config.strategy])  # fmt: skip

boxes = st.columns(4)
if judged:
    with doors.guard():
        right = source.labels[drawn[0]] == target.labels[drawn[1]]
        sampled = float(right.mean())
        exact = None if local else metrics.matching_accuracy(plan, source.labels, target.labels)
    chance = chance_matching(source.labels, target.labels)
    shown = sampled if exact is None else exact
    boxes[0].metric(
        "Matching accuracy", f"{shown:.1%}", f"{100 * (shown - chance):+.0f} points against chance ({chance:.0%})",
        help="The share of the plan's mass between rows of one class.",
    )  # fmt: skip
    boxes[1].metric(
        "The same, from draws", f"{sampled:.1%}", help=f"{len(drawn[0]):,} draws from the plan, as in the paper."
    )
else:
    right = None
    boxes[0].metric("Matching accuracy", "unknown", help="It needs labels on both sides.")
if local:
    st.info(
        "Each batch's transport is solved anew, so there is no single verdict on convergence.", icon=":material/info:"
    )
else:
    boxes[2].metric("Mass", f"{plan.mass:.4g}", help="1 when balanced. With tau below 1 it need not be.")
    boxes[3].metric("Marginal error", f"{plan.marginal_error:.1e}",
                    help="How far the plan's marginals are from those asked for (L1); unbalanced: the solver's residual.")  # fmt: skip
    u, v = plan.plan.shape
    merged = f" Equal rows were merged: {n:,} × {m:,} became {u:,} × {v:,}, which is exact." if plan.merged else ""
    if plan.solver == "true":
        st.success("Nothing had to be solved.", icon=":material/check:")
    elif plan.converged:
        st.success(
            f"Converged after {plan.iterations:,} iterations at epsilon {plan.epsilon:g}.{merged}",
            icon=":material/check:",
        )
    else:
        st.warning(f"{plan.advice}{merged}", icon=":material/warning:")

if judged:
    left, middle = st.columns(2)
    with left:
        st.subheader("Which class goes where?")
        if local:
            counts = metrics.confusion(source.labels[drawn[0]], target.labels[drawn[1]], classes=classes)
            shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        else:
            shares, _ = metrics.class_plan(plan, source.labels, target.labels)
        st.plotly_chart(
            class_heatmap(shares, [names[str(c)] for c in classes]), key="class_plan", alt="plan between classes"
        )
        empty = [names[str(c)] for c, line in zip(classes, shares, strict=True) if line.sum() == 0]
        st.caption("Each row sums to 100%. All on the diagonal would be perfect."
                   + (f" Without any mass: {', '.join(empty)}." if empty else ""))  # fmt: skip
    with middle:
        st.subheader("The plan, row by row")
        if local:
            st.info("A local strategy keeps no plan of all rows. Choose the strategy 'global' to see one.")
        else:
            parts = blocks(plan, source.labels, target.labels)
            st.plotly_chart(block_heatmap(parts, names, names), key="blocks", alt="plan on sorted rows")
            st.caption(
                f"A line stands for {parts.source_rows:.3g} source rows, a column for {parts.target_rows:.3g} target rows."
            )
else:
    st.info("Without labels nothing can be called right or wrong; the lines below still show what goes where.")
    if not local:
        st.plotly_chart(block_heatmap(blocks(plan, None, None), {}, {}), key="blocks", alt="plan on its rows")

st.subheader("Lines between the two maps")
one, two = st.columns(2)
how = "draws" if local else one.segmented_control("Show", ["draws", "strongest"], default="draws", key="lines_how",
      help="Draws follow the mass, as training does. The strongest entries are the plan's surest.") or "draws"  # fmt: skip
many = two.slider("Lines", 20, 500, 150, 10, key="lines_many")
i, j = (drawn[0][:many], drawn[1][:many]) if how == "draws" else strongest(plan, many)[:2]
same = source.labels[i] == target.labels[j] if judged else None
st.plotly_chart(plan_lines(panels["source"], panels["target"], i, j, right=same), key="lines", alt="couplings between the maps",
                config={"displaylogo": False})  # fmt: skip
if judged and not local:
    mass = received(plan, target.labels)
    st.subheader("What does each target class receive?")
    st.plotly_chart(received_bars(mass, [names[str(c)] for c in mass.classes], np.searchsorted(classes, mass.classes)),
                    key="received", alt="mass by target class")  # fmt: skip
    worst = int(np.abs(mass.received - mass.asked).argmax())
    st.caption(f"Furthest from its share: {names[str(mass.classes[worst])]}, {mass.received[worst]:.1%} instead of "
               f"{mass.asked[worst]:.1%}." + (" Balanced transport forces these shares." if config.tau[1] == 1 and config.strategy == "global" else ""))  # fmt: skip
st.page_link("pages/flow.py", label="Next: how does noise become a target?", icon=":material/arrow_forward:")
