"""Work that advises, in the background: which cost do held-out pairs choose, which tau and epsilon does aes choose?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from bridgeviz import Pairs, Problem, Recommendation, RunConfig, recommend
from bridgeviz.experiments import tuning
from bridgeviz.ui import doors, jobs, settings
from bridgeviz.ui.courtesy import give_way
from bridgeviz.viz.tuning import aes_heatmap, aes_regression

EPSILONS, TAUS, FRACTIONS = (1e-3, 5e-3, 2e-2), (0.8, 0.9, 0.95, 0.99, 1.0), (0.05, 0.2)
"""What the page's tuning tries; `bridgeviz.experiments.tuning.tune` takes any."""

_FORMAT = {
    "score": st.column_config.ProgressColumn("partners found", format="percent", min_value=0, max_value=1),
    "low": st.column_config.NumberColumn("at least", format="percent"),
    "high": st.column_config.NumberColumn("at most", format="percent"),
    "gain": st.column_config.NumberColumn("gain", format="percent", help="Over the fallback, the diffusion bridge."),
    "gain_low": st.column_config.NumberColumn("gain, at least", format="percent", help="Above zero: beyond doubt."),
    "converged": st.column_config.NumberColumn("converged", format="percent"),
    "seconds": st.column_config.NumberColumn(format="%.1f"),
}


def choice_of_cost(config: RunConfig, problem: Problem, pairs: Pairs) -> None:
    """A button, its progress, the table and the choice."""
    st.subheader("Which cost do the pairs choose?")
    st.markdown(
        "A fifth of the pairs is hidden in turn; the cost that finds most of the hidden partners is the best guess for "
        "all the others. No labels are read."
    )

    def work(job: jobs.Job) -> None:
        give_way()

        def step(done: int, total: int) -> None:
            job.check()
            job.tell(stage="Hiding pairs and finding them again", step=done, steps=total)

        job.tell(stage="Hiding pairs and finding them again")
        job.tell(result=recommend(problem, pairs, metric=config.metric, seed=config.seed, on_step=step))

    key = ("recommend", *doors.pairs_key(config), config.metric)
    found = _asked("recommend", "Recommend a cost", key, work)
    if isinstance(found, Recommendation):
        (st.success if found.decided else st.info)(found.reason, icon=":material/recommend:")
        if len(found.table):
            table = found.table.assign(
                epsilon=["auto" if e != e else f"{e:g}" for e in found.table.epsilon.astype(float)]
            )
            st.dataframe(table, hide_index=True, column_config=_FORMAT, height=280)
        st.button(
            f"Use {found.cost}", key="use_recommended", icon=":material/check:",
            on_click=lambda: settings.apply(found.apply(settings.current())),
        )  # fmt: skip


def choice_of_tau(config: RunConfig, problem: Problem) -> None:
    """The tuning of L.2 on a validation set: heatmaps over the taus (Fig. 20) and the regression (Fig. 19)."""
    st.subheader("Which tau and epsilon?")
    if problem.source.labels is None or problem.target.labels is None or problem.truth is None:
        st.info("Without labels on both sides nothing can be judged.", icon=":material/label_off:")
        return
    st.markdown(
        "Low taus leave points out, and what is left is easily right. **aes** divides the accuracy by the share of "
        "excluded points (Eq. 30); each combination is solved on a validation set of 30% of the known pairs."
    )
    total = len(EPSILONS) * len(TAUS) ** 2 * len(FRACTIONS)

    def work(job: jobs.Job) -> None:
        give_way()
        rows = []
        job.tell(stage="Solving on the validation set", steps=total)
        grid = {"epsilons": EPSILONS, "taus": TAUS, "fractions": FRACTIONS}
        for row in tuning.tune(problem, config, **grid):
            job.check()
            rows.append(row)
            job.tell(step=len(rows))
        job.tell(result=pd.DataFrame(rows))

    varied = replace(config, fraction=1.0, count=None, cover_classes=False, epsilon=None, tau=(1.0, 1.0))
    key = ("tune", *doors.key(varied))
    table = _asked("tune", "Try taus and epsilons", key, work)
    if not isinstance(table, pd.DataFrame):
        return
    found, rule = tuning.best(table), tuning.regress(table)
    said = f"Highest aes, averaged over fractions: epsilon {found.epsilon:g}, tau ({found.tau_x:g}, {found.tau_y:g})."
    st.success(said, icon=":material/tune:")
    shown = st.segmented_control(
        "Over the taus", ["aes", "matching_accuracy", "excluded_ratio"], default="aes", required=True, key="tune_value",
        format_func=lambda name: name.replace("_", " "),
    )  # fmt: skip
    left, right = st.columns(2)
    left.plotly_chart(aes_heatmap(table, value=shown or "aes"), key="aes_heat", alt="aes over the two taus")
    left.caption(f"Means over {len(EPSILONS)} epsilons and {len(FRACTIONS)} paired fractions (Fig. 20).")
    right.plotly_chart(
        aes_regression(table.aes.to_numpy(), rule.predicted), key="aes_line", alt="aes as a linear rule predicts it"
    )
    right.caption(
        f"A linear rule in epsilon, the taus and the paired ratio explains {rule.adjusted_r2:.0%} of the variance of "
        "aes (adjusted; Fig. 19)."
    )


def _asked(name: str, label: str, key: tuple, work: Callable[[jobs.Job], None]) -> Any:
    """The result of this work for this key if the visitor asked for it; a button, or its progress, until then."""
    slot = f"_advice_{name}"
    kept = st.session_state.get(slot)
    if kept is not None and kept[0] != key:
        kept[1].cancel()
        kept = st.session_state[slot] = None
    if kept is None:
        st.button(label, key=f"ask_{name}", on_click=_start, args=(slot, key, work), icon=":material/play_arrow:")
        return None
    record = kept[1].look()
    if record.active:
        _progress(slot)
        return None
    if record.state in ("failed", "cancelled"):
        if record.error:
            st.error(record.error, icon=":material/error:")
        st.button(label, key=f"ask_{name}", on_click=_start, args=(slot, key, work), icon=":material/play_arrow:")
        return None
    return record.result


def _start(slot: str, key: tuple, work: Callable[[jobs.Job], None]) -> None:
    st.session_state[slot] = (key, jobs.Job(work, jobs.office()).start())


@st.fragment(run_every=1.0)
def _progress(slot: str) -> None:
    kept = st.session_state.get(slot)
    record = None if kept is None else kept[1].look()
    if kept is None or record is None or not record.active:
        st.rerun()
        return
    words, button = st.columns([5, 1], vertical_alignment="center")
    said = f"Number {record.place} in line" if record.state == "queued" else record.stage
    count = f" · {record.step:,} of {record.steps:,}" if record.steps else ""
    words.progress(min(1.0, record.step / max(1, record.steps)), text=f"**{said}**{count} · {record.seconds:.0f} s")
    button.button("Cancel", key=f"stop{slot}", on_click=kept[1].cancel, icon=":material/stop_circle:", width="stretch")
