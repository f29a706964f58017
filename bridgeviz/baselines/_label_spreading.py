"""Label spreading over the neighbour graph of the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._options import Count, Unit, option
from bridgeviz.baselines._baseline import BaselineOptions
from bridgeviz.baselines._classes import paired_classes
from bridgeviz.baselines._source_graph import FittedSpread, gaussian_graph, spread_to_new_points
from bridgeviz.problem import Problem

_ITERATIONS, _TOLERANCE = 5000, 1e-12
"""Far from the pairs the scores are tiny, and their ratio is what counts: scikit-learn's own 1e-3 leaves them at 0."""


@dataclass(frozen=True, kw_only=True)
class LabelSpreading(BaselineOptions):
    """The classes of the pairs, spread over the graph of the source's neighbours (Zhou et al. 2004).

    scikit-learn's `LabelSpreading` on the graph of `gaussian_graph`: the scores F of all rows for all classes solve
    `F = alpha S F + (1 - alpha) Y`, where S is the normalised graph and Y the classes of the paired rows. It reads all
    source rows, but the classes of the paired ones alone. Needs source labels. Rows that no pair reaches take the first
    class.

    Choose it where classes are clusters of the source. With very few pairs its scores are nearly constant, which
    Poisson learning mends.

    Attributes:
        k: neighbours of each row in the graph.
        alpha: how much of its score a row takes from its neighbours, in (0, 1).

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> fitted = LabelSpreading().fit(problem, problem.sample_pairs(0.1, seed=0))
    >>> fitted.accuracy(problem.source.x, problem.source.labels) > 0.7
    True
    """

    name = "label-spreading"
    needs_labels = True
    summary = "the pairs' classes, spread over the source's neighbour graph"
    k: int = option(Count(), 10, help="Neighbours of each row in the graph.")
    alpha: float = option(Unit(), 0.9, help="How much a row takes from its neighbours.")

    def __post_init__(self):
        super().__post_init__()
        if self.alpha == 1:
            raise check.fail("alpha", self.where, "a float in (0, 1)", self.alpha, "At 1, the pairs say nothing.")

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedSpread:
        """Spread the classes of at least one pair; nothing is random."""
        from sklearn import semi_supervised

        pairs = self._pairs(problem, pairs, least=1)
        classes, code, targets = paired_classes(problem, pairs, self._fit)
        x, k = problem.source.x, min(self.k, len(problem.source) - 1)
        known = np.full(len(x), -1)
        known[pairs[:, 0]] = code
        graph: Any = lambda rows, _: gaussian_graph(rows, k)  # noqa: E731
        model = semi_supervised.LabelSpreading(kernel=graph, alpha=self.alpha, max_iter=_ITERATIONS, tol=_TOLERANCE)
        scores = model.fit(x, known).label_distributions_
        return FittedSpread(
            target=problem.target, classes=classes, targets=targets, scores=scores,
            neighbours=spread_to_new_points(x, scores, k),
        )  # fmt: skip
