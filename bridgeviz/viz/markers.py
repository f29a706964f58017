"""Which markers a map draws: one per row, or one per class and distinct point where many rows are equal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from bridgeviz.costs import Atoms, find_atoms
from bridgeviz.problem import Space

MOST = 10_000
"""The most markers in one map; a browser still selects among them with a lasso within a second."""
SMALLEST = 6.5
"""Size of the marker of a single row, in pixels."""

_LAYERS = 5  # single rows are drawn in this many layers, so that no class as a whole lies on top of another
_STAGE = 440.0 * 440.0  # area of a map, in pixels
_FAINTEST = 0.25


class Markers(NamedTuple):
    """The markers of one space.

    Attributes:
        rows: (k,) the first row that each marker stands for.
        code: (k,) the number of its class; 0 without labels.
        counts: (k,) the number of rows that it stands for.
        place: (k,) the number of its point. Markers at the same place are rings, one for each class.
        layer: (k,) the layer in which it is drawn, the lowest first: outer rings before inner ones, and single rows in
            random order.
        of_row: (n,) the marker of each row; -1 if it is not drawn.
    """

    rows: Int[np.ndarray, " k"]
    code: Int[np.ndarray, " k"]
    counts: Int[np.ndarray, " k"]
    place: Int[np.ndarray, " k"]
    layer: Int[np.ndarray, " k"]
    of_row: Int[np.ndarray, " n"]

    @property
    def merged(self) -> bool:
        """Whether any marker stands for several rows."""
        return bool((self.counts > 1).any())

    @property
    def opacity(self) -> float:
        """Below 1 where single rows cover more than half of the map."""
        if self.merged:
            return 1.0
        covered = len(self.rows) * np.pi / 4 * SMALLEST**2 / _STAGE
        return float(np.clip(0.5 / covered, _FAINTEST, 1.0))

    def sizes(self, counts: Int[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        """In pixels, with areas that grow with the counts; each ring also encloses the counts of those inside it."""
        if not self.merged:
            return np.full(len(counts), SMALLEST)
        order = np.lexsort((-self.layer, self.place))  # from the inmost ring of each place outwards
        total = np.cumsum(counts[order])
        first = np.searchsorted(self.place[order], self.place[order])
        inner = np.empty(len(counts))
        inner[order] = total - np.where(first > 0, total[first - 1], 0)
        return SMALLEST + 18 * np.sqrt(inner / max(inner.max(), 1.0))


def markers(space: Space, classes: np.ndarray | None, atoms: Atoms | None = None) -> Markers:
    """The markers of a space: at most `MOST`.

    Args:
        space: to draw.
        classes: of both spaces, sorted; None takes the space's own.
        atoms: the distinct rows, if already known.
    """
    n = len(space)
    code = np.zeros(n, np.int64)
    if space.labels is not None:
        code = np.searchsorted(np.unique(space.labels) if classes is None else classes, space.labels)
    atoms = atoms or find_atoms(space.x)
    rng = np.random.default_rng(0)
    if 2 * len(atoms) <= n:
        key = atoms.index * (int(code.max()) + 1) + code
        _, rows, of_row, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
        place = atoms.index[rows]
        layer = _rank_within(place, counts)
    else:
        rows = of_row = place = np.arange(n)
        counts, layer = np.ones(n, np.int64), rng.integers(0, _LAYERS, n)
    if len(rows) > MOST:
        kept = np.sort(rng.choice(len(rows), MOST, replace=False))
        new = np.full(len(rows), -1)
        new[kept] = np.arange(MOST)
        rows, counts, place, layer, of_row = rows[kept], counts[kept], place[kept], layer[kept], new[of_row]
    return Markers(rows, code[rows], counts, place, layer, of_row)


def _rank_within(place: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(k,) the rank of each marker among those at its place, from 0 for the largest count."""
    order = np.lexsort((-counts, place))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.searchsorted(place[order], place[order])
    return rank
