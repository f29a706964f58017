"""What a run varies."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from bridgeviz import _checks as check
from bridgeviz.costs import COSTS, METRICS
from bridgeviz.datasets import DATASETS
from bridgeviz.flows import VELOCITIES, FlowConfig

STRATEGIES = ("true", "global", "local")
SOLVERS = ("linear",)
YOURS = "yours"
"""The dataset of a problem that is passed to `run`."""


@dataclass(frozen=True)
class RunConfig:
    """Everything that a run depends on; the same config gives the same numbers.

    Attributes:
        dataset: a name of `bv.datasets.DATASETS`, or "yours" for a problem that is passed to `run`.
        options: of the dataset, such as {"overlap": 0.5} for blobs.
        reverse: align target -> source instead.
        fraction: of the known pairs that may be used; or
        count: how many of them.
        cover_classes: draw at least one pair of each class first.
        strategy: "true" (the pairs alone), "global" (OT on everything) or "local" (OT on each batch).
        cost: a name of `bv.costs.COSTS`; "true" needs none.
        metric: within each space: "cosine", "sqeuclidean" or "pearson".
        solver: "linear".
        epsilon: entropy regularisation; None takes the cost's own default.
        tau: (tau_x, tau_y), each in (0, 1]; 1 is balanced.
        velocity, steps, batch_size, learning_rate: see `FlowConfig`.
        seed: of the pairs, the weights and every draw.

    Raises:
        InputError: an unknown name or a value out of range.
    """

    dataset: str = "digits"
    options: dict[str, Any] = field(default_factory=dict)
    reverse: bool = False
    fraction: float | None = 0.02
    count: int | None = None
    cover_classes: bool = False
    strategy: str = "global"
    cost: str = "bridge"
    metric: str = "cosine"
    solver: str = "linear"
    epsilon: float | None = None
    tau: tuple[float, float] = (1.0, 1.0)
    velocity: str = "adaln-small"
    steps: int = 4000
    batch_size: int = 256
    learning_rate: float = 1e-3
    seed: int = 0

    def __post_init__(self):
        where = "RunConfig"
        if not isinstance(self.options, dict):
            raise check.fail("options", where, "a dict, such as {'overlap': 0.5}", check.describe(self.options))
        if not all(isinstance(name, str) for name in self.options):
            raise check.fail("options", where, "a dict with names as keys", check.describe(self.options))
        object.__setattr__(self, "options", dict(self.options))
        check.choice(self.dataset, "dataset", where, (*DATASETS, YOURS))
        check.flag(self.reverse, "reverse", where)
        check.flag(self.cover_classes, "cover_classes", where)
        check.choice(self.strategy, "strategy", where, STRATEGIES)
        check.choice(self.cost, "cost", where, COSTS)
        check.choice(self.metric, "metric", where, METRICS)
        check.choice(self.solver, "solver", where, SOLVERS)
        check.choice(self.velocity, "velocity", where, VELOCITIES)
        if self.count is not None:
            check.count(self.count, "count", where)
            object.__setattr__(self, "fraction", None)
        elif self.fraction is None:
            raise check.fail("fraction", where, "a float in (0, 1], unless 'count' is given", None)
        else:
            check.unit(self.fraction, "fraction", where)
        if self.epsilon is not None:
            check.positive(self.epsilon, "epsilon", where)
        object.__setattr__(self, "tau", check.pair_of_units(self.tau, "tau", where))
        self.flow()

    def flow(self) -> FlowConfig:
        """The part that training reads."""
        return FlowConfig(self.velocity, self.steps, self.batch_size, self.learning_rate, self.seed)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunConfig:
        """The config of such plain values; unknown names are refused."""
        if not isinstance(values, dict):
            raise check.fail("values", "RunConfig.from_dict", "a dict of settings", check.describe(values))
        check.options(values, [f.name for f in fields(cls)], "RunConfig")
        return cls(**values)
