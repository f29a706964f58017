"""How a flow is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bridgeviz import _checks as check
from bridgeviz._options import Choice, Count, Decay, Flag, Interval, Options, Positive, Seed, option
from bridgeviz.flows._velocities import KIND
from bridgeviz.flows._velocity import VelocityOptions

BASES = ("auto", "none", "linear")
"""What a flow can learn the residual of."""

BEFORE = {"base": "none", "holdout": 0.0, "patience": None, "weight_decay": 0.0}
"""The settings of flows and checkpoints that were saved before these settings existed."""

PRECISIONS = ("float32", "bfloat16")
"""Precisions of the network's arithmetic. Parameters, gradients and optimiser are float32 in both."""


@dataclass(frozen=True, kw_only=True)
class FlowConfig(Options):
    """Settings of the conditional flow; the defaults suit adaLN-Small on latents with tens of dimensions.

    Attributes:
        velocity: the velocity field: a name in `VELOCITIES` (Table 1), or a `VelocityOptions` object.
        steps: number of training steps (Adam), at most.
        batch_size: pairs per step (Appendix D).
        learning_rate: initial learning rate; it decays to zero along a cosine. The 1e-4 of Appendix D belongs to
            10,000 steps of adaLN-Large; 4,000 steps of adaLN-Small need 1e-3.
        seed: seed of the initial weights and of every draw.
        ema: decay of an exponential moving average of the weights, in (0, 1), such as 0.999. The flow then uses the
            average, which fluctuates less than the last weights. It starts as the plain mean of the first steps.
            None: no average.
        reweight: whether to learn how much mass the plan leaves at each point (Eq. 4, second line); None: only if
            the plan is unbalanced.
        precision: precision of the network's arithmetic: "float32", or "bfloat16" for GPUs. Parameters stay float32.
        base: "linear" fits a linear map to the plan first (ridge regression), and the flow learns the residual; "none":
            the flow learns the target itself; "auto": "linear", unless many target rows are equal.
        holdout: share of the source rows, in [0, 0.5], that are not learned from. After every chunk, the flow's
            conditional mean is compared with the plan's on these rows, and the flow of the least error is kept. 0, or
            fewer than eight such rows: the last flow is kept. None: 0.1, unless many target rows are equal.
        patience: training stops after this many steps in which no flow predicted the held-out rows better; None: it
            goes on to the last step.
        weight_decay: share of each weight matrix that a step removes, in units of the learning rate (AdamW).
        chunk_size: steps per compiled call; `fit` yields once per chunk.

    Raises:
        InputError: a value out of range or an unknown name.
    """

    name = "flow"
    where = "FlowConfig"

    velocity: str | VelocityOptions = option(
        KIND, "adaln-small", label="Network", training=True,
        help="The network that learns the flow, by kind and size (Table 1). The small ones train within a minute on "
        "a CPU; the large ones need a GPU.",
    )  # fmt: skip
    steps: int = option(
        Count(), 4000, label="Training steps", main=True, training=True, limits=(1, 100_000),
        stops=("100", "200", "500", "1000", "2000", "4000", "8000"),
        help="Number of training steps.",
    )  # fmt: skip
    batch_size: int = option(
        Count(2), 256, label="Batch size", training=True, limits=(2, 4096), stops=("32", "64", "128", "256", "512"),
        help="Pairs per training step.",
    )  # fmt: skip
    learning_rate: float = option(
        Positive(), 1e-3, label="Learning rate", training=True, limits=(1e-7, 1.0),
        stops=("0.0001", "0.0003", "0.001", "0.003"),
        help="Initial learning rate; it decays to zero along a cosine.",
    )  # fmt: skip
    seed: int = option(Seed(), 0, help="Seed of the initial weights and of every draw.")
    ema: float | None = option(
        Decay(), None, label="Average of the weights", word="off", training=True, limits=(0.1, 0.99999),
        stops=("off", "0.9", "0.99", "0.995", "0.999", "0.9999"),
        help="Decay of an exponential moving average of the weights, which fluctuates less than the last weights; "
        "closer to 1 averages over more steps. off: the last weights.",
    )  # fmt: skip
    reweight: bool | None = option(
        Flag(), None, label="Learn the masses", word="auto", training=True,
        help="Learn how much mass the plan leaves at each point. auto: only if a tau is below 1.",
    )  # fmt: skip
    precision: str = option(
        Choice(PRECISIONS), "float32", label="Precision", training=True,
        help="Precision of the network's arithmetic; bfloat16 is for GPUs.",
    )  # fmt: skip
    base: str = option(
        Choice(BASES), "none", label="Linear map first", training=True,
        help="linear: fit a linear map to the plan, and learn what it leaves unexplained. auto: unless many rows share "
        "a target, as the pictures of a class do. none: learn the target itself.",
    )  # fmt: skip
    holdout: float | None = option(
        Interval(0.0, 0.5), 0.0, label="Held-out rows, %", percent=True, word="auto", training=True, limits=(0.0, 50.0),
        stops=("auto", "0", "5", "10", "20"),
        help="The percentage of the source rows that are not learned from. The flow that predicts them best is kept. "
        "auto: 10 % unless many rows share a target.",
    )  # fmt: skip
    patience: int | None = option(
        Count(), None, label="Patience", word="off", training=True, limits=(1, 100_000),
        stops=("off", "200", "500", "1000", "2000"),
        help="Stop after this many steps in which no flow predicted the held-out rows better. off: train to the end.",
    )  # fmt: skip
    weight_decay: float = option(
        Interval(0.0, 100.0), 0.0, label="Weight decay", training=True, stops=("0", "0.01", "0.1", "1", "10"),
        help="The share of each weight matrix that a step removes, in units of the learning rate (AdamW).",
    )  # fmt: skip
    chunk_size: int = option(Count(), 50, help="Training steps per compiled call.")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; an unregistered velocity field becomes its kind and options."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        if isinstance(self.velocity, VelocityOptions):
            values["velocity"] = self.velocity.as_dict()
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FlowConfig:
        """The config that `as_dict` described; settings that it lacks did not exist when it was saved.

        Raises:
            InputError: an unknown setting, or a value out of range.
            ValueError: a velocity field of an unknown kind.
        """
        values = {**BEFORE, **values}
        check.options(values, [item.name for item in fields(cls)], cls.where)
        if isinstance(values.get("velocity"), dict):
            values["velocity"] = VelocityOptions.from_dict(values["velocity"])
        return cls(**values)
