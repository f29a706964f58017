"""What a plan says about itself: accuracy against chance, mass, marginals, convergence, and what to try."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from bridgeviz import RunConfig, metrics
from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.text import literal
from bridgeviz.viz.words import left_out


def verdict(config: RunConfig, names: Sequence[str]) -> None:
    """The numbers of the plan of a config, what its accuracy leaves out, and how the transport went.

    Args:
        config: the settings.
        names: of the classes of both sides, in their order.
    """
    plan, labels = stages.plan(config), analysis.labels_of(stages.problem(config))
    boxes, warning = st.columns(5), ""
    if labels is None:
        boxes[0].metric("Matching accuracy", "unknown", help="It needs labels on both sides.")
    else:
        accuracy, rows = analysis.matching(config)[0], analysis.rows_with_mass(config)
        warning = left_out(rows, accuracy, plan, names)
        i, j = analysis.draws(config)
        problem = stages.problem(config)
        chance = metrics.chance_matching(*labels, (problem.source.weights, problem.target.weights))
        gain = round(100 * (accuracy - chance))
        boxes[0].metric(
            "Matching accuracy", f"{accuracy:.1%}", f"{gain:+d} points against chance ({chance:.0%})",
            delta_color="normal" if gain and not warning else "off", delta_arrow="auto" if gain else "off",
            help=f"Share of the plan's mass between rows of the same class. Of {len(i):,} draws from the plan, as the "
            f"paper measures it: {(labels[0][i] == labels[1][j]).mean():.1%}.",
        )  # fmt: skip
        boxes[1].metric(
            "Over all rows", f"{rows.agreement:.1%}",
            help="Share of all source rows that are sent to their own class. A row without mass is not.",
        )  # fmt: skip
        boxes[2].metric(
            "Rows with mass", f"{rows.source:.1%}", f"target: {rows.target:.1%}", delta_color="off", delta_arrow="off",
            help="Share of the source rows, and of the target rows, that have at least 1% of an even share of the "
            "mass. The plan says nothing about the others, and training never draws them.",
        )  # fmt: skip
    boxes[3].metric("Mass", f"{plan.mass:.4g}", help="1 if the plan is balanced. If a tau is below 1, it can differ.")
    boxes[4].metric(
        "Marginal error", f"{plan.marginal_error:.1e}",
        help="How far the plan's marginals are from the required ones (L1). For an unbalanced plan, the residual of "
        "the solver.",
    )  # fmt: skip
    _partners(config)
    if warning:
        st.warning(literal(warning), icon=":material/filter_alt:")
    outcome = plan.verdict
    (st.success if outcome.converged else st.warning)(
        outcome.text, icon=":material/check:" if outcome.converged else ":material/warning:"
    )
    if plan.effort:
        st.caption(literal(plan.effort))


def _partners(config: RunConfig) -> None:
    """For one-to-one problems, how close the cost and the plan bring points to their own partner."""
    ranked = analysis.partners(config)
    if not ranked:
        return
    boxes = st.columns(5)
    explained = (
        "FOSCTTM: of all other rows without a pair in use, the fraction that is preferred to the true partner; the "
        "mean over the known pairs that were not used, and over both directions. 0% is perfect."
    )
    for box, (name, partners) in zip(boxes, ranked.items(), strict=False):
        box.metric(
            f"By the {name}, nearer than the partner", f"{partners.foscttm:.1%}", "guessing: 50%", delta_color="off",
            delta_arrow="off", help=explained,
        )  # fmt: skip
    if (plan := ranked.get("plan")) is not None:
        for box, k in zip(boxes[2:], (1, 10), strict=False):
            guess = (min(1, k / plan.targets.candidates) + min(1, k / plan.sources.candidates)) / 2
            box.metric(
                "Partner is the first choice" if k == 1 else f"Partner among the first {k}", f"{plan.recall(k):.1%}",
                f"guessing: {guess:.1%}", delta_color="off", delta_arrow="off",
                help="By the plan, the mean of both directions.",
            )  # fmt: skip
