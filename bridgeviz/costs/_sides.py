"""Two spaces on their atoms, as the maps between them see them: centred rows of length one, with masses and pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

DIMENSIONS = 256
"""Dimensions in which a map is fitted; of a space with more, the principal ones."""


@dataclass(frozen=True, eq=False)
class Sides:
    """What a map between two spaces is fitted to.

    Attributes:
        x, y: (u, p) and (v, q) centred rows of length one, in float32; a row at the centre is zero.
        a, b: (u,) and (v,) their masses; each sums to one.
        x_pairs, y_pairs: (l, p) and (l, q) the rows that are known to correspond; l may be 0.
    """

    x: Float[np.ndarray, "u p"]
    y: Float[np.ndarray, "v q"]
    a: Float[np.ndarray, " u"]
    b: Float[np.ndarray, " v"]
    x_pairs: Float[np.ndarray, "l p"]
    y_pairs: Float[np.ndarray, "l q"]

    @property
    def pairs(self) -> Float[np.ndarray, "p q"]:
        """The mean of `x_p^T y_p` over the pairs; zeros without any."""
        return self.x_pairs.T @ self.y_pairs / np.float32(max(1, len(self.x_pairs)))

    def part(self, rng: np.random.Generator, rows: int, *, share: float = 1.0) -> Sides:
        """That share of at most `rows` random atoms per side, with their masses; the pairs are kept."""
        if share == 1 and max(len(self.x), len(self.y)) <= rows:
            return self
        i, j = (
            np.sort(rng.permutation(size)[: max(1, round(share * min(rows, size)))])
            for size in (len(self.x), len(self.y))
        )
        a, b = self.a[i], self.b[j]
        return replace(self, x=self.x[i], y=self.y[j], a=a / a.sum(), b=b / b.sum())

    def with_pairs(self, kept: np.ndarray) -> Sides:
        """The same rows with some of the pairs."""
        return replace(self, x_pairs=self.x_pairs[kept], y_pairs=self.y_pairs[kept])


def centred(x: Float[np.ndarray, "u p"], mass: Float[np.ndarray, " u"]) -> Float[np.ndarray, "u d"]:
    """The rows minus their mean, in at most `DIMENSIONS` principal dimensions, at length one; float32."""
    x = x - mass @ x
    if x.shape[1] > DIMENSIONS:
        _, vectors = np.linalg.eigh((x * mass[:, None]).T @ x)
        x = x @ vectors[:, -DIMENSIONS:]
    return unit(x).astype(np.float32)


def unit(x: np.ndarray) -> np.ndarray:
    """The rows at length one; a row that is zero up to rounding stays zero."""
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    floor = 1e-7 * lengths.max(initial=0.0)
    return np.divide(x, lengths, out=np.zeros_like(x), where=lengths > floor)
