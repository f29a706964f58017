"""One run, its settings, the choice of them, and the named experiments."""

from bridgeviz.experiments.config import AUTO, SOLVERS, STRATEGIES, RunConfig
from bridgeviz.experiments.recommend import Recommendation, recommend
from bridgeviz.experiments.run import Run, run

__all__ = ["AUTO", "SOLVERS", "STRATEGIES", "Recommendation", "Run", "RunConfig", "recommend", "run"]
