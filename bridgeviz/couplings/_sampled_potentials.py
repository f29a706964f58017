"""What a sample of rows and columns says about a transport that is too large for its matrix: mean and potentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp

from bridgeviz._ladder import RUNG, ladder
from bridgeviz.costs import Cost, min_plus
from bridgeviz.couplings._permitted import Support

SAMPLE = 500
"""Atoms of each side that are drawn; a side with fewer is taken whole."""

SWEEPS, PARTS = 3, 20
"""Sweeps at each value of epsilon, and iterations in a sweep, after which the scalings are absorbed."""

FEATURES = 128
"""Anchors by which an atom finds the nearest one of the sample."""

_CHUNK = 2**13  # rows of a block
_LEAST = -600.0  # the logarithm of a mass that is still a number
_SUMS = 10**7  # of a product that is worth its tiles


class Side(NamedTuple):
    """The atoms of one side that take part.

    Attributes:
        legs: (u, g) to the anchors.
        mass: (u,) > 0.
        counts: (u,) effective numbers of rows.
    """

    legs: np.ndarray
    mass: np.ndarray
    counts: np.ndarray

    def drawn(self, seed: int) -> np.ndarray:
        """The sorted numbers of the atoms of the sample."""
        u = len(self.mass)
        return np.arange(u) if u <= SAMPLE else np.sort(np.random.default_rng(seed).choice(u, SAMPLE, replace=False))

    def represented(self, atoms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mass and the effective number of the rows that each of these atoms is the nearest to.

        It is the nearest by its legs to a few anchors. So each part of the space keeps its share of the mass, which
        decides where the mass of other parts has to go.
        """
        if len(atoms) == len(self.mass):
            return self.mass, self.counts
        anchors = np.linspace(0, self.legs.shape[1] - 1, min(FEATURES, self.legs.shape[1])).astype(int)
        features = self.legs[:, anchors]
        few = features[atoms]
        half = (few**2).sum(1) / 2
        nearest = np.concatenate([(half - features[part] @ few.T).argmin(1) for part in _chunks(len(features))])
        nearest[atoms] = np.arange(len(atoms))
        sums = [np.bincount(nearest, weights=values, minlength=len(atoms)) for values in (self.mass, self.counts)]
        return sums[0], sums[1]


class Sampled(NamedTuple):
    """Costs between the sample of each side and all of the other.

    Attributes:
        rows, columns: the atoms of the samples.
        from_rows: (v, s) the costs of all columns and the sampled rows.
        from_columns: (u, t) the costs of all rows and the sampled columns.
    """

    rows: np.ndarray
    columns: np.ndarray
    from_rows: np.ndarray
    from_columns: np.ndarray

    @property
    def whole(self) -> bool:
        """Whether nothing was left out."""
        return len(self.rows) == len(self.from_columns) and len(self.columns) == len(self.from_rows)

    def mean(self, a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
        """The mean of the cost, and its standard error.

        Rows and columns have means of their own, which each block knows exactly on one side: only what is particular to
        single entries is left to chance.
        """
        alpha, beta = a[self.rows] / a[self.rows].sum(), b[self.columns] / b[self.columns].sum()
        by_row, by_column = b @ self.from_rows / b.sum(), a @ self.from_columns / a.sum()
        both = self.from_columns[self.rows]
        value = float(alpha @ by_row + by_column @ beta - alpha @ both @ beta)
        if self.whole:
            return value, 0.0
        rest = both - by_row[:, None] - by_column + value
        rows, columns = rest @ beta, alpha @ rest
        return value, float(np.sqrt(rows.var() / len(rows) + columns.var() / len(columns)))


def sides(cost: Cost, used: Support, tau: tuple[float, float]) -> tuple[Side, Side]:
    """The atoms of a cost that take part, as its (min, +) product has them."""
    sides = []
    for atoms, factor, at, t in zip(
        (cost.source_atoms, cost.target_atoms), (cost.source_factor, cost.target_factor), (used.rows, used.columns),
        tau, strict=True,
    ):  # fmt: skip
        whole = isinstance(at, slice)
        legs = np.asarray(factor) if whole else np.asarray(factor)[at]
        sides.append(Side(legs, atoms.mass[at], atoms.effective(t)[at]))
    return sides[0], sides[1]


def paths(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The (min, +) product of some legs, as fast as it is with numba at hand."""
    return min_plus(a, b, large=_SUMS)


def sampled(source: Side, target: Side) -> Sampled:
    """The costs of the samples, block by block."""
    rows, columns = source.drawn(0), target.drawn(1)
    blocks = [
        np.concatenate([paths(many.legs[part], few.legs[at]) for part in _chunks(len(many.mass))])
        for many, few, at in ((target, source, rows), (source, target, columns))
    ]
    return Sampled(rows, columns, *blocks)


def potentials(
    sample: Sampled, source: Side, target: Side, unit: float, tau: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The potentials over epsilon of all rows and columns, about, and the logarithm of what mass the rows then have.

    The transport between the samples is solved, in which each atom stands for those that it is the nearest to. The
    potentials of all atoms then fit those of the sample of the other side.
    """
    rows, columns = sample.rows, sample.columns
    (a, m_u), (b, m_v) = source.represented(rows), target.represented(columns)
    c = sample.from_columns[rows].astype(np.float64) / unit
    f, _ = _annealed(c, np.log(m_u)[:, None] + np.log(m_v), np.log(a), np.log(b), tau)
    g, _ = _fitting(sample.from_rows, unit, f + np.log(m_u), target, tau[1])
    f, mass = _fitting(sample.from_columns, unit, g[columns] + np.log(m_v), source, tau[0])
    return f, g, mass


def _annealed(
    c: np.ndarray, reference: np.ndarray, log_a: np.ndarray, log_b: np.ndarray, tau: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """The potentials of a small transport, roughly, while epsilon falls to 1."""
    falling = ladder(float(np.ptp(c)), 1.0) if tau == (1.0, 1.0) else [1.0]
    f, g = np.zeros(len(log_a)), log_b if len(falling) > 1 else np.zeros(len(log_b))
    for epsilon in falling:
        z = reference - c / epsilon
        for _ in range(SWEEPS):
            f = tau[0] * (log_a - logsumexp(z + g, axis=1))
            g = tau[1] * (log_b - logsumexp(z + f[:, None], axis=0))
            kernel = np.exp(z + f[:, None] + g)
            u, v = np.ones(len(f)), np.ones(len(g))
            for _ in range(PARTS):
                u = np.exp(tau[0] * (log_a - np.log(np.maximum(kernel @ v, 1e-300))) + (tau[0] - 1) * f)
                v = np.exp(tau[1] * (log_b - np.log(np.maximum(u @ kernel, 1e-300))) + (tau[1] - 1) * g)
            f, g = f + np.log(u), g + np.log(v)
        if epsilon > 1:  # relative to the marginal, potentials are in the units of the cost
            g = RUNG * (g - log_b) + log_b
    return f, g


def _fitting(block: np.ndarray, unit: float, few: np.ndarray, side: Side, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """The potentials of a side that fit those of a few, and the logarithms of the masses that it then has."""
    parts: list[Any] = [logsumexp(few - block[part] / unit, axis=1) for part in _chunks(len(block))]
    sums = np.concatenate(parts)
    sums += np.log(side.counts)
    fitting = tau * (np.log(side.mass) - sums)
    return fitting, np.maximum(fitting + sums, _LEAST)


def _chunks(n: int) -> Iterator[slice]:
    for first in range(0, n, _CHUNK):
        yield slice(first, first + _CHUNK)
