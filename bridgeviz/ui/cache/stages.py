"""The result of a stage for a page: found, or solved with a spinner."""

from __future__ import annotations

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
            with st.spinner(f"{TEXTS[stage]} …"), known.claim(key):
                result = _run(pipeline, stage)
        else:
            result = _run(pipeline, stage)
    return result


def _run(pipeline: Pipeline, stage: str) -> Any:
    """Run one stage, or find its result; the stages before it have ended."""
    finished, bar = None, None
    for update in pipeline.stage(stage):
        finished = update.finished
        if stage == "recommend" and update.progress is not None:
            done, total = update.progress
            bar = bar or st.empty()
            bar.progress(done / total, f"{done} of {total} trials. To skip them, choose a cost in the sidebar.")
    if bar is not None:
        bar.empty()
    assert finished is not None
    return finished.result
