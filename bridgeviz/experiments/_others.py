"""What other methods reached on the same data with about as many pairs, from the rows that were measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bridgeviz.datasets import DatasetOptions, paths

if TYPE_CHECKING:
    from bridgeviz.experiments.benchmarks._kind import Kind

NUMBERS = {
    "test": "test_accuracy", "plan": "matching_accuracy", "foscttm": "plan_foscttm", "error": "test_prediction_error",
}  # fmt: skip
"""The number of a run with which a figure of a kind is compared; where several can be, the first."""

AUTOMATIC = "automatic"
"""How methods are named whose cost is chosen from the pairs."""


@dataclass(frozen=True)
class Others:
    """Methods that were measured on the same data.

    Attributes:
        kind: the name of the kind in `KINDS`.
        pairs: how many were known, as in "1 %".
        count: the same as a number of pairs.
        title: of the figure.
        number: the name of the same figure among the metrics of a run.
        higher: whether higher is better.
        medians: of the figure over seeds, by method, the best first.
        rivals: the methods that are not of this project.
    """

    kind: str
    pairs: str
    count: int
    title: str
    number: str
    higher: bool
    medians: dict[str, float]
    rivals: frozenset[str]

    @property
    def best_rival(self) -> str | None:
        """The best method that is not of this project."""
        return next((name for name in self.medians if name in self.rivals), None)

    @property
    def automatic(self) -> str | None:
        """The best method whose cost is chosen from the pairs."""
        return next((name for name in self.medians if name.startswith(AUTOMATIC)), None)


def _kind_of(dataset: DatasetOptions) -> Kind | None:
    """The kind of problem that was measured on a data set; None if none was."""
    from bridgeviz.experiments.benchmarks._kind_list import KINDS

    return next((kind for kind in KINDS.values() if kind.dataset == dataset), None)


def others(dataset: DatasetOptions, *, pairs: int, known: int, numbers: Any) -> Others | None:
    """The methods that were measured with the number of pairs that is nearest, by ratio; None if there are none.

    Args:
        dataset: whose kind is looked up.
        pairs: how many a run used.
        known: how many are known in all.
        numbers: the names of the metrics of the run; one of them has to be comparable.
    """
    kind = _kind_of(dataset)
    rows = None if kind is None else measured_kinds()
    if kind is None or rows is None:
        return None
    rows = rows[rows.kind == kind.name]
    draws = [draw for draw in kind.draws if draw.label in set(rows.pairs)]
    for name, number in NUMBERS.items():
        about = kind.figures.get(name)
        if about is None or number not in numbers or name not in rows or not draws:
            continue
        near = min(draws, key=lambda draw: abs(np.log1p(draw.size(known)) - np.log1p(pairs)))
        part = rows[rows.pairs == near.label].dropna(subset=[name])
        medians = part.groupby("method")[name].median().sort_values(ascending=not about.higher)
        if len(medians):
            rivals = frozenset(part.loc[part.rival.astype(bool), "method"])
            best = {str(method): float(value) for method, value in medians.items()}
            count = near.size(known)
            return Others(kind.name, near.label, count, about.title, number, about.higher, best, rivals)
    return None


@lru_cache(maxsize=1)
def measured_kinds() -> Any:
    """The rows of `bridgeviz bench kinds` that did not fail, as a pandas table; None if the file is not there."""
    import pandas as pd

    path = paths.shipped() / "benchmarks" / "kinds.csv"
    if not path.is_file():
        return None
    rows = pd.read_csv(path)
    return rows[rows["failed"].isna()] if "failed" in rows else rows
