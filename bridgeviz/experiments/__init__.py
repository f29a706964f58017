"""One run, its settings, and the named experiments."""

from bridgeviz.experiments.config import SOLVERS, STRATEGIES, RunConfig
from bridgeviz.experiments.run import Run, run

__all__ = ["SOLVERS", "STRATEGIES", "Run", "RunConfig", "run"]
