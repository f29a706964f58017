"""Which layer of a model to align with neurons (G.3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.metrics._dimensionality import effective_dimensionality
from bridgeviz.metrics._predictivity import neural_predictivity
from bridgeviz.metrics._rsa import rsa


class LayerScore(NamedTuple):
    """What a layer is worth for a population of neurons.

    Attributes:
        layer: its name.
        predictivity: median correlation of a linear prediction with held-out responses (`neural_predictivity`).
        dimensionality: the layer's effective dimensionality.
        rsa: the rank correlation of its distances with those of the neurons.
        rank: the mean of the layer's ranks by the three numbers; 1 if it is the highest in all of them.
    """

    layer: str
    predictivity: float
    dimensionality: float
    rsa: float
    rank: float


def rank_layers(
    layers: Mapping[str, ArrayLike], y: ArrayLike, *, method: str = "pls", folds: int = 10, seed: int = 0
) -> list[LayerScore]:
    """The layers by the three criteria of G.3.1, best first.

    The paper names the criteria, and not how it weighed them. Here the order is that of the mean rank.

    Args:
        layers: (n, p) features by name of the layer.
        y: (n, q) recorded responses to the same stimuli. Use training rows only.
        method, folds, seed: of `neural_predictivity`.

    Raises:
        InputError: no layer, or one that does not fit `y`.

    >>> rng = np.random.default_rng(0)
    >>> good, bad = rng.normal(size=(2, 90, 6))
    >>> [score.layer for score in rank_layers({"bad": bad, "good": good}, good[:, :3] ** 3, folds=5)]
    ['good', 'bad']
    """
    from scipy.stats import rankdata

    if not layers:
        raise check.fail("layers", "rank_layers", "features by name of the layer", "none")
    numbers = np.array([
        (
            neural_predictivity(x, y, method=method, folds=folds, seed=seed).median,
            effective_dimensionality(x),
            rsa(x, y),
        )
        for x in layers.values()
    ])  # fmt: skip
    ranks = rankdata(-numbers, axis=0).mean(1)
    scores = [
        LayerScore(name, predictivity, dimensionality, similarity, rank)
        for name, (predictivity, dimensionality, similarity), rank in zip(
            layers, numbers.tolist(), ranks.tolist(), strict=True
        )
    ]
    return sorted(scores, key=lambda score: score.rank)
