"""Ridge regression from paired source rows to their target rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._options import Positive, option
from bridgeviz.baselines._baseline import BaselineOptions, Fitted
from bridgeviz.problem import Problem

ALPHAS = 10.0 ** np.arange(-2, 6)
"""The penalties among which leave-one-out errors choose."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedRidge(Fitted):
    """A linear map with an intercept.

    Attributes:
        model: the fitted model of scikit-learn.
    """

    model: Any

    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        columns = int(self.model.n_features_in_)
        return self.model.predict(check.matrix(x, "x", "transport", columns=columns, rows=1))


@dataclass(frozen=True, kw_only=True)
class Ridge(BaselineOptions):
    """The linear map that minimises `sum_p |W x_p + b - y_p|^2 + alpha |W|^2` over the pairs.

    Attributes:
        alpha: the penalty; None takes the one in 10^-2, 10^-1, ..., 10^5 with the smallest leave-one-out error
            (scikit-learn's `RidgeCV`).

    >>> import bridgeviz as bv
    >>> problem = bv.load("swiss-roll", n=100)
    >>> Ridge().fit(problem, problem.truth).transport(problem.test.source.x).shape
    (50, 2)
    """

    name = "ridge"
    summary = "ridge regression on the pairs"
    alpha: float | None = option(
        Positive(), None, word="auto", help="Penalty on the weights; auto chooses it by leave-one-out errors."
    )

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedRidge:
        """Fit the map to at least two pairs; nothing is random."""
        from sklearn import linear_model

        i, j = self._pairs(problem, pairs, least=2).T
        model = linear_model.RidgeCV(alphas=ALPHAS) if self.alpha is None else linear_model.Ridge(alpha=self.alpha)
        return FittedRidge(target=problem.target, model=model.fit(problem.source.x[i], problem.target.x[j]))
