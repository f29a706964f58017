"""What a plan says about itself: accuracy against chance, mass, marginals, convergence, and what to try."""

from __future__ import annotations

import streamlit as st

from bridgeviz import RunConfig, metrics
from bridgeviz.ui.cache import analysis, stages


def verdict(config: RunConfig) -> None:
    """Four numbers and one sentence about the plan of a config."""
    plan, labels = stages.plan(config), analysis.labels_of(stages.problem(config))
    boxes = st.columns(4)
    if labels is None:
        boxes[0].metric("Matching accuracy", "unknown", help="It needs labels on both sides.")
    else:
        accuracy, _ = analysis.matching(config)
        chance = metrics.chance_matching(*labels)
        boxes[0].metric(
            "Matching accuracy", f"{accuracy:.1%}",
            f"{100 * (accuracy - chance):+.0f} points against chance ({chance:.0%})",
            help="Share of the plan's mass between rows of the same class.",
        )  # fmt: skip
        i, j = analysis.draws(config)
        boxes[1].metric(
            "The same, from draws", f"{(labels[0][i] == labels[1][j]).mean():.1%}",
            help=f"Of {len(i):,} draws from the plan, as the paper measures it.",
        )  # fmt: skip
    boxes[2].metric("Mass", f"{plan.mass:.4g}", help="1 if the plan is balanced. If a tau is below 1, it can differ.")
    boxes[3].metric(
        "Marginal error", f"{plan.marginal_error:.1e}",
        help="How far the plan's marginals are from the required ones (L1). For an unbalanced plan, the residual of "
        "the solver.",
    )  # fmt: skip
    outcome = plan.verdict
    (st.success if outcome.converged else st.warning)(
        outcome.text, icon=":material/check:" if outcome.converged else ":material/warning:"
    )
