"""The result of a stage for a page: found, or solved with a spinner."""

from __future__ import annotations

from typing import Any

import streamlit as st

from bridgeviz import Pairs, Problem, RunConfig
from bridgeviz.costs import Cost
from bridgeviz.couplings import Plan
from bridgeviz.experiments import Pipeline
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


def cost(config: RunConfig) -> Cost | None:
    """The cost between the spaces; None for a strategy that needs none."""
    return _result(config, "cost")


def plan(config: RunConfig) -> Plan:
    """The coupling."""
    return _result(config, "coupling")


def _result(config: RunConfig, until: str) -> Any:
    known, result = results(), None
    pipeline = Pipeline(config, known=known)
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
    finished = None
    for update in pipeline.stage(stage):
        finished = update.finished
    assert finished is not None
    return finished.result
