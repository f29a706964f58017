"""What the baselines that predict a class have in common: the classes of the paired rows."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from bridgeviz._checks import InputError
from bridgeviz.baselines._baseline import Fitted
from bridgeviz.problem import Problem


class PairedClasses(NamedTuple):
    """The classes that have a pair.

    Attributes:
        classes: (c,) their labels, sorted.
        code: (l,) the class of each pair, from 0 to c - 1.
        targets: (c, q) the mean of the paired target rows of each class.
    """

    classes: np.ndarray
    code: Int[np.ndarray, " l"]
    targets: Float[np.ndarray, "c q"]


def paired_classes(problem: Problem, pairs: np.ndarray, where: str) -> PairedClasses:
    """The classes of the paired source rows, and the means of their partners.

    Raises:
        InputError: the source has no labels.
    """
    if problem.source.labels is None:
        raise InputError(f"{where}() needs labels of the source rows, and this problem has none.")
    classes, code = np.unique(problem.source.labels[pairs[:, 0]], return_inverse=True)
    return PairedClasses(classes, code, class_means(problem.target.x[pairs[:, 1]], code))


def class_means(rows: np.ndarray, code: np.ndarray) -> np.ndarray:
    """(c, d) means of the rows (l, d) with each code 0 .. c - 1."""
    means = np.zeros((code.max() + 1, rows.shape[1]))
    np.add.at(means, code, rows)
    return means / np.bincount(code)[:, None]


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedClasses(Fitted):
    """A fitted classifier of source points. A point is carried to the mean of the paired target rows of its class.

    Attributes:
        classes: (c,) the labels of the classes that have a pair; no other class is ever predicted.
        targets: (c, q) the means of their paired target rows.
    """

    classes: np.ndarray
    targets: np.ndarray

    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        """The mean of the paired target rows of each point's predicted class."""
        return self.targets[self._classify(x, "transport")]

    def predict_labels(self, x: ArrayLike) -> np.ndarray:
        """(n,) the predicted classes; target labels are not read."""
        return self.classes[self._classify(x, "predict_labels")]

    @abstractmethod
    def _classify(self, x: ArrayLike, where: str) -> Int[np.ndarray, " n"]:
        """The predicted class of each point, as a number from 0 to c - 1; `where` is the method that errors name."""
