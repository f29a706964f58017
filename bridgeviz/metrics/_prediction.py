"""How well recorded responses are predicted: the error of Fig. 10, the correlation per neuron, and a test of both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check


def prediction_error(predicted: ArrayLike, y: ArrayLike) -> float:
    """The neural prediction error of Fig. 10: the mean over neurons of `|yhat_k - y_k|^2 / |y_k - mean(y_k)|^2`.

    The paper shows this error (Sec. 5.2.1) but prints no equation for it. Here each neuron's squared error is divided
    by its variance over the given rows, so that neurons of any firing rate count alike: 0 for a perfect prediction,
    1 for predicting each neuron's own mean, and above 1 for worse than that. Constant neurons are left out.

    Args:
        predicted: (n, q) predicted responses.
        y: (n, q) recorded responses, n >= 2.

    Raises:
        InputError: other shapes, or every neuron is constant.

    >>> y = np.array([[1.0, 0.0], [3.0, 4.0]])
    >>> prediction_error(y, y), prediction_error(y.mean(0) + 0 * y, y)
    (0.0, 1.0)
    """
    predicted, y = _both(predicted, y, "prediction_error")
    varies = _varying(y)
    if not varies.any():
        raise check.fail("y", "prediction_error", "responses that vary", "constant columns only")
    squares = ((predicted - y) ** 2).sum(0)[varies]
    return float(np.mean(squares / ((y - y.mean(0)) ** 2).sum(0)[varies]))


def neuron_correlation(predicted: ArrayLike, y: ArrayLike) -> Float[np.ndarray, " q"]:
    """The Pearson correlation of predicted and recorded responses of each neuron, over the rows, in [-1, 1].

    0 where the prediction of a neuron is constant; NaN where its recorded responses are, because nothing can be said.
    Compare it with `noise_ceiling(repeats).correlation`, the most that a perfect model can reach.

    Args:
        predicted: (n, q) predicted responses.
        y: (n, q) recorded responses, n >= 2.

    >>> neuron_correlation([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]], [[1.0, 1.0], [2.0, 2.0], [4.0, 3.0]]).round(2)
    array([0.98, 0.  ])
    """
    predicted, y = _both(predicted, y, "neuron_correlation")
    moving, varies = _varying(predicted), _varying(y)
    a, b = predicted - predicted.mean(0), y - y.mean(0)
    lengths = np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
    correlation = np.where(moving & varies, (a * b).sum(0) / np.where(lengths > 0, lengths, 1.0), 0.0)
    return np.where(varies, np.clip(correlation, -1, 1), np.nan)


class RankTest(NamedTuple):
    """The result of the Wilcoxon-Mann-Whitney test.

    Attributes:
        p: the two-sided p-value.
        smaller: the share of pairs in which the value of `a` is smaller than that of `b`, ties counted half, in
            [0, 1]; 0.5 if neither group tends to be smaller.
    """

    p: float
    smaller: float


def rank_test(a: ArrayLike, b: ArrayLike) -> RankTest:
    """The Wilcoxon-Mann-Whitney test by which Fig. 10 compares strategies: does one group tend to be smaller?

    With five seeds on each side the smallest possible p is 0.008.

    Args:
        a: (k,) values of one group, such as the errors of a strategy by seed.
        b: (l,) values of the other group.

    >>> rank_test([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])
    RankTest(p=0.1, smaller=1.0)
    """
    from scipy.stats import mannwhitneyu

    a = check.vector(a, "a", "rank_test", length=np.size(a))
    b = check.vector(b, "b", "rank_test", length=np.size(b))
    for name, values in (("a", a), ("b", b)):
        if len(values) == 0:
            raise check.fail(name, "rank_test", "at least one value", "none")
    test = mannwhitneyu(a, b, alternative="two-sided")
    return RankTest(float(test.pvalue), 1 - float(test.statistic) / (len(a) * len(b)))


def _both(predicted: ArrayLike, y: ArrayLike, where: str) -> tuple[np.ndarray, np.ndarray]:
    y = check.matrix(y, "y", where).astype(np.float64)
    predicted = check.matrix(predicted, "predicted", where, columns=y.shape[1]).astype(np.float64)
    if len(predicted) != len(y):
        raise check.fail("predicted", where, f"one row per row of y, {len(y)} in total", f"{len(predicted)} rows")
    return predicted, y


def _varying(y: np.ndarray) -> np.ndarray:
    """(q,) whether a column is more than a constant with rounding errors."""
    return y.std(0) > 1e-12 * np.abs(y).max(0)
