"""The class whose mean over the paired rows is nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.baselines._baseline import BaselineOptions, Fitted
from bridgeviz.problem import Problem


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedClassMeans(Fitted):
    """The means of the classes that have a pair.

    Attributes:
        classes: (c,) their labels.
        means: (c, p) means of their paired source rows, each row divided by its length first.
        targets: (c, q) means of their paired target rows.
    """

    classes: np.ndarray
    means: np.ndarray
    targets: np.ndarray

    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        """The mean of the paired target rows of the nearest class."""
        return self.targets[self._nearest(x, "transport")]

    def predict_labels(self, x: ArrayLike) -> np.ndarray:
        """The nearest class; target labels are not read."""
        return self.classes[self._nearest(x, "predict_labels")]

    def _nearest(self, x: ArrayLike, where: str) -> np.ndarray:
        unit = _unit_rows(check.matrix(x, "x", where, columns=self.means.shape[1], rows=1), "x", where)
        return ((self.means**2).sum(1) - 2 * unit @ self.means.T).argmin(1)


@dataclass(frozen=True, kw_only=True)
class NearestClassMean(BaselineOptions):
    """The class of the nearest class mean, where the means are taken over the paired source rows.

    Rows are divided by their length first, which does better than the rows as they are. A point is carried to the mean
    of the paired target rows of its class. Needs source labels.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> fitted = NearestClassMean().fit(problem, problem.sample_pairs(0.2, seed=0))
    >>> fitted.accuracy(problem.source.x, problem.source.labels) > 0.9
    True
    """

    name = "nearest-class-mean"
    summary = "the class whose mean over the paired rows is nearest"

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedClassMeans:
        """Average the paired rows of each class; nothing is random."""
        i, j = self._pairs(problem, pairs, least=1).T
        if problem.source.labels is None:
            raise InputError(f"{self._fit}() needs labels of the source rows, and this problem has none.")
        classes, code = np.unique(problem.source.labels[i], return_inverse=True)
        return FittedClassMeans(
            target=problem.target,
            classes=classes,
            means=_class_means(_unit_rows(problem.source.x[i], "problem.source", self._fit), code),
            targets=_class_means(problem.target.x[j], code),
        )


def _class_means(rows: np.ndarray, code: np.ndarray) -> np.ndarray:
    """(c, d) means of the rows (l, d) with each code 0 .. c - 1."""
    means = np.zeros((code.max() + 1, rows.shape[1]))
    np.add.at(means, code, rows)
    return means / np.bincount(code)[:, None]


def _unit_rows(x: np.ndarray, name: str, where: str) -> np.ndarray:
    """The rows divided by their length; a row of length zero is refused."""
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    if not lengths.all():
        row = f"row {int(np.argmin(lengths))}"
        raise check.fail(name, where, "free of rows of length zero, which have no direction", row)
    return x / lengths
