"""Align two frozen models' latent spaces from a few paired samples, and see why it works or fails.

"Model alignment using inter-modal bridges" (arXiv 2505.12322): a bridge cost and optimal transport, or the pairs
alone, give a coupling; a conditional flow learned from it carries new points across.
"""

import warnings
from typing import TYPE_CHECKING

from bridgeviz._lazy import attach

# ott-jax imports jaxopt, which announces at import that it is no longer maintained. Nothing here uses it.
warnings.filterwarnings("ignore", message="JAXopt is no longer maintained", category=DeprecationWarning)

__version__ = "0.1.0"

if TYPE_CHECKING:
    from bridgeviz import baselines, costs, couplings, datasets, experiments, flows, metrics
    from bridgeviz._checks import DataMissing, InputError
    from bridgeviz.datasets import load
    from bridgeviz.experiments import Aligner, Assessment, Recommendation, Run, RunConfig, assess, recommend, run
    from bridgeviz.flows import Flow, FlowConfig, TrainingError
    from bridgeviz.problem import Pairs, Problem, Space

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "_checks": ["DataMissing", "InputError"],
        "datasets": ["load"],
        "experiments": ["Aligner", "Assessment", "Recommendation", "Run", "RunConfig", "assess", "recommend", "run"],
        "flows": ["Flow", "FlowConfig", "TrainingError"],
        "problem": ["Pairs", "Problem", "Space"],
    },
    modules=["baselines", "costs", "couplings", "datasets", "experiments", "flows", "metrics"],
)
