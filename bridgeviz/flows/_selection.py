"""Early stopping: the weights that predict held-out rows best."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bridgeviz.flows._step import Params

SURE = 2.0
"""Standard errors by which a flow must be better than the untrained one, which predicts its base, to replace it."""


class Selection(NamedTuple):
    """The best weights so far. The names are those of the arrays in a checkpoint.

    Attributes:
        first: (k,) error of each held-out row before the first step, times its weight.
        errors: (1 + chunks,) held-out error before the first step and after each chunk.
        at: () the position of the best error among `errors`.
        best: the weights of that flow.
    """

    first: np.ndarray
    errors: np.ndarray
    at: np.ndarray
    best: Params

    @classmethod
    def start(cls, rows: np.ndarray, params: Params) -> Selection:
        """Before the first step.

        Args:
            rows: (k,) error of each held-out row, times its weight.
            params: the initial weights.
        """
        return cls(rows, np.array([rows.sum()]), np.array(0), params)

    def then(self, rows: np.ndarray, params: Params) -> Selection:
        """After a chunk that ended with these weights.

        The least of many errors on few rows is partly luck, so a flow must first be clearly better than no training.
        """
        error, gain = rows.sum(), self.first - rows
        doubt = np.sqrt(((gain - gain.mean()) ** 2).sum())
        better = error < self.errors[self.at] and gain.sum() > SURE * doubt
        return self._replace(
            errors=np.append(self.errors, error),
            at=np.array(len(self.errors)) if better else self.at,
            best=params if better else self.best,
        )

    def exhausted(self, chunks: float) -> bool:
        """Whether no better flow has been found for this many chunks."""
        return len(self.errors) - 1 - int(self.at) >= chunks
