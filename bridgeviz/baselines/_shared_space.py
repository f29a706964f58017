"""What the baselines that compare rows in a shared space have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.baselines._baseline import FittedRetrieval


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedSharedSpace(FittedRetrieval):
    """Source points and target rows in one space, scored by the cosine between them.

    Attributes:
        columns: p, the dimensions of the source.
        embedded: (m, d) the target rows in the shared space, at length one, or zero where nothing is known of a row.
    """

    columns: int
    embedded: np.ndarray

    def score(self, x: ArrayLike) -> Float[np.ndarray, "n m"]:
        """The cosines in the shared space of source points (n, p) and target rows, in [-1, 1]."""
        return self._embed(check.matrix(x, "x", "score", columns=self.columns, rows=1)) @ self.embedded.T

    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        """The target row with the highest score for each source point (n, p); the mean of those that tie."""
        return super().transport(check.matrix(x, "x", "transport", columns=self.columns, rows=1))

    @abstractmethod
    def _embed(self, x: np.ndarray) -> Float[np.ndarray, "n d"]:
        """Source points (n, p) in the shared space, at length one or zero."""


def at_length_one(rows: np.ndarray) -> np.ndarray:
    """Rows at length one; rows of zeros stay."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
