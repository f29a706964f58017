"""Atoms: the distinct rows of a space. "A photo of a cat" is one atom, however many rows hold it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int


@dataclass(frozen=True, eq=False)
class Atoms:
    """The distinct rows of an (n, p) matrix, in order of first appearance.

    Those of a cost are the rows that its metric can tell apart: by cosine distance, x and 2x are one.

    Attributes:
        rows: (u,) the first row number of each atom.
        index: (n,) the atom of each row.
        multiplicity: (u,) how many rows each atom stands for; sums to n.
        exact: whether the rows of an atom are equal, and not only to the metric.
    """

    rows: Int[np.ndarray, " u"]
    index: Int[np.ndarray, " n"]
    multiplicity: Int[np.ndarray, " u"]
    exact: bool = True

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def merged(self) -> bool:
        """Whether any two rows were equal."""
        return len(self.rows) < len(self.index)

    def members(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) row numbers sorted by atom, and (u,) the position where each atom's rows start."""
        order = np.argsort(self.index, kind="stable")
        return order, np.concatenate([[0], np.cumsum(self.multiplicity)[:-1]])


def find_atoms(x: np.ndarray) -> Atoms:
    """Merge exactly equal rows.

    >>> import numpy as np
    >>> find_atoms(np.array([[1.0], [0.0], [1.0]])).multiplicity
    array([2, 1])
    """
    _, first, inverse, counts = np.unique(x, axis=0, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Atoms(rows=first[order], index=rank[inverse.reshape(-1)], multiplicity=counts[order])


def every_row(n: int) -> Atoms:
    """Every row as its own atom, without merging."""
    return Atoms(rows=np.arange(n), index=np.arange(n), multiplicity=np.ones(n, np.int64))
