"""How well a linear map from features predicts neurons: Brain-Score's neural predictivity (G.3.1)."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.metrics._prediction import neuron_correlation

COMPONENTS = 25
"""Components of the partial least squares, as in Brain-Score (Schrimpf et al. 2018)."""

ALPHAS = tuple(10.0 ** np.arange(-2, 6))
"""The penalties among which the leave-one-out errors of ridge regression choose."""

METHODS = ("pls", "ridge")


class Predictivity(NamedTuple):
    """The neural predictivity of one space.

    Attributes:
        median: over the neurons.
        by_neuron: (q,) correlations with held-out responses, averaged over the folds; NaN for a constant neuron.
    """

    median: float
    by_neuron: Float[np.ndarray, " q"]


def neural_predictivity(
    x: ArrayLike, y: ArrayLike, *, method: str = "pls", folds: int = 10, seed: int = 0
) -> Predictivity:
    """The correlation of held-out responses with a linear prediction from features, in cross-validation (G.3.1).

    Brain-Score's measure of a layer: partial least squares with 25 components and ten folds, the median over neurons
    of the Pearson correlation. It is not divided by the noise ceiling; see `noise_ceiling`.

    Args:
        x: (n, p) features of a model.
        y: (n, q) recorded responses to the same stimuli, row by row.
        method: "pls", or "ridge" with the penalty of least leave-one-out error.
        folds: of the cross-validation.
        seed: of the division into folds.

    Raises:
        InputError: other shapes, or fewer than three rows per fold.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(60, 4))
    >>> round(neural_predictivity(x, x @ rng.normal(size=(4, 2)), folds=5).median, 3)
    1.0
    """
    from sklearn.model_selection import KFold

    where = "neural_predictivity"
    y = check.matrix(y, "y", where).astype(np.float64)
    x = check.matrix(x, "x", where).astype(np.float64)
    if len(x) != len(y):
        raise check.fail("x", where, f"one row per row of y, {len(y)} in total", f"{len(x)} rows")
    method = check.choice(method, "method", where, METHODS)
    folds = check.count(folds, "folds", where, least=2, most=max(2, len(y) // 3))
    split = KFold(folds, shuffle=True, random_state=check.seed(seed, "seed", where))
    scores = [neuron_correlation(_predict(x[a], y[a], x[b], method), y[b]) for a, b in split.split(x)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Mean of empty slice")  # a neuron that is constant in every fold
        warnings.filterwarnings("ignore", message="All-NaN slice encountered")
        by_neuron = np.nanmean(scores, axis=0)
        return Predictivity(float(np.nanmedian(by_neuron)), by_neuron)


def _predict(x: np.ndarray, y: np.ndarray, x_new: np.ndarray, method: str) -> np.ndarray:
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.linear_model import RidgeCV

    if method == "ridge":
        return RidgeCV(alphas=ALPHAS).fit(x, y).predict(x_new).reshape(len(x_new), -1)
    components = min(COMPONENTS, len(x) - 1, np.linalg.matrix_rank(x - x.mean(0)))
    if components == 0:
        return np.tile(y.mean(0), (len(x_new), 1))
    return PLSRegression(components, scale=False).fit(x, y).predict(x_new).reshape(len(x_new), -1)
