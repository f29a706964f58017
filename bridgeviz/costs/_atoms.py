"""Atoms: the distinct rows of a space. "A photo of a cat" is one atom, however many rows hold it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from bridgeviz.costs._equal_rows import Seen, equal_rows


@dataclass(frozen=True, eq=False)
class Atoms:
    """The distinct rows of an (n, p) matrix, in order of first appearance.

    Those of a cost are the rows that its metric can tell apart: by cosine distance, x and 2x are one.

    Attributes:
        rows: (u,) the first row number of each atom.
        index: (n,) the atom of each row.
        multiplicity: (u,) how many rows each atom stands for; sums to n.
        exact: whether the rows of an atom are equal, and not only to the metric.
        weights: (n,) >= 0, the share of the mass that each row has to carry; None if all rows carry the same.
        power: the rows of an atom share its mass in proportion to `weights ** power`. A solver sets it to tau: where a
            marginal is relaxed, heavy rows give up more of their mass (see `couplings.Linear`).
    """

    rows: Int[np.ndarray, " u"]
    index: Int[np.ndarray, " n"]
    multiplicity: Int[np.ndarray, " u"]
    exact: bool = True
    weights: Float[np.ndarray, " n"] | None = None
    power: float = 1.0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def merged(self) -> bool:
        """Whether any two rows were equal."""
        return len(self.rows) < len(self.index)

    @cached_property
    def mass(self) -> Float[np.ndarray, " u"]:
        """The share of the mass that each atom has to carry; sums to one."""
        if self.weights is None:
            return self.multiplicity / len(self.index)
        return np.bincount(self.index, weights=self.weights, minlength=len(self))

    @cached_property
    def required(self) -> Float[np.ndarray, " n"]:
        """The share of the mass that each row has to carry; sums to one."""
        return np.full(len(self.index), 1 / len(self.index)) if self.weights is None else self.weights

    @cached_property
    def shares(self) -> Float[np.ndarray, " n"]:
        """Each row's share of the mass of its atom; zeros where an atom has no weight."""
        if self.weights is None:
            return 1 / self.multiplicity[self.index]
        # Relative to the heaviest row of the atom, a power of any weight is neither 0 nor infinite.
        heaviest = np.zeros(len(self))
        np.maximum.at(heaviest, self.index, self.weights)
        relative = np.divide(self.weights, heaviest[self.index], out=np.zeros(len(self.index)), where=self.weights > 0)
        tempered = relative**self.power  # 0 stays 0, because power > 0
        total = np.bincount(self.index, weights=tempered, minlength=len(self))
        return np.divide(tempered, total[self.index], out=np.zeros(len(tempered)), where=tempered > 0)

    def effective(self, tau: float) -> Float[np.ndarray, " u"]:
        """The effective number of rows of each atom: `(sum_i q_i^tau)^(1 / (1 - tau))` for the shares q of its weight.

        It is the Hill number of order tau (the exponential of the Renyi entropy): the multiplicity if all rows of the
        atom weigh the same, 1 if one of them has all the weight.
        """
        if self.weights is None:
            return self.multiplicity.astype(float)
        q = replace(self, power=1.0).shares
        used = q > 0
        log = np.log(q, out=np.zeros(len(q)), where=used)
        terms = -q * log if tau == 1 else q * np.expm1((tau - 1) * log)
        total = np.bincount(self.index, weights=terms, minlength=len(self))
        return np.exp(total if tau == 1 else np.log1p(total) / (1 - tau))

    def members(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) row numbers sorted by atom, and (u,) the position where each atom's rows start."""
        order = np.argsort(self.index, kind="stable")
        return order, np.concatenate([[0], np.cumsum(self.multiplicity)[:-1]])

    def split(self, codes: Int[np.ndarray, " n"]) -> tuple[Atoms, Int[np.ndarray, " w"]]:
        """These atoms, divided wherever their rows have different codes, and (w,) the old atom of each new one."""
        keys = self.index.astype(np.int64) * (int(codes.max()) + 1) + codes
        divided = _grouped(*np.unique(keys, return_index=True, return_inverse=True, return_counts=True)[1:])
        divided = replace(divided, exact=self.exact, weights=self.weights, power=self.power)
        return divided, self.index[divided.rows]


def find_atoms(x: np.ndarray, seen: Seen | None = None) -> Atoms:
    """Merge exactly equal rows; no copy of x is made.

    Args:
        x: (n, p).
        seen: from rows to what they are compared as, row by row; None compares them as they are.

    >>> import numpy as np
    >>> find_atoms(np.array([[1.0], [0.0], [1.0]])).multiplicity
    array([2, 1])
    """
    return _grouped(*equal_rows(x, seen))


def _grouped(first: np.ndarray, inverse: np.ndarray, counts: np.ndarray) -> Atoms:
    """Groups of rows as atoms in order of first appearance, from what `np.unique` returns."""
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Atoms(rows=first[order], index=rank[inverse.reshape(-1)], multiplicity=counts[order])


def every_row(n: int) -> Atoms:
    """Every row as its own atom, without merging."""
    return Atoms(rows=np.arange(n), index=np.arange(n), multiplicity=np.ones(n, np.int64))
