"""The protocol of a baseline: options that are fitted to pairs, and then carry points and score matches."""

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

_ENTRIES = 4_000_000
"""Scores that are held at a time."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted(ABC):
    """A fitted baseline, which carries source points to the target space and scores their matches with its rows.

    A method that predicts points defines `transport`, and its scores follow; a method that compares rows of both spaces
    derives from `FittedRetrieval`, defines `score`, and its points follow.

    Attributes:
        target: the space that it carries points to.
    """

    target: Space

    @abstractmethod
    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        """Source points (n, p) carried to the target space."""

    def score(self, x: ArrayLike) -> Float[np.ndarray, "n m"]:
        """How well each target row matches each source point (n, p); higher is better. Takes n m floats of memory.

        Minus the distance of the row from the transported point, cosine or squared Euclidean as in `metrics.arrivals`.
        """
        return -metrics.arrivals(self.transport(x), self.target.x).dense()

    def partners(
        self, x: ArrayLike, truth: ArrayLike, *, known: ArrayLike | None = None, seed: int = 0
    ) -> metrics.Partners:
        """Where the true partners of points stand by `score`: FOSCTTM and recall, for one-to-one problems.

        Args:
            x: (n, p) source points.
            truth: (k, 2) known pairs (row of x, target row), without those that the baseline was fitted to.
            known: (l, 2) the pairs that it was fitted to, whose rows are no candidates; None: all rows are.
            seed: of the sample that is drawn from more than `metrics.MOST_PARTNERS` pairs.

        Raises:
            InputError: no such pairs, or fewer than two points on a side.
        """
        return metrics.partners(-self.score(x), truth, known=known, seed=seed)

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


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedRetrieval(Fitted):
    """A fitted baseline that compares source points with the rows of the target space.

    A point is carried to the target row with the highest score, or to the mean of the rows that tie for it. A mean of
    all rows, weighted by their scores, would depend on how a method scales its scores, which says nothing about the
    order of the rows; the row with the highest score does not.
    """

    @abstractmethod
    def score(self, x: ArrayLike) -> Float[np.ndarray, "n m"]:
        """How well each target row matches each source point (n, p); higher is better."""

    def transport(self, x: ArrayLike) -> Float[np.ndarray, "n q"]:
        """The target row with the highest score for each source point (n, p); the mean of those that tie."""
        x = np.asarray(x)
        parts = np.array_split(x, max(1, -(-len(x) * len(self.target) // _ENTRIES)))
        return np.concatenate([self._best(self.score(part)) for part in parts])

    def _best(self, score: np.ndarray) -> np.ndarray:
        """The mean of the target rows with the highest score, for each row of scores."""
        best = score == score.max(1, keepdims=True)
        return (best @ self.target.x) / best.sum(1, keepdims=True)


@dataclass(frozen=True, kw_only=True)
class BaselineOptions(Options, ABC):
    """The base of every baseline: `Ridge().fit(problem, pairs).transport(x)` carries points.

    A new baseline is one file with a subclass and one line in `bridgeviz.baselines.BASELINES`. The subclass is a frozen
    dataclass with a `name`, a `summary`, its options as fields, and `fit`.

    Attributes:
        title: its row in the benchmark of costs; the name with spaces unless given.
        classifies: whether it predicts a class for each point; if not, it has no row in that benchmark.
        needs_pairs: whether it needs pairs at all; if not, `fit` takes an empty list of them.
        needs_labels: whether it reads the classes of the paired source rows.
    """

    title: ClassVar[str] = ""
    classifies: ClassVar[bool] = True
    needs_pairs: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = False

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
            pairs: (l, 2) rows known to correspond; may be empty where `needs_pairs` is False.
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
