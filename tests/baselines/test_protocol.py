"""What a fitted baseline offers beyond carried points: scores of matches, and points from scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.baselines import Fitted, FittedRetrieval, Ridge


@dataclass(frozen=True, eq=False, kw_only=True)
class _Table(FittedRetrieval):
    """Scores that are given."""

    table: np.ndarray

    def score(self, x):
        return self.table[: len(x)]


def spaces(n: int = 30) -> bv.Problem:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4))
    y = x @ rng.normal(size=(4, 3)) + 0.1 * rng.normal(size=(n, 3))
    return bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(n)] * 2, axis=1))


def test_scores_are_the_distances_of_transported_points_with_their_sign_turned():
    problem = spaces()
    fitted = Ridge().fit(problem, problem.truth[:20])
    ends, y = fitted.transport(problem.source.x[20:]), problem.target.x
    cosines = np.sum(ends[:, None] * y, axis=2) / np.linalg.norm(ends, axis=1)[:, None] / np.linalg.norm(y, axis=1)
    np.testing.assert_allclose(fitted.score(problem.source.x[20:]), cosines - 1, atol=1e-6)
    flat = bv.Problem(problem.source, bv.Space(y[:, :2]), truth=problem.truth)
    fitted = Ridge().fit(flat, flat.truth[:20])
    squares = ((fitted.transport(flat.source.x)[:, None] - flat.target.x) ** 2).sum(2)
    np.testing.assert_allclose(fitted.score(flat.source.x), -squares, atol=1e-6)


def test_partners_are_ranked_by_score_in_both_directions():
    table = np.array([[3.0, 1.0, 2.0], [5.0, 2.0, 4.0], [0.0, 0.0, 1.0]])
    fitted = _Table(target=bv.Space(np.eye(3)), table=table)
    ranked = fitted.partners(np.zeros((3, 2)), [[0, 0], [1, 1], [2, 2]])
    np.testing.assert_array_equal(ranked.targets.nearer, [0, 2, 0])
    np.testing.assert_array_equal(ranked.sources.nearer, [1, 0, 2])
    assert ranked.foscttm == pytest.approx((2 / 6 + 3 / 6) / 2)


def test_a_retrieval_carries_to_the_highest_score_and_to_the_mean_of_a_tie():
    y = np.array([[1.0, 0.0], [0.0, 1.0], [4.0, 4.0]])
    fitted: Fitted = _Table(target=bv.Space(y, labels=["a", "b", "c"]), table=np.array([[0, 2, 1], [7, 7, -1.0]]))
    np.testing.assert_allclose(fitted.transport(np.zeros((2, 5))), [[0, 1], [0.5, 0.5]])
    assert fitted.predict_labels(np.zeros((1, 5))).tolist() == ["b"]
