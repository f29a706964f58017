"""Logistic regression from paired source rows to their classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._options import Positive, option
from bridgeviz.baselines._baseline import BaselineOptions
from bridgeviz.baselines._classes import FittedClasses, paired_classes
from bridgeviz.baselines._unit_rows import unit_rows
from bridgeviz.problem import Problem

STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""The inverse penalties among which cross-validation chooses."""
_FOLDS, _ITERATIONS, _TOLERANCE = 3, 2000, 1e-3


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedLogisticRegression(FittedClasses):
    """A linear classifier.

    Attributes:
        model: the fitted model of scikit-learn, of rows at length one, centred and scaled.
        centre: (p,) the mean of the source rows at length one.
        scale: the root mean square of an entry of these rows, centred.
    """

    model: Any
    centre: np.ndarray
    scale: float

    def _classify(self, x: ArrayLike, where: str) -> np.ndarray:
        x = check.matrix(x, "x", where, columns=len(self.centre), rows=1)
        return self.model.predict((unit_rows(x, "x", where) - self.centre) / self.scale)


@dataclass(frozen=True, kw_only=True)
class LogisticRegression(BaselineOptions):
    """The multinomial logistic regression of the pairs' classes on their source rows.

    Rows are divided by their length, centred on the mean of all source rows and divided by one common scale, which did
    as well as or better than scaling each feature on MNIST and Tiny-ImageNet. Needs source labels; it can't predict a
    class without a pair.

    Attributes:
        c: the inverse of the penalty on the weights, scikit-learn's `C`; None takes the one in 0.01, 0.1, 1, 10 with
            the best accuracy in 3-fold cross-validation, or 1 where a class has fewer than three pairs.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> fitted = LogisticRegression().fit(problem, problem.sample_pairs(0.2, seed=0))
    >>> fitted.accuracy(problem.source.x, problem.source.labels) > 0.7
    True
    """

    name = "logistic-regression"
    needs_labels = True
    summary = "logistic regression of the pairs' classes on their source rows"
    c: float | None = option(
        Positive(), None, word="auto", help="Inverse penalty on the weights; auto chooses it by cross-validation."
    )

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedLogisticRegression:
        """Fit the classifier to pairs of at least two classes; nothing is random."""
        from sklearn import linear_model

        pairs = self._pairs(problem, pairs, least=2)
        classes, code, targets = paired_classes(problem, pairs, self._fit)
        if len(classes) < 2:
            raise InputError(f"{self._fit}() needs pairs of at least two classes. Got {classes[0]} only. Add pairs.")
        unit = unit_rows(problem.source.x, "problem.source", self._fit)
        centre = unit.mean(0)
        scale = float(np.sqrt(np.mean((unit - centre) ** 2))) or 1.0
        settings: dict[str, Any] = {"max_iter": _ITERATIONS, "tol": _TOLERANCE}
        model = linear_model.LogisticRegression(C=self.c or 1.0, **settings)
        if self.c is None and np.bincount(code).min() >= _FOLDS:
            from sklearn.model_selection import GridSearchCV

            model = GridSearchCV(model, {"C": STRENGTHS}, cv=_FOLDS)
        model.fit((unit[pairs[:, 0]] - centre) / scale, code)
        return FittedLogisticRegression(
            target=problem.target, classes=classes, targets=targets, model=model, centre=centre, scale=scale
        )
