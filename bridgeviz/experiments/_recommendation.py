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
        epsilon, tau: the choice; epsilon None is the cost's own default.
        score: of the choice: the share of a held-out row's mass that its own partner gets, among the held-out
            partners, averaged over pairs. NaN where nothing could be held out.
        interval: 95 % interval of the score, from resampling the pairs.
        decided: whether the pairs set any candidate apart from the fallback; if not, the fallback was taken.
        reason: one sentence.
        table: one row per candidate, the best first: cost, options, epsilon, tau_x, tau_y, score, low, high,
            `foscttm` of the held-out pairs among all rows (see `metrics.partners`), `gain` over the fallback and
            `gain_low`, its lower bound after allowing for the number of candidates, converged (share of folds),
            seconds.
    """

    cost: str
    cost_options: dict[str, Any]
    epsilon: float | None
    tau: tuple[float, float]
    score: float
    interval: tuple[float, float]
    decided: bool
    reason: str
    table: pd.DataFrame

    def apply(self, config: RunConfig) -> RunConfig:
        """The config with the choice in it; an epsilon or a tau that the config names itself stays."""
        settings: dict[str, Any] = {"cost": self.cost, "cost_options": self.cost_options}
        if config.epsilon is None:
            settings["epsilon"] = self.epsilon
        if config.tau == (1.0, 1.0):
            settings["tau"] = self.tau
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
            "score": self.score if scored else None, "interval": list(self.interval) if scored else None,
            "decided": self.decided, "reason": self.reason, "table": rows,
        }  # fmt: skip
