"""What a run towards neurons is worth: how well each neuron is predicted."""

from __future__ import annotations

import numpy as np

from bridgeviz import metrics
from bridgeviz.flows import Flow
from bridgeviz.problem import Problem

DRAWS = 64
"""Draws of the conditional mean."""


def neural_metrics(test: Problem, flow: Flow, *, seed: int = 0) -> dict[str, float]:
    """The prediction of neurons by the flow's conditional mean, on a test split whose target says that it has neurons.

    Args:
        test: the test split. Without known pairs, or if its target is not `Space(..., neurons=True)`, nothing is known.
        flow: learned from the plan.
        seed: of the noise.

    Returns:
        `test_prediction_error` (Fig. 10; 1 is as good as each neuron's mean) and `test_neuron_correlation`, the mean
        over the neurons; nothing without neurons or pairs. See `metrics.prediction_error`.
    """
    if not test.target.neurons or test.truth is None or len(test.truth) < 2:
        return {}
    source, target = test.truth.T
    recorded = test.target.x[target]
    predicted = flow.mean(test.source.x[source], draws=DRAWS, seed=seed)
    correlation = metrics.neuron_correlation(predicted, recorded)
    if np.isnan(correlation).all():  # no neuron responds to any of these stimuli
        return {}
    return {
        "test_prediction_error": metrics.prediction_error(predicted, recorded),
        "test_neuron_correlation": float(np.nanmean(correlation)),
    }
