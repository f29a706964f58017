"""What lessons measure: the stages of a run, up to the plan."""

from __future__ import annotations

from typing import Any

from bridgeviz import metrics
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments._pipeline import Pipeline

DRAWS = 4000
"""Draws from a local plan by which its accuracy is estimated: to one percent."""

DIGITS = {"dataset": "digits", "cost": "bridge"}


def cheapest(**settings) -> float:
    """How often the cheapest target has the right class."""
    pipeline = until("cost", settings)
    source, target = pipeline.problem.source, pipeline.problem.target
    return metrics.cost_accuracy(pipeline.cost, source.labels, target.labels)


def matched(**settings) -> float:
    """The share of the plan's mass between rows of one class; of draws, where there is no plan of all points."""
    pipeline = until("coupling", settings)
    source, target, plan = pipeline.problem.source, pipeline.problem.target, pipeline.plan
    samples = DRAWS if plan.estimated else None
    return metrics.matching_accuracy(plan, source.labels, target.labels, samples=samples)


def until(stage: str, settings: dict[str, Any], **own: Any) -> Any:
    """A `Pipeline` whose stages have run up to one.

    Args:
        stage: the last one.
        settings: flat settings of the run.
        own: as a `Pipeline` takes, such as `own_problem`.
    """
    pipeline = Pipeline(RunConfig(**settings), **own)
    for name in pipeline.stages(until=stage):
        for _ in pipeline.stage(name):
            pass
    return pipeline
