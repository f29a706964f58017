"""What does supervision buy? (Fig. 3, 13, 14)"""

import numpy as np
import streamlit as st

from bridgeviz.metrics.supervision import chance_matching, cost_accuracy, coverage
from bridgeviz.ui import analysis, doors, page, settings
from bridgeviz.ui.advice import choice_of_cost
from bridgeviz.ui.bridge import bridge, memory
from bridgeviz.viz.pairing import cost_histogram, coverage_bars, supervision_curve
from bridgeviz.viz.words import listed

LEADS = {
    "bridge": "The cost of $x_i$ and $y_j$ is the cheapest way over one pair $p$: a leg to the pair's source, across "
    "the pair, and a leg from its target (Eq. 6).",
    "geodesic_bridge": "The cheapest way over one pair, as in Eq. 6, but its legs keep to the cloud of points: from "
    "neighbour to neighbour.",
    "diffusion_bridge": "Every pair counts: mass starts at the pairs and diffuses from neighbour to neighbour, and two "
    "points are close if the same pairs reach both.",
    "knn": "The paper's rival (Eq. 13-16): the shortest path in one graph of both spaces, joined at the pairs.",
    "kcca": "The paper's rival (Eq. 17-18): the pairs span a joint space, and the cost is the angle in it.",
}
page.question(
    "What does supervision buy?",
    "A few pairs say which source row belongs to which target row. Every other distance between the two spaces has to "
    "go over them. Move **Paired samples** in the sidebar and watch this page.",
)
config = settings.sidebar()
with doors.guard():
    problem, pairs = doors.problem(config), doors.pairs(config)
    cost = doors.cost(config)
source, target = problem.source, problem.target
classes, names = analysis.names(config)

st.subheader(f"Which classes do the {len(pairs):,} pairs cover?")
if source.labels is None:
    st.info("The source has no labels, so the pairs can't be sorted by class.", icon=":material/label_off:")
else:
    found, counts = coverage(source.labels, pairs)
    none = [names[str(c)] for c in found[counts == 0]]
    left, right = st.columns([3, 2], vertical_alignment="center")
    ranks = np.searchsorted(classes, found).tolist()
    bars = coverage_bars([names[str(c)] for c in found], counts, ranks=ranks)
    left.plotly_chart(bars, key="coverage", alt="pairs by class")
    if none:
        right.warning(
            f"No pair at all for: {listed(none)}. Nothing says where they belong. Use more pairs, or switch on "
            "**At least one pair a class** under More settings.", icon=":material/warning:",
        )  # fmt: skip
    else:
        right.success(f"Every class has a pair; the fewest is {counts.min():,}.", icon=":material/check:")

st.subheader("Which pair bridges two points?")
if cost is None:
    st.info(
        "The strategy **true** learns from the pairs alone and needs no cost between the other rows. Choose **global** "
        "in the sidebar to see one.", icon=":material/info:",
    )  # fmt: skip
else:
    st.markdown(f"{LEADS[config.cost]} **Pick two points**, by row or with a click on a map.")
    if cost.advice:
        st.warning(cost.advice, icon=":material/hub:")
    bridge(config, problem, cost, names)
    st.caption(memory(cost))
    choice_of_cost(config, problem, pairs)
    st.subheader("Does the cost tell classes apart?")
    labels = analysis.judged(problem)
    if labels is None:
        st.info("Without labels on both sides the cost can't be judged by class.", icon=":material/label_off:")
    else:
        with doors.guard():
            sample = analysis.cost_sample(config)
            accuracy = cost_accuracy(cost, *labels)
            worth = analysis.worth(config)
        chance = chance_matching(*labels)
        left, right = st.columns(2)
        left.plotly_chart(cost_histogram(sample), key="histogram", alt="cost by class")
        left.caption(
            f"An entry between rows of one class is cheaper than one between two classes {sample.separation:.0%} of "
            "the time; 50% would say nothing."
        )
        known = len(pairs) if problem.truth is None else len(problem.truth)
        now = (len(pairs) / known, accuracy)
        curve = supervision_curve(analysis.FRACTIONS, worth, now, chance)
        right.plotly_chart(curve, key="curve", alt="accuracy of the cost by paired fraction")
        right.caption(
            f"Taking the cheapest target, before any transport, {accuracy:.1%} of the rows find their class; drawing "
            f"one at random, {chance:.0%}."
        )
page.onwards("coupling", "what did optimal transport decide?")
