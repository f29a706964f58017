"""A first look at a space: its size, its scale, and what may go wrong in it, before anything is aligned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bridgeviz import _checks as check
from bridgeviz.costs import find_atoms
from bridgeviz.couplings import peak_bytes
from bridgeviz.problem import Problem, Space

MOST = 20_000
"""Distinct rows in which islands are searched; of more, a sample is drawn."""

_FAR = 3.0
"""From this length of the mean row on, in units of the spread, angles from the origin say little."""
_UNEVEN = 100.0
"""From this ratio of the largest to the median standard deviation on, one column outweighs all others."""
_RARE = 10.0
"""A class this many times smaller than an even share is rare."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a space is like.

    Attributes:
        rows, columns: its size.
        distinct: the number of distinct rows.
        dtype: of its numbers.
        zero_rows: rows of length zero.
        constant: columns with one value.
        length: the median length of a row.
        offset: the length of the mean row in units of the root-mean-square distance from it.
        uneven: the largest standard deviation of a column, in units of the median one that is not zero.
        islands: connected parts of the graph of nearest neighbours; paths do not cross between them.
        classes: the number of rows by class; empty without labels.
        metric: the distance that suits it: "cosine", or "sqeuclidean" where angles say little.
        why: the reason for the metric.
        cautions: what to look at, one sentence each.
    """

    rows: int
    columns: int
    distinct: int
    dtype: str
    zero_rows: int
    constant: int
    length: float
    offset: float
    uneven: float
    islands: int
    classes: Mapping[str, int]
    metric: str
    why: str
    cautions: tuple[str, ...]

    def lines(self) -> dict[str, str]:
        """The inspection as (heading, text), in the order in which it is read."""
        repeated = f"{self.distinct:,} distinct" if self.distinct < self.rows else "all distinct"
        counts = sorted(self.classes.values())
        balance = f"{len(counts)}, with {counts[0]:,} to {counts[-1]:,} rows" if counts else "no labels"
        return {
            "Rows": f"{self.rows:,}, {repeated}",
            "Columns": f"{self.columns:,}" + (f", {self.constant:,} constant" if self.constant else ""),
            "Type": self.dtype,
            "Scale": f"median row length {self.length:.3g}; the mean row is {self.offset:.2g} spreads from the origin",
            "Zero rows": f"{self.zero_rows:,}",
            "Islands": f"{self.islands:,}",
            "Classes": balance,
            "Metric": f"{self.metric}: {self.why}",
        }


def inspect(space: Space, *, k: int = 10, seed: int = 0) -> Inspection:
    """Look at a space: size, duplicates, scale, class balance, islands, and the metric that suits it.

    Args:
        space: any.
        k: neighbours per row in the graph whose islands are counted.
        seed: of the sample of rows in which islands are searched, where there are more than 20,000.

    >>> import numpy as np
    >>> found = inspect(Space(np.eye(4)[[0, 1, 2, 3, 3]], labels=[0, 0, 1, 1, 1]))
    >>> found.distinct, found.zero_rows, found.metric
    (4, 0, 'cosine')
    """
    if not isinstance(space, Space):
        raise check.fail("space", "inspect", "a Space", check.describe(space), "Wrap the array: bv.Space(x).")
    k = check.count(k, "k", "inspect")
    x = np.asarray(space.x, np.float64)
    atoms = find_atoms(np.asarray(space.x))
    lengths = np.linalg.norm(x, axis=1)
    mean, deviation = x.mean(0), x.std(0)
    spread = float(np.sqrt((deviation**2).sum()))
    varying = deviation[deviation > 0]
    numbers = {
        "rows": len(x), "columns": x.shape[1], "distinct": len(atoms), "dtype": str(space.x.dtype),
        "zero_rows": int((lengths == 0).sum()), "constant": int((deviation == 0).sum()),
        "length": float(np.median(lengths)), "offset": float(np.linalg.norm(mean) / spread) if spread else np.inf,
        "uneven": float(varying.max() / np.median(varying)) if len(varying) else 1.0,
        "islands": _islands(x[atoms.rows], k, seed), "classes": _classes(space),
    }  # fmt: skip
    metric, why = _metric(numbers)
    return Inspection(**numbers, metric=metric, why=why, cautions=tuple(_cautions(numbers)))


def plan_memory(problem: Problem) -> int:
    """The bytes that linear transport on the matrix between all distinct rows of both spaces takes at its peak.

    >>> import numpy as np
    >>> space = Space(np.eye(50))
    >>> plan_memory(Problem(space, space))
    100000
    """
    u, v = (len(find_atoms(np.asarray(space.x))) for space in (problem.source, problem.target))
    return peak_bytes(u, v, "dense")


def _islands(points: np.ndarray, k: int, seed: int) -> int:
    from scipy.sparse.csgraph import connected_components
    from sklearn.neighbors import kneighbors_graph

    if len(points) > MOST:
        points = points[np.random.default_rng(seed).choice(len(points), MOST, replace=False)]
    if len(points) <= 2:
        return 1
    points = points - points.mean(0)
    return int(connected_components(kneighbors_graph(points, min(k, len(points) - 1)), directed=False)[0])


def _classes(space: Space) -> dict[str, int]:
    if space.labels is None or space.classes is None or space.names is None:
        return {}
    counts = np.bincount(np.searchsorted(space.classes, space.labels), minlength=len(space.classes))
    return {str(name): int(count) for name, count in zip(space.names, counts, strict=False)}


def _metric(numbers: Mapping) -> tuple[str, str]:
    if numbers["zero_rows"]:
        return "sqeuclidean", "rows of length zero have no angle"
    if numbers["columns"] < 3:
        return "sqeuclidean", "angles in a plane say little"
    if numbers["offset"] > _FAR:
        return "sqeuclidean", "all rows lie in nearly the same direction from the origin, so that angles hardly differ"
    return "cosine", "the default for embeddings: the length of a row does not count"


def _cautions(numbers: Mapping) -> list[str]:
    rows, distinct, classes = numbers["rows"], numbers["distinct"], numbers["classes"]
    cautions = []
    if distinct < rows:
        cautions.append(
            f"Rows that repeat another one: {rows - distinct:,} of {rows:,}. They count as one point with more mass."
        )
    if numbers["zero_rows"]:
        cautions.append(f"Rows of zeros: {numbers['zero_rows']:,}. Cosine and Pearson distances refuse them.")
    if numbers["constant"]:
        cautions.append(
            f"Columns that never change, and so say nothing: {numbers['constant']:,} of {numbers['columns']:,}."
        )
    if numbers["uneven"] > _UNEVEN:
        cautions.append(
            f"One column varies {numbers['uneven']:,.0f} times as much as the median one and outweighs the others: "
            "consider standardising the columns."
        )
    if numbers["columns"] > rows:
        cautions.append(f"There are more columns ({numbers['columns']:,}) than rows ({rows:,}): consider a PCA.")
    if numbers["islands"] > 1:
        cautions.append(
            f"The graph of nearest neighbours has {numbers['islands']:,} islands: a cost that follows paths needs a "
            "pair on each of them."
        )
    if len(classes) > 1:
        name, least = min(classes.items(), key=lambda entry: entry[1])
        if least * _RARE * len(classes) < sum(classes.values()):
            cautions.append(f"The smallest class, {name!r}, has {least:,} of {sum(classes.values()):,} rows.")
    return cautions
