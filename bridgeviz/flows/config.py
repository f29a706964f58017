"""How a flow is trained."""

from __future__ import annotations

from dataclasses import dataclass

from bridgeviz import _checks as check
from bridgeviz.flows.velocity import PRECISIONS, VELOCITIES


@dataclass(frozen=True)
class FlowConfig:
    """Settings of the conditional flow; the defaults suit adaLN-Small on latents of some tens of dimensions.

    Attributes:
        velocity: the velocity field, a name of `VELOCITIES` (Table 1).
        steps: of Adam.
        batch_size: pairs a step (Appendix D).
        learning_rate: at the start; it decays to zero on a cosine. Appendix D's 1e-4 belongs to 10,000 steps of
            adaLN-Large; 4,000 steps of adaLN-Small want 1e-3.
        seed: of the initial weights and of every draw.
        ema: decay of an exponential moving average of the weights, in (0, 1), such as 0.999; the flow is then the
            average, which is calmer than the last weights. It begins as a plain mean of the first steps. None: off.
        reweight: learn how much mass the plan leaves each point (Eq. 4, second line); None does where the plan is
            unbalanced.
        precision: of the network's arithmetic: "float32", or "bfloat16", for GPUs; parameters stay float32.
        chunk_size: steps that run as one compiled program between two values of `fit`.

    Raises:
        InputError: a value out of range or an unknown name.
    """

    velocity: str = "adaln-small"
    steps: int = 4000
    batch_size: int = 256
    learning_rate: float = 1e-3
    seed: int = 0
    ema: float | None = None
    reweight: bool | None = None
    precision: str = "float32"
    chunk_size: int = 50

    def __post_init__(self):
        check.choice(self.velocity, "velocity", "FlowConfig", VELOCITIES)
        check.count(self.steps, "steps", "FlowConfig")
        check.count(self.batch_size, "batch_size", "FlowConfig", least=2)
        check.positive(self.learning_rate, "learning_rate", "FlowConfig")
        check.seed(self.seed, "seed", "FlowConfig")
        if self.ema is not None and not check.unit(self.ema, "ema", "FlowConfig") < 1:
            raise check.fail("ema", "FlowConfig", "a decay in (0, 1), or None", self.ema)
        if self.reweight is not None:
            check.flag(self.reweight, "reweight", "FlowConfig")
        check.choice(self.precision, "precision", "FlowConfig", PRECISIONS)
        check.count(self.chunk_size, "chunk_size", "FlowConfig")
