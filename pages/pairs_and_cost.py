"""What does supervision buy? (Fig. 3, 13, 14)"""

import numpy as np
import streamlit as st

import bridgeviz as bv
from bridgeviz.metrics.supervision import chance_matching, cost_accuracy, coverage
from bridgeviz.ui import analysis, doors, settings, thumbnails
from bridgeviz.ui.maps import pick, start_value
from bridgeviz.viz.maps import space_map
from bridgeviz.viz.pairing import bridge_route, cost_histogram, coverage_bars, supervision_curve

st.title("What does supervision buy?")
config = settings.sidebar()
with doors.guard():
    problem, pairs = doors.problem(config), doors.pairs(config)
    panels = {side: analysis.panel(config, side) for side in ("source", "target")}
    cost = doors.cost(config)
source, target = problem.source, problem.target
classes, names = analysis.names(config)
judged = source.labels is not None and target.labels is not None
st.markdown(
    f"**{len(pairs):,} pairs** say which source row belongs to which target row. Every other distance between the two "
    "spaces has to go over them. Move **Paired samples** in the sidebar and watch this page."
)

if source.labels is not None:
    found, counts = coverage(source.labels, pairs)
    none = [names[str(c)] for c in found[counts == 0]]
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.plotly_chart(
        coverage_bars([names[str(c)] for c in found], counts, ranks=np.searchsorted(classes, found)),
        key="coverage", alt="pairs by class",
    )  # fmt: skip
    if none:
        right.warning(
            f"No pair at all for: {', '.join(none)}. Nothing says where they belong. Use more pairs, or switch on "
            "'At least one pair a class' in the sidebar.", icon=":material/warning:",
        )  # fmt: skip
    else:
        right.success(f"Every class has a pair; the fewest is {counts.min():,}.", icon=":material/check:")

if cost is None:
    st.info("The strategy 'true' learns from the pairs alone: there is no cost between the other rows. Choose the "
            "strategy 'global' in the sidebar to see one.")  # fmt: skip
    st.page_link("pages/coupling.py", label="Next: what did the transport decide?", icon=":material/arrow_forward:")
    st.stop()

st.divider()
st.subheader("Which pair bridges two points?")
st.markdown(
    "The cost of *x<sub>i</sub>* and *y<sub>j</sub>* is the cheapest way over one pair: a leg to the pair's source, "
    "across the pair, and a leg from its target (Eq. 6). **Pick two points**, by row or with a click on the small maps.",
    unsafe_allow_html=True,
)
start_value("pick_source", 1 % len(source), len(source))
start_value(
    "pick_target", int(problem.truth[1 % len(problem.truth), 1]) if problem.truth is not None else 0, len(target)
)
columns = st.columns(2)
for column, side, letter in zip(columns, ("source", "target"), "ij", strict=True):
    space = getattr(problem, side)
    column.number_input(
        f"{side.capitalize()} row {letter}", min_value=0, max_value=len(space) - 1, key=f"pick_{side}"
    )  # fmt: skip
    with column.popover(f"Click on the {side} map", icon=":material/ads_click:", width="stretch"):
        st.plotly_chart(
            space_map(panels[side], height=380), key=f"click_{side}", selection_mode="points",
            on_select=lambda side=side: pick(f"click_{side}", f"pick_{side}"), alt=f"map of the {side} space",
        )  # fmt: skip
i, j = int(st.session_state["pick_source"]), int(st.session_state["pick_target"])
with doors.guard():
    legs = bv.costs.legs(source.x, target.x, pairs, i, j, metric=config.metric)
st.plotly_chart(bridge_route(panels["source"], panels["target"], i, j, legs), key="route", alt="the way over one pair",
                config={"displaylogo": False})  # fmt: skip
name = {
    side: (lambda r, s=getattr(problem, side): "" if s.labels is None else f" ({names[str(s.labels[r])]})")
    for side in panels
}
a, b, c = st.columns(3)
a.metric(
    "Leg in the source", f"{legs['leg_x']:.3f}", help="From x_i to the pair's source, in units of the mean distance."
)
b.metric(
    "Leg in the target", f"{legs['leg_y']:.3f}", help="From the pair's target to y_j, in units of the mean distance."
)
c.metric("Bridge cost", f"{legs['cost']:.3f}", help="The sum of the two legs; 0 for a pair.")
for space, rows, side in ((source, (i, legs["source"]), "source"), (target, (legs["target"], j), "target")):
    label = ("x_i", "x_p") if side == "source" else ("y_p", "y_j")
    said = [f"{k}: row {r}{name[side](r)}" for k, r in zip(label, rows, strict=True)]
    if not thumbnails.of_rows(space, rows, said, size=72):
        st.caption(f"{side.capitalize()}: " + ", ".join(said))
if config.cost != "bridge":
    st.caption(
        f"The chosen cost is '{config.cost}': it adds up all pairs along all paths; the way shown is the straight one."
    )

st.divider()
if not judged:
    st.info("Without labels on both sides the cost can't be judged by class.")
else:
    st.subheader("Does the cost tell classes apart?")
    with doors.guard():
        sample = analysis.cost_sample(config)
        accuracy = cost_accuracy(cost, source.labels, target.labels)
        worth = analysis.worth(config)
    chance = chance_matching(source.labels, target.labels)
    left, right = st.columns(2)
    with left:
        st.plotly_chart(cost_histogram(sample), key="histogram", alt="cost by class")
        st.caption(f"An entry between rows of one class is cheaper than one between two classes "
                   f"{sample.separation:.0%} of the time; 50% would say nothing.")  # fmt: skip
    with right:
        st.plotly_chart(
            supervision_curve(analysis.FRACTIONS, worth, config.fraction, chance),
            key="curve",
            alt="accuracy by fraction",
        )
        st.caption(f"Taking the cheapest target, before any transport: {accuracy:.1%} of the rows find their class with "
                   f"{len(pairs):,} pairs; chance is {chance:.0%}.")  # fmt: skip
st.page_link("pages/coupling.py", label="Next: what did the transport decide?", icon=":material/arrow_forward:")
