"""What a plan says of itself: accuracy against chance, convergence, mass, and what to try."""

from __future__ import annotations

import numpy as np
import streamlit as st

from bridgeviz import Problem, metrics
from bridgeviz.couplings import Coupling, LocalCoupling
from bridgeviz.metrics.supervision import chance_matching


def verdict(problem: Problem, plan: Coupling | LocalCoupling, drawn: tuple[np.ndarray, np.ndarray]) -> None:
    """Four numbers and one sentence.

    Args:
        problem: that was coupled.
        plan: to report on.
        drawn: (i, j) drawn from it.
    """
    source, target = problem.source, problem.target
    local = isinstance(plan, LocalCoupling)
    boxes = st.columns(4)
    if source.labels is None or target.labels is None:
        boxes[0].metric("Matching accuracy", "unknown", help="It needs labels on both sides.")
    else:
        sampled = float((source.labels[drawn[0]] == target.labels[drawn[1]]).mean())
        value = sampled if local else metrics.matching_accuracy(plan, source.labels, target.labels)
        chance = chance_matching(source.labels, target.labels)
        boxes[0].metric(
            "Matching accuracy",
            f"{value:.1%}",
            f"{100 * (value - chance):+.0f} points against chance ({chance:.0%})",
            help="The share of the plan's mass between rows of one class.",
        )
        size = f"{len(drawn[0]):,} draws from the plan, as the paper measures it."
        boxes[1].metric("The same, from draws", f"{sampled:.1%}", help=size)
    boxes[2].metric("Mass", f"{plan.mass:.4g}", help="1 when balanced. With tau below 1 it need not be.")
    boxes[3].metric(
        "Marginal error",
        f"{plan.marginal_error:.1e}",
        help="How far the plan's marginals are from those asked for (L1). Unbalanced: the solver's residual.",
    )
    if isinstance(plan, LocalCoupling):
        if plan.converged:
            said = (
                f"Eight probed batches of {plan.ot_batch_size:,} rows a side converged, in {plan.iterations} iterations"
            )
            st.success(f"{said} in the mean. There is no plan of all rows.", icon=":material/check:")
        else:
            st.warning(f"{plan.advice} There is no plan of all rows.", icon=":material/warning:")
        return
    (n, m), u, v = plan.shape, len(plan.source_atoms), len(plan.target_atoms)
    merged = f" Equal rows were merged: {n:,} x {m:,} became {u:,} x {v:,}, which is exact." if plan.merged else ""
    if plan.solver == "true":
        st.success("The pairs as they are: nothing had to be solved.", icon=":material/check:")
    elif plan.converged:
        steps = "iterations" if plan.alpha is None else f"steps at alpha {plan.alpha:g}"
        said = f"Converged after {plan.iterations:,} {steps}, epsilon {plan.epsilon:g}.{merged}"
        st.success(said, icon=":material/check:")
    else:
        st.warning(f"{plan.advice}{merged}", icon=":material/warning:")
