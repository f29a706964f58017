"""The class whose mean over the paired rows is nearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.baselines._baseline import BaselineOptions
from bridgeviz.baselines._classes import FittedClasses, class_means, paired_classes
from bridgeviz.baselines._unit_rows import unit_rows
from bridgeviz.problem import Problem


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedClassMeans(FittedClasses):
    """The means of the classes that have a pair.

    Attributes:
        means: (c, p) means of their paired source rows, each row divided by its length first.
    """

    means: np.ndarray

    def _classify(self, x: ArrayLike, where: str) -> np.ndarray:
        unit = unit_rows(check.matrix(x, "x", where, columns=self.means.shape[1], rows=1), "x", where)
        return ((self.means**2).sum(1) - 2 * unit @ self.means.T).argmin(1)


@dataclass(frozen=True, kw_only=True)
class NearestClassMean(BaselineOptions):
    """The class of the nearest class mean, where the means are taken over the paired source rows.

    Rows are divided by their length first, which does better than the rows as they are. A point is carried to the mean
    of the paired target rows of its class. Needs source labels.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> fitted = NearestClassMean().fit(problem, problem.sample_pairs(0.2, seed=0))
    >>> fitted.accuracy(problem.source.x, problem.source.labels) > 0.8
    True
    """

    name = "nearest-class-mean"
    needs_labels = True
    summary = "the class whose mean over the paired rows is nearest"

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedClassMeans:
        """Average the paired rows of each class; nothing is random."""
        pairs = self._pairs(problem, pairs, least=1)
        classes, code, targets = paired_classes(problem, pairs, self._fit)
        unit = unit_rows(problem.source.x[pairs[:, 0]], "problem.source", self._fit)
        return FittedClassMeans(target=problem.target, classes=classes, targets=targets, means=class_means(unit, code))
