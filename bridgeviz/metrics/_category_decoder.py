"""Decoding categories from neural responses: the support vector machine of Fig. 11 (H.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check

PENALTIES = tuple(10.0 ** np.arange(-5, 3))
"""The values of C among which the cross-validation chooses."""

FOLDS = 5


@dataclass(frozen=True, eq=False)
class CategoryDecoder:
    """A linear C-SVC that was fitted to recorded responses.

    Attributes:
        c: the chosen penalty C.
        validation: the mean accuracy over the folds at that penalty, in [0, 1].
        model: the fitted pipeline of scikit-learn.
    """

    c: float
    validation: float
    model: Any

    def predict(self, y: ArrayLike) -> np.ndarray:
        """(n,) the category of each response (n, q), recorded or predicted."""
        columns = int(self.model.n_features_in_)
        return self.model.predict(check.matrix(y, "y", "CategoryDecoder.predict", columns=columns, rows=1))

    def accuracy(self, y: ArrayLike, labels: ArrayLike) -> float:
        """The share of responses (n, q) whose category is decoded correctly, in [0, 1]; chance is 1 / categories.

        Responses that a flow predicted from images show how much of the categories it carries over; the recorded
        responses of the same images are the upper bound.
        """
        predicted = self.predict(y)
        labels = check.labels(labels, "labels", "CategoryDecoder.accuracy", length=len(predicted), least=1)
        check.same_kind(self.model.classes_, labels, ("the decoder", "labels"), "CategoryDecoder.accuracy")
        return float(np.mean(predicted == labels))


def fit_category_decoder(y: ArrayLike, labels: ArrayLike, *, seed: int = 0) -> CategoryDecoder:
    """Fit the decoder of H.5 to recorded responses: a C-SVC with a linear kernel and the hinge loss (libsvm).

    Each neuron is standardised. C is the one of 10^-5, 10^-4, ..., 10^2 with the highest mean accuracy in 5-fold
    cross-validation; the decoder is then fitted to all rows.

    Args:
        y: (n, q) recorded responses.
        labels: (n,) categories, each with at least 5 rows.
        seed: of the folds.

    Raises:
        InputError: a category with fewer than 5 rows.

    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(60) % 3
    >>> decoder = fit_category_decoder(np.eye(3)[labels] + 0.1 * rng.normal(size=(60, 3)), labels)
    >>> decoder.accuracy(np.eye(3), [0, 1, 2])
    1.0
    """
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    where = "fit_category_decoder"
    y = check.matrix(y, "y", where)
    labels = check.labels(labels, "labels", where, length=len(y))
    names, counts = np.unique(labels, return_counts=True)
    if counts.min() < FOLDS:
        rarest = f"{counts.min()} of {names[counts.argmin()]}"
        raise check.fail("labels", where, f"at least {FOLDS} rows of each category, one per fold", rarest)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=check.seed(seed, "seed", where))
    pipeline = make_pipeline(StandardScaler(), SVC(kernel="linear"))
    search = GridSearchCV(pipeline, {"svc__C": PENALTIES}, cv=folds).fit(y, labels)
    return CategoryDecoder(float(search.best_params_["svc__C"]), float(search.best_score_), search.best_estimator_)
