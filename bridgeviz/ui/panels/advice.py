"""Advice computed in the background: which cost the held-out pairs favour, and which tau and epsilon aes favours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from bridgeviz import Pairs, Problem, Recommendation, RunConfig
from bridgeviz.experiments import recommend, tuning
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.panels import charts
from bridgeviz.ui.state import values
from bridgeviz.ui.text import literal
from bridgeviz.ui.work import slots
from bridgeviz.ui.work.jobs import Job
from bridgeviz.ui.work.priority import give_way
from bridgeviz.viz.tuning import aes_heatmap, aes_regression

EPSILONS, TAUS, FRACTIONS = (1e-3, 5e-3, 2e-2), (0.8, 0.9, 0.95, 0.99, 1.0), (0.05, 0.2)
"""The values that the Coupling page tries; `bridgeviz.experiments.tuning.tune` takes any."""

_FORMAT = {
    "low": st.column_config.NumberColumn("at least", format="percent"),
    "high": st.column_config.NumberColumn("at most", format="percent"),
    "gain": st.column_config.NumberColumn(
        "gain", format="percent", help="Over the fallback; positive where the candidate is better."
    ),
    "gain_low": st.column_config.NumberColumn(
        "gain, at least",
        format="percent",
        help="1.5 standard errors less. The fallback is kept unless this is above 0.",
    ),
    "seconds": st.column_config.NumberColumn(format="%.1f"),
}


_SCORES = {
    "foscttm": ("nearer than the partner", "The share of the other rows that are nearer than the held-out partner."),
    "matching": ("partners found", "The share of a held-out row's mass that reaches its own counterpart."),
}
"""The title of the column of scores by measure, and what it says."""


def choice_of_cost(config: RunConfig, problem: Problem, pairs: Pairs) -> None:
    """A button, its progress, the table of candidates and the choice."""
    st.header("Which cost do the pairs favour?")
    st.markdown(
        "One fifth of the pairs is held out at a time. The cost that finds most of the held-out partners is the best "
        "guess for all other points. No labels are used."
    )

    def work(job: Job) -> None:
        give_way()
        job.update(stage="Holding out pairs and finding them again")
        job.update(result=recommend(problem, pairs, metric=_metric(config), seed=config.seed, on_step=job.step))

    key = (*config.key("pairs"), _metric(config))
    choice = result_of("recommend", "Recommend a cost", key, work)
    if isinstance(choice, Recommendation):
        (st.success if choice.decided else st.info)(choice.reason, icon=":material/recommend:")
        if len(choice.table):
            epsilons = choice.table.epsilon.astype(float)
            table = choice.table.assign(epsilon=["auto" if e != e else f"{e:g}" for e in epsilons])
            title, says = _SCORES[choice.measure]
            score = st.column_config.ProgressColumn(title, format="percent", min_value=0, max_value=1, help=says)
            st.dataframe(table, hide_index=True, column_config=_FORMAT | {"score": score}, height=280)
        st.button(
            f"Use {choice.cost}", key="use_recommended", icon=":material/check:",
            on_click=lambda: values.apply(choice.apply(values.current())),
        )  # fmt: skip


def choice_of_tau(config: RunConfig, problem: Problem) -> None:
    """The tuning of L.2 on a validation set: heatmaps over the taus (Fig. 20) and the regression (Fig. 19)."""
    st.header("Which tau and epsilon?")
    if analysis.labels_of(problem) is None or problem.truth is None:
        st.info("Tuning needs labels on both sides, to measure the accuracy.", icon=":material/label_off:")
        return
    st.markdown(
        "Low taus leave points out, and the points that remain are easy to match. **aes** divides the accuracy by the "
        "share of excluded points (Eq. 30). Each combination is solved on a validation set of 30% of the known pairs."
    )
    total = len(EPSILONS) * len(TAUS) ** 2 * len(FRACTIONS)

    def work(job: Job) -> None:
        give_way()
        rows = []
        job.update(stage="Solving on the validation set", steps=total)
        grid = {"epsilons": EPSILONS, "taus": TAUS, "fractions": FRACTIONS}
        for row in tuning.tune(problem, config, **grid):
            job.check()
            rows.append(row)
            job.update(step=len(rows))
        job.update(result=pd.DataFrame(rows))

    varied = config.replace(fraction=1.0, count=None, cover_classes=False, epsilon=None, tau=(1.0, 1.0))
    table = result_of("tune", "Try taus and epsilons", varied.key("coupling"), work)
    if isinstance(table, pd.DataFrame):
        _show(table)


def _show(table: pd.DataFrame) -> None:
    """The best combination, the heatmap and the regression."""
    best, regression = tuning.best(table), tuning.regress(table)
    st.success(
        f"Highest aes, averaged over fractions: epsilon {best.epsilon:g}, tau ({best.tau_x:g}, {best.tau_y:g}).",
        icon=":material/tune:",
    )
    value = st.segmented_control(
        "Over the taus", ["aes", "matching_accuracy", "excluded_ratio"], default="aes", required=True, key="tune_value",
        format_func=lambda name: name.replace("_", " "),
    )  # fmt: skip
    left, right = st.columns(2)
    charts.draw(left, aes_heatmap(table, value=value or "aes"), key="aes_heat", alt=f"{value} over the two taus")
    left.caption(f"Means over {len(EPSILONS)} epsilons and {len(FRACTIONS)} paired fractions (Fig. 20).")
    charts.draw(
        right,
        aes_regression(table.aes.to_numpy(), regression.predicted),
        key="aes_line",
        alt="aes predicted by a regression",
    )
    right.caption(
        f"A linear regression on epsilon, the taus and the paired ratio explains {regression.adjusted_r2:.0%} of the "
        "variance of aes (adjusted; Fig. 19)."
    )


def _metric(config: RunConfig) -> str | None:
    """The metric that the visitor has chosen; None if each cost takes its own."""
    cost = config.cost
    return None if cost.metric == type(cost)().metric else cost.metric


def result_of(slot: str, label: str, key: tuple, work: Callable[[Job], None], *, at_once: bool = False) -> Any:
    """The result of some work for a key; until it is there, None, with a button to start it or its progress.

    Args:
        slot: of the job.
        label: of the button.
        key: what the result depends on.
        work: what to do.
        at_once: whether it starts by itself; the button then starts it again after it was cancelled.
    """
    job = slots.find(slot, key)
    if job is None and at_once:
        slots.start(slot, work, key)
        job = slots.find(slot, key)
    record = None if job is None else job.snapshot()
    if record is not None and record.active:
        _progress(slot)
        return None
    if record is not None and record.state == "done":
        return record.result
    if record is not None and record.error:
        st.error(literal(record.error), icon=":material/error:")
    st.button(
        label, key=f"ask_{slot}", on_click=slots.start, args=(slot, work, key), icon=":material/play_arrow:"
    )  # fmt: skip
    return None


@st.fragment(run_every=1.0)
def _progress(slot: str) -> None:
    job, record = slots.latest(slot), slots.snapshot(slot)
    if job is None or record is None or not record.active:
        st.rerun()
        return
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    bar.progress(record.share, text=f"{record.text} · {record.seconds:.0f} s")
    stop.button("Cancel", key=f"stop_{slot}", on_click=job.cancel, icon=":material/stop_circle:", width="stretch")
