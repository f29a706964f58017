"""Poisson learning over the neighbour graph of the source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse import csgraph

from bridgeviz._options import Count, Flag, option
from bridgeviz.baselines._baseline import BaselineOptions
from bridgeviz.baselines._classes import paired_classes
from bridgeviz.baselines._source_graph import FittedSpread, gaussian_graph, spread_to_new_points
from bridgeviz.problem import Problem

_LEAST_STEPS, _MOST_STEPS = 50, 1000
_ROUNDS, _STEPS, _MU = 20, 40, 1.0
"""Algorithm 2 takes this many rounds, this many steps of diffusion in each, and this weight of the pairs."""
_SEARCH, _RATE, _LEVELS = 100, 10.0, (0.5, 2.0)
"""Its search for levels takes this many steps of this length, and a level stays in this range."""


@dataclass(frozen=True, kw_only=True)
class PoissonLearning(BaselineOptions):
    """The classes of the pairs as sources and sinks on the source's neighbour graph (Calder et al. 2020, arXiv
    2006.11184).

    The scores u of all rows solve the Poisson equation `L u_i = sum_p (Y_p - mean Y) delta_ip` on the graph, p over the
    paired rows and Y their classes as indicators. Where label spreading is nearly constant with very few pairs, the
    differences of u stay large. Each class's scores are then multiplied by its size over its share of the pairs
    (Algorithm 1). With `volumes`, rounds of diffusion and thresholds follow, whose levels hold the sizes of the classes
    (PoissonMBO, Algorithm 2).

    The sizes are those of the target's classes, as in optimal transport, where the target has labels, and equal
    otherwise. It reads all source rows, but the classes of the paired ones alone. Needs source labels. Parts of the
    graph without a pair keep scores of zero, which give the first class.

    Attributes:
        k: neighbours of each row in the graph, whose weights are `exp(-4 |x_i - x_j|^2 / d_k(x_i)^2)`, d_k the distance
            to the k-th neighbour, symmetrised.
        volumes: whether to hold the sizes of the classes between rounds (PoissonMBO).

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> fitted = PoissonLearning().fit(problem, problem.sample_pairs(0.1, seed=0))
    >>> fitted.accuracy(problem.source.x, problem.source.labels) > 0.7
    True
    """

    name = "poisson-learning"
    needs_labels = True
    title = "Poisson learning"
    summary = "the pairs' classes as sources and sinks on the source's neighbour graph"
    k: int = option(Count(), 10, help="Neighbours of each row in the graph.")
    volumes: bool = option(Flag(), False, help="Hold the sizes of the classes between rounds (PoissonMBO).")

    def fit(self, problem: Problem, pairs: ArrayLike, *, seed: int = 0) -> FittedSpread:
        """Solve for the classes of at least one pair; nothing is random."""
        pairs = self._pairs(problem, pairs, least=1)
        classes, code, targets = paired_classes(problem, pairs, self._fit)
        x, k = problem.source.x, min(self.k, len(problem.source) - 1)
        weights = gaussian_graph(np.asarray(x, np.float64), k)
        sources = np.zeros((len(x), len(classes)))
        indicator = np.eye(len(classes))[code]
        np.add.at(sources, pairs[:, 0], indicator - indicator.mean(0))
        sizes = _class_sizes(problem, classes)
        scores = poisson(weights, sources) * (sizes / indicator.mean(0))
        if self.volumes:
            scores = _hold_sizes(weights, sources, scores, sizes)
        return FittedSpread(
            target=problem.target, classes=classes, targets=targets, scores=scores,
            neighbours=spread_to_new_points(x, scores, k),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PoissonMBO(PoissonLearning):
    """`PoissonLearning` with `volumes`, so that both have a row in the benchmarks.

    >>> PoissonMBO().volumes
    True
    """

    name = "poisson-mbo"
    title = "Poisson learning, sizes held"
    summary = "Poisson learning, with the sizes of the classes held"
    volumes: bool = option(Flag(), True, help="Hold the sizes of the classes between rounds (PoissonMBO).")


def poisson(weights: sparse.csr_array, sources: Float[np.ndarray, "n c"]) -> Float[np.ndarray, "n c"]:
    """The solution of `(D - W) u = sources` whose mean over the rows, weighted by their degrees, is zero.

    By the random walk of Algorithm 1: at least 50 steps, and until a walk from the sources has mixed to 1 / n. In a
    part of the graph where the sources don't sum to zero there is no solution, and u grows with each step, towards the
    part's own classes.
    """
    degree = np.maximum(weights.sum(1), np.finfo(float).tiny)[:, None]
    walk = sparse.csr_array(weights.T / degree.T)
    chance = (np.abs(sources).sum(1, keepdims=True) > 0) * 1.0
    chance /= max(chance.sum(), 1.0)
    _, part = csgraph.connected_components(weights, directed=False)
    mixed = degree * (np.bincount(part, chance[:, 0]) / np.bincount(part, degree[:, 0]))[part][:, None]
    flow, u = sources, np.zeros_like(sources)
    for step in range(_MOST_STEPS):
        u = u + flow / degree  # u_t = D^-1 (1 + P + ... + P^(t-1)) sources, P = W D^-1
        flow, chance = walk @ flow, walk @ chance
        if step >= _LEAST_STEPS and np.abs(chance - mixed).max() <= 1 / len(u):
            break
    return u


def _hold_sizes(weights: sparse.csr_array, sources: np.ndarray, scores: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Rounds of diffusion with the pairs as sources, each followed by a threshold that holds the sizes."""
    degree = weights.sum(1)[:, None]
    step = 1 / degree.max()
    for _ in range(_ROUNDS):
        for _ in range(_STEPS):
            scores = scores - step * (degree * scores - weights @ scores - _MU * sources)
        scores = np.eye(len(sizes))[(scores * _levels(scores, sizes)).argmax(1)]
    return scores


def _levels(scores: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(c,) what to multiply the scores by, so that the classes of the highest scores have their sizes."""
    levels = np.ones(len(sizes))
    for _ in range(_SEARCH):
        shares = np.bincount((scores * levels).argmax(1), minlength=len(sizes)) / len(scores)
        levels = np.clip(levels + _RATE * (sizes - shares), *_LEVELS)
    return levels


def _class_sizes(problem: Problem, classes: np.ndarray) -> np.ndarray:
    """(c,) the shares of the classes among the target rows; equal without target labels, or if one has no row there."""
    labels = problem.target.labels
    if labels is None:
        return np.full(len(classes), 1 / len(classes))
    counts = (labels[:, None] == classes).sum(0)
    return counts / counts.sum() if counts.all() else np.full(len(classes), 1 / len(classes))
