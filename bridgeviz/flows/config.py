"""How a flow is trained."""

from __future__ import annotations

from dataclasses import dataclass

from bridgeviz import _checks as check
from bridgeviz.flows.velocity import VELOCITIES


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
        chunk_size: steps that run as one compiled program between two values of `fit`.

    Raises:
        InputError: a value out of range or an unknown name.
    """

    velocity: str = "adaln-small"
    steps: int = 4000
    batch_size: int = 256
    learning_rate: float = 1e-3
    seed: int = 0
    chunk_size: int = 50

    def __post_init__(self):
        check.choice(self.velocity, "velocity", "FlowConfig", VELOCITIES)
        check.count(self.steps, "steps", "FlowConfig")
        check.count(self.batch_size, "batch_size", "FlowConfig", least=2)
        check.positive(self.learning_rate, "learning_rate", "FlowConfig")
        check.seed(self.seed, "seed", "FlowConfig")
        check.count(self.chunk_size, "chunk_size", "FlowConfig")
