"""What a run varies."""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from bridgeviz import _checks as check
from bridgeviz.costs import COSTS, METRICS
from bridgeviz.datasets import DATASETS
from bridgeviz.flows import VELOCITIES, FlowConfig

STRATEGIES = ("true", "global", "local")
SOLVERS = ("linear", "fgw")
AUTO = "auto"
"""The cost that `recommend` chooses by held-out pairs."""

YOURS = "yours"
"""The dataset of a problem that is passed to `run`."""


def cost_defaults(cost: str) -> dict[str, Any]:
    """The options of a cost and their defaults; none for "auto", which chooses them."""
    if cost == AUTO:
        return {}
    parameters = inspect.signature(COSTS[cost]).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "metric"}


def own_metric(cost: str) -> str:
    """The metric that a cost takes when none is named."""
    return inspect.signature(COSTS["bridge" if cost == AUTO else cost]).parameters["metric"].default


@dataclass(frozen=True)
class RunConfig:
    """Everything that a run depends on; the same config gives the same numbers.

    Attributes:
        dataset: a name of `bv.datasets.DATASETS`, or "yours" for a problem that is passed to `run`.
        options: of the dataset, such as {"overlap": 0.5} for blobs.
        rows: align a random sample of so many rows a side; None takes all.
        reverse: align target -> source instead.
        fraction: of the known pairs that may be used, or 0 with solver "fgw" and alpha 1, which need none; or
        count: how many of them.
        cover_classes: draw at least one pair of each class first.
        strategy: "true" (the pairs alone), "global" (OT on everything) or "local" (OT on each batch).
        cost: a name of `bv.costs.COSTS`, or "auto", which `recommend` replaces; "true" needs none.
        cost_options: of that cost, such as {"k": 5}.
        metric: within each space: "cosine", "sqeuclidean" or "pearson"; None takes the cost's own default.
        solver: "linear" or "fgw".
        alpha: of "fgw", in [0, 1]: 0 is the linear problem, 1 pure Gromov-Wasserstein. Half-way: the paper's choice
            for MNIST.
        epsilon: entropy regularisation; None takes the cost's own default.
        tau: (tau_x, tau_y), each in (0, 1]; 1 is balanced.
        ot_batch_size: for strategy "local": rows that each batch's transport is solved on; None takes `batch_size`.
        velocity, steps, batch_size, learning_rate, ema, reweight, precision: see `FlowConfig`.
        seed: of the pairs, the weights and every draw.

    Raises:
        InputError: an unknown name or a value out of range.
    """

    dataset: str = "digits"
    options: dict[str, Any] = field(default_factory=dict)
    rows: int | None = None
    reverse: bool = False
    fraction: float | None = 0.02
    count: int | None = None
    cover_classes: bool = False
    strategy: str = "global"
    cost: str = "bridge"
    cost_options: dict[str, Any] = field(default_factory=dict)
    metric: str | None = None
    solver: str = "linear"
    alpha: float = 0.5
    epsilon: float | None = None
    tau: tuple[float, float] = (1.0, 1.0)
    ot_batch_size: int | None = None
    velocity: str = "adaln-small"
    steps: int = 4000
    batch_size: int = 256
    learning_rate: float = 1e-3
    ema: float | None = None
    reweight: bool | None = None
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self):
        where = "RunConfig"
        for name, example in (("options", "{'overlap': 0.5}"), ("cost_options", "{'k': 5}")):
            given = getattr(self, name)
            if not isinstance(given, dict):
                raise check.fail(name, where, f"a dict, such as {example}", check.describe(given))
            if not all(isinstance(key, str) for key in given):
                raise check.fail(name, where, "a dict with names as keys", check.describe(given))
            object.__setattr__(self, name, dict(given))
        check.choice(self.dataset, "dataset", where, (*DATASETS, YOURS))
        if self.rows is not None:
            check.count(self.rows, "rows", where, least=2)
        check.flag(self.reverse, "reverse", where)
        check.flag(self.cover_classes, "cover_classes", where)
        check.choice(self.strategy, "strategy", where, STRATEGIES)
        check.choice(self.cost, "cost", where, (*COSTS, AUTO))
        check.options(self.cost_options, cost_defaults(self.cost), self.cost)
        if self.metric is not None:
            check.choice(self.metric, "metric", where, METRICS)
        check.choice(self.solver, "solver", where, SOLVERS)
        check.unit(self.alpha, "alpha", where, zero=True)
        if self.ot_batch_size is not None:
            check.count(self.ot_batch_size, "ot_batch_size", where, least=2)
        check.choice(self.velocity, "velocity", where, VELOCITIES)
        if self.count is not None:
            check.count(self.count, "count", where, least=0 if self.pure_shapes else 1)
            object.__setattr__(self, "fraction", None)
        elif self.fraction is None:
            raise check.fail("fraction", where, "a float in (0, 1], unless 'count' is given", None)
        else:
            check.unit(self.fraction, "fraction", where, zero=self.pure_shapes)
        if self.epsilon is not None:
            check.positive(self.epsilon, "epsilon", where)
        object.__setattr__(self, "tau", check.pair_of_units(self.tau, "tau", where))
        self.flow()

    @property
    def distance(self) -> str:
        """The metric that is used: `metric`, or the cost's own."""
        return self.metric or own_metric(self.cost)

    @property
    def pure_shapes(self) -> bool:
        """Whether nothing but the shapes of the two spaces decides (Gromov-Wasserstein), so that no pair is needed."""
        return self.strategy != "true" and self.solver == "fgw" and self.alpha == 1.0

    def flow(self) -> FlowConfig:
        """The part that training reads."""
        return FlowConfig(
            velocity=self.velocity, steps=self.steps, batch_size=self.batch_size, learning_rate=self.learning_rate,
            seed=self.seed, ema=self.ema, reweight=self.reweight, precision=self.precision,
        )  # fmt: skip

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
