"""A first look at a user's data: what each space is like, the pairs on the maps, and whether it can be aligned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from bridgeviz import Assessment, Problem, RunConfig, Space, metrics
from bridgeviz.costs import METRICS, memory_limit
from bridgeviz.experiments import assess
from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.panels import charts
from bridgeviz.ui.panels.advice import result_of
from bridgeviz.ui.state import values
from bridgeviz.ui.text import literal
from bridgeviz.ui.work.jobs import Job
from bridgeviz.ui.work.priority import give_way
from bridgeviz.viz.assessment import foscttm_bars
from bridgeviz.viz.plans import plan_lines
from bridgeviz.viz.words import counted, memory

_VERDICTS = {
    "yes": (st.success, ":material/check_circle:"), "partly": (st.info, ":material/contrast:"),
    "unsure": (st.warning, ":material/help:"), "no": (st.error, ":material/block:"),
}  # fmt: skip
_MOST_LINES, _ENOUGH = 300, 20
_AUTOMATIC = "automatic"


def spaces(config: RunConfig) -> str | None:
    """What each space is like, and what to be careful about; the metric that suits both, None for each cost's own."""
    problem = stages.problem(config)
    found = {side: analysis.inspection(config, side) for side in ("source", "target")}
    titles = {side: literal(f"{side.capitalize()}: {getattr(problem, side).title}") for side in found}
    lines = {side: one.lines() | _weights(getattr(problem, side)) for side, one in found.items()}
    st.table(pd.DataFrame({titles[side]: lines[side] for side in found}).fillna("all the same"))
    _forbidden(problem)
    needed, limit = metrics.plan_memory(problem), memory_limit()
    (st.caption if needed <= limit else st.warning)(memory(needed, limit))
    for side, one in found.items():
        for caution in one.cautions:
            st.warning(literal(f"{side.capitalize()}: {caution}"), icon=":material/warning:")
    return "sqeuclidean" if any(one.metric == "sqeuclidean" for one in found.values()) else None


def _weights(space: Space) -> dict[str, str]:
    """A line on the weights of a space; none if its rows all weigh the same."""
    if space.weights is None:
        return {}
    return {"Weights": f"positive for {(space.weights > 0).sum():,} of {len(space):,} rows"}


def _forbidden(problem: Problem) -> None:
    """How much is forbidden, and whether that leaves a row without a match."""
    if problem.forbidden is None:
        return
    n, m = problem.shape
    st.caption(f"Forbidden: {problem.forbidden.mass(np.full(n, 1 / n), np.full(m, 1 / m)):.1%} of all matches.")
    rows, columns = problem.forbidden.permitted(np.arange(n), np.arange(m))
    if len(rows) < n or len(columns) < m:
        st.warning(
            f"Rows without a permitted match: {n - len(rows):,} of the source and {m - len(columns):,} of the target. "
            "A balanced transport refuses them: permit a match, give them weight 0, or set a tau below 1.",
            icon=":material/warning:",
        )


def pairs(config: RunConfig) -> None:
    """Both maps with the pairs as lines between them."""
    known = stages.pairs(config)
    both = analysis.both_maps(config, legend=True)
    shown = known[:: max(1, -(-len(known) // _MOST_LINES))]
    part = f", {len(shown)} of them drawn" if len(shown) < len(known) else ""
    st.header(f"Your {counted(len(known), 'pair')}")
    charts.draw(st, plan_lines(both, shown[:, 0], shown[:, 1]), key="own_pairs", alt="the pairs between the two maps")
    st.caption(literal(f"{both.caption} Each line is a pair{part}."))


def metric(config: RunConfig, suits: str | None) -> str | None:
    """A choice of the distance within each space; None leaves each cost its own.

    Args:
        config: that loads the data.
        suits: the metric that suits both spaces, None for each cost's own: what is chosen at first.
    """
    now = values.current()
    before = now.cost.metric if now.data.dataset == config.data.dataset else _AUTOMATIC
    if before == type(now.cost)().metric or before not in METRICS:
        before = None
    chosen = st.segmented_control(
        "Metric", [_AUTOMATIC, *METRICS], default=before or suits or _AUTOMATIC, required=True,
        key=f"own_metric_{config.data.dataset}", persist_state="session",
        help="The distance within each space. Automatic is what suits each cost: cosine, or sqeuclidean for knn and "
        "kcca. Choose sqeuclidean where angles say little, and pearson for recordings of neurons.",
    )  # fmt: skip
    if suits is not None and chosen != suits:
        st.caption(literal(f"Suggested: {suits}, because {_why(config, suits)}."))
    return None if chosen in (_AUTOMATIC, None) else chosen


def alignable(config: RunConfig, metric: str | None) -> Assessment | None:
    """Whether the data can be aligned, computed in the background; None until it is known."""
    st.header("Can this be aligned?")
    problem, known = stages.problem(config), stages.pairs(config)

    def work(job: Job) -> None:
        give_way()
        job.update(stage="Holding out pairs and finding them again")
        job.update(result=assess(problem, known, metric=metric, on_step=job.step))

    assessment = result_of("assess", "Find out", (*config.key("load"), metric), work, at_once=True)
    if not isinstance(assessment, Assessment):
        return None
    show, icon = _VERDICTS[assessment.verdict]
    show(assessment.text, icon=icon)
    numbers, chart = st.columns([2, 3])
    with numbers:
        _likeness("Linear CKA", assessment.cka, "Whether one space is a rotation of the other, on the paired rows.")
        _likeness("Mutual neighbours", assessment.neighbours, "Share of a paired row's nearest neighbours that are "
                  "its neighbours in both spaces.")  # fmt: skip
    if len(assessment.table):
        charts.draw(chart, foscttm_bars(assessment.table), key="assess_bars", alt="held-out partners by cost")
        chart.caption(
            "Each fifth of the pairs is hidden in turn. How many other rows does each cost put nearer than the true "
            "partner? Bars: 95% intervals."
        )
    return assessment


def _likeness(label: str, one: metrics.Likeness | None, explained: str) -> None:
    if one is not None:
        st.metric(
            label, f"{one.value:.2f}", f"by chance: {one.chance:.2f} (p = {one.p:.3f})", delta_color="off",
            delta_arrow="off", help=explained,
        )  # fmt: skip


def settings(config: RunConfig, metric: str | None, assessment: Assessment | None) -> tuple[RunConfig, str]:
    """The settings to begin with, and the reasons for them.

    Args:
        config: that loads the data.
        metric: the one that was chosen, None for each cost's own.
        assessment: if there is one yet.
    """
    count = len(stages.pairs(config))
    share = 1.0 if count < _ENOUGH else 0.8
    best = None if assessment is None or not len(assessment.table) else assessment.cost
    chosen = config.replace(fraction=share, cost=best or "auto", metric=metric, steps=1000)
    held_out = (
        "all pairs, as there are few" if share == 1 else "80% of the pairs, so that the others can judge the result"
    )
    cost = (
        "the cost that held-out pairs will choose" if best is None else f"the cost {best}, the best on held-out pairs"
    )
    reasons = [f"To begin with: {held_out}", cost]
    if metric is not None:
        why = _why(config, metric)
        reasons.append(f"the metric {metric}, because {why}" if why else f"the metric {metric}, as you chose")
    return chosen, "; ".join(reasons) + ". All of it can be changed in the sidebar."


def _why(config: RunConfig, metric: str) -> str:
    """Why a metric other than the cosine suits one of the spaces; "" if it does not."""
    found = (analysis.inspection(config, side) for side in ("source", "target"))
    return next((one.why for one in found if one.metric == metric != "cosine"), "")
