"""Align two frozen models' latent spaces from a few paired samples, and see why it works or fails.

"Model alignment using inter-modal bridges" (arXiv 2505.12322): a bridge cost and optimal transport, or the pairs
alone, give a coupling; a conditional flow learned from it carries new points across.
"""

from __future__ import annotations

import warnings

# ott-jax imports jaxopt, which announces at import that it is no longer maintained. Nothing here uses it.
warnings.filterwarnings("ignore", message="JAXopt is no longer maintained", category=DeprecationWarning)

from bridgeviz import costs, couplings, datasets, experiments, flows, metrics  # noqa: E402
from bridgeviz._checks import DataMissing, InputError  # noqa: E402
from bridgeviz.datasets import load  # noqa: E402
from bridgeviz.experiments import Recommendation, Run, RunConfig, recommend, run  # noqa: E402
from bridgeviz.flows import Flow, FlowConfig, TrainingError  # noqa: E402
from bridgeviz.problem import Pairs, Problem, Space  # noqa: E402

__version__ = "0.1.0"
__all__ = [
    "DataMissing",
    "Flow",
    "FlowConfig",
    "InputError",
    "Pairs",
    "Problem",
    "Recommendation",
    "Run",
    "RunConfig",
    "Space",
    "TrainingError",
    "costs",
    "couplings",
    "datasets",
    "experiments",
    "flows",
    "load",
    "metrics",
    "recommend",
    "run",
]
