"""What training reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from bridgeviz.flows._flow import Flow


class Progress(NamedTuple):
    """The state of a training after a compiled chunk.

    Attributes:
        step: number of steps done.
        losses: the flow's part of Eq. 4 at each step of this chunk.
        flow: the flow learned so far.
        mass_losses: losses of both reweighting functions at each step of this chunk; None if none are learned.
        notice: one sentence if checkpoints cannot be written, else "".
        held_out: the error on held-out rows after this chunk; None if none are held out.
        last: whether the training ends here.
    """

    step: int
    losses: np.ndarray
    flow: Flow
    mass_losses: np.ndarray | None = None
    notice: str = ""
    held_out: float | None = None
    last: bool = False


class TrainingError(RuntimeError):
    """Training failed; the message says at which step and what to try.

    Attributes:
        step: first step with a loss or weights that are not finite.
        flow: the last flow with a finite loss; None if there is none.
    """

    def __init__(self, message: str, *, step: int = 0, flow: Flow | None = None):
        super().__init__(message)
        self.step, self.flow = step, flow
