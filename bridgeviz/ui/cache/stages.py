"""The result of a stage for a page: found, or solved with a spinner."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import streamlit as st

from bridgeviz import Pairs, Problem, Recommendation, RunConfig
from bridgeviz.costs import Cost
from bridgeviz.couplings import Plan
from bridgeviz.experiments import Pipeline, recommend_steps
from bridgeviz.ui.cache.results import results

TEXTS = {
    "load": "Loading the data",
    "pairs": "Drawing the pairs",
    "recommend": "Comparing the costs",
    "cost": "Computing the cost",
    "coupling": "Solving the transport",
    "training": "Preparing the training",
    "evaluation": "Measuring the accuracy",
}
"""What happens in each stage, for spinners and progress bars."""

AFTER, EVERY = 1.0, 0.3
"""Seconds of a solve before its progress is shown, and between two lines on it."""

_CANCELLED = "_cancelled_coupling"


def problem(config: RunConfig) -> Problem:
    """The dataset of a config, in the direction that it asks for."""
    return _result(config, "load")


def pairs(config: RunConfig) -> Pairs:
    """The paired samples that a config may use."""
    return _result(config, "pairs")


def recommendation(config: RunConfig) -> Recommendation | None:
    """The choice of the cost by held-out pairs, where the cost of a config is "auto"; else None."""
    if not any(stage == "recommend" for stage in Pipeline(config, choose=recommend_steps).stages()):
        return None
    return _result(config, "recommend")


def cost(config: RunConfig) -> Cost | None:
    """The cost between the spaces; None for a strategy that needs none."""
    return _result(config, "cost")


def plan(config: RunConfig) -> Plan:
    """The coupling."""
    return _result(config, "coupling")


def _result(config: RunConfig, until: str) -> Any:
    known, result = results(), None
    pipeline = Pipeline(config, known=known, choose=recommend_steps)
    for stage in pipeline.stages(until=until):
        key = (stage, *pipeline.config.key(stage))
        if key not in known:
            if st.session_state.get(_CANCELLED) == key:
                _refuse_cancelled()
            with st.spinner(f"{TEXTS[stage]} …"), known.claim(key):
                result = _run(pipeline, stage)
        else:
            result = _run(pipeline, stage)
    return result


def _run(pipeline: Pipeline, stage: str) -> Any:
    """Run one stage, or find its result; the stages before it have ended."""
    finished, bar = None, None
    watch = _Watch(pipeline.config)
    with closing(pipeline.stage(stage)) as updates:
        for update in updates:
            finished = update.finished
            if stage == "coupling" and update.progress is not None:
                watch.show(*update.progress)
            if stage == "recommend" and update.progress is not None:
                done, total = update.progress
                bar = bar or st.empty()
                bar.progress(done / total, f"{done} of {total} trials. To skip them, choose a cost in the sidebar.")
    if bar is not None:
        bar.empty()
    watch.clear()
    assert finished is not None
    return finished.result


class _Watch:
    """The progress of a coupling that takes long, with a button that cancels it.

    Pressing it makes the page run again, which ends the solve at its next line.
    """

    def __init__(self, config: RunConfig):
        self._key, self._pace = ("coupling", *config.key("coupling")), config.coupling.pace()
        self._due = time.monotonic() + AFTER
        self._place: Any = None
        self._line: Any = None

    def show(self, done: int, error: float) -> None:
        """Show a step of the solver, if it is time for a line."""
        text = self._pace(done, error)
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + EVERY
        if self._place is None:
            self._place = st.empty()
            left, right = self._place.container().columns([5, 1], vertical_alignment="center")
            self._line = left.empty()
            right.button(
                "Cancel", key="stop_coupling", on_click=_cancel, args=(self._key,), icon=":material/stop_circle:",
                width="stretch",
            )  # fmt: skip
        self._line.caption(f"{text[0].upper()}{text[1:]}.")

    def clear(self) -> None:
        """Remove what is shown."""
        if self._place is not None:
            self._place.empty()


def _cancel(key: tuple[Any, ...] | None) -> None:
    """Do not solve this transport until it is asked for again; None forgets that. A callback."""
    st.session_state[_CANCELLED] = key


def _refuse_cancelled() -> None:
    """Say that the transport was not solved, offer it, and stop the page."""
    st.warning("Cancelled: the transport is not solved. Other settings may be faster, such as a larger epsilon.")
    st.button("Solve the transport", on_click=_cancel, args=(None,), icon=":material/play_arrow:", type="primary")
    st.stop()
