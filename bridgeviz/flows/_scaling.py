"""Standardising a space before the flow, and mapping back after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Scaling:
    """Mean and standard deviation of each dimension of a space; a constant dimension keeps its unit.

    Attributes:
        mean: (d,).
        std: (d,), > 0.
        dtype: of the space: "float32" or "float64".
    """

    mean: Float[np.ndarray, " d"]
    std: Float[np.ndarray, " d"]
    dtype: str = "float64"

    @classmethod
    def of(cls, x: np.ndarray, weights: np.ndarray | None = None) -> Scaling:
        """The scaling that standardises x (n, d), whose rows have these weights (n,), which sum to one."""
        mean, std = x.mean(0, dtype=np.float64), x.std(0, dtype=np.float64)
        if weights is not None:
            mean = weights @ x.astype(np.float64)
            std = np.sqrt(weights @ (x - mean) ** 2)
        dtype = "float32" if x.dtype == np.float32 else "float64"
        return cls(mean, np.where(std > 1e-12 * np.abs(x).max(0), std, 1.0), dtype)

    def standardise(self, x: np.ndarray) -> np.ndarray:
        """To zero mean and unit variance."""
        return (x - self.mean) / self.std

    def restore(self, x: np.ndarray) -> np.ndarray:
        """Back to the units of the space."""
        return x * self.std + self.mean
