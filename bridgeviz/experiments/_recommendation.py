"""The cost that held-out pairs favour, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bridgeviz.experiments._config import RunConfig

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True)
class Recommendation:
    """What the held-out pairs say.

    Attributes:
        cost: name of the chosen cost; `cost_options`: those of its options that differ from their defaults.
        epsilon, tau, refine: the choice; epsilon None is the cost's own default.
        measure: what it was judged by: "foscttm", the share of the other rows that are nearer than the held-out
            partner, or "matching", the share of a held-out row's mass that its own counterpart gets.
        score: of the choice, averaged over pairs. NaN where nothing could be held out.
        interval: 95 % interval of the score, from resampling the pairs.
        decided: whether a candidate is better than the fallback by more than 1.5 standard errors; if not, the fallback
            was taken.
        reason: one sentence.
        table: one row per candidate, the best first: cost, options, epsilon, tau_x, tau_y, score, low, high (95 %
            interval), `gain` over the fallback, positive where the candidate is better, `gain_low`, 1.5 standard
            errors less, and seconds.
    """

    cost: str
    cost_options: dict[str, Any]
    epsilon: float | None
    tau: tuple[float, float]
    refine: int
    measure: str
    score: float
    interval: tuple[float, float]
    decided: bool
    reason: str
    table: pd.DataFrame

    def apply(self, config: RunConfig) -> RunConfig:
        """The config with the choice in it; an epsilon, a tau or a number of rounds that it names itself stays."""
        settings: dict[str, Any] = {"cost": self.cost, "cost_options": self.cost_options}
        if config.epsilon is None:
            settings["epsilon"] = self.epsilon
        if config.tau == (1.0, 1.0):
            settings["tau"] = self.tau
        if config.refine == 0:
            settings["refine"] = self.refine
        return config.replace(**settings)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; a number that is not finite is None."""
        rows = [
            {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}
            for row in self.table.to_dict("records")
        ]
        scored = np.isfinite(self.score)
        return {
            "cost": self.cost, "cost_options": self.cost_options, "epsilon": self.epsilon, "tau": list(self.tau),
            "refine": self.refine,
            "measure": self.measure, "score": self.score if scored else None,
            "interval": list(self.interval) if scored else None, "decided": self.decided,
            "reason": self.reason, "table": rows,
        }  # fmt: skip
