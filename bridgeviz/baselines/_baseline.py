"""The protocol of a baseline: options that are fitted to pairs, and then carry points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz import metrics
from bridgeviz._options import Options
from bridgeviz.problem import Problem, Space


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted(ABC):
    """A fitted baseline, which carries source points to the target space.

    Attributes:
        target: the space that it carries points to.
    """

    target: Space

    @abstractmethod
    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        """Source points (n, p) carried to the target space."""

    def predict_labels(self, x: ArrayLike) -> np.ndarray:
        """(n,) the class of each source point: the one that the target space gives to its transported point.

        Raises:
            InputError: the target space has no labels.
        """
        return metrics.predict_labels(self.target, self.transport(x))

    def accuracy(self, x: ArrayLike, labels: ArrayLike) -> float:
        """The share of source points (n, p) whose predicted class equals their label, in [0, 1]."""
        predicted = self.predict_labels(x)
        labels = check.labels(labels, "labels", "accuracy", length=len(predicted), least=1)
        check.same_kind(predicted, labels, ("target.labels", "labels"), "accuracy")
        return float(np.mean(predicted == labels))


@dataclass(frozen=True, kw_only=True)
class BaselineOptions(Options, ABC):
    """The base of every baseline: `Ridge().fit(problem, pairs).transport(x)` carries points.

    A new baseline is one file with a subclass and one line in `bridgeviz.baselines.BASELINES`. The subclass is a frozen
    dataclass with a `name`, a `summary`, its options as fields, and `fit`.

    Attributes:
        title: its row in the benchmark of costs; the name with spaces unless given.
        classifies: whether it predicts a class for each point; if not, it has no row in that benchmark.
    """

    title: ClassVar[str] = ""
    classifies: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: object):
        super().__init_subclass__(**kwargs)
        if "title" not in cls.__dict__:
            cls.title = cls.name.replace("-", " ")
        if "where" not in cls.__dict__:
            cls.where = cls.__name__

    @abstractmethod
    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> Fitted:
        """Fit the baseline to paired rows.

        Args:
            problem: the two spaces.
            pairs: (l, 2) rows known to correspond.
            seed: for baselines that draw random numbers.

        Raises:
            InputError: too few pairs, or a problem without the labels that the baseline reads.
        """

    def _pairs(self, problem: Problem, pairs: ArrayLike, *, least: int) -> np.ndarray:
        """The checked pairs, or an `InputError` about the argument of `fit`."""
        if not isinstance(problem, Problem):
            raise check.fail("problem", self._fit, "a Problem", check.describe(problem))
        return check.pair_index(pairs, "pairs", self._fit, shape=problem.shape, least=least)

    @property
    def _fit(self) -> str:
        """The name of the method `fit` in errors."""
        return f"{self.where}.fit"
