"""FOSCTTM, recall and the cosine of matched pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import bridgeviz as bv


def by_definition(distances, truth):
    """FOSCTTM as an explicit loop over pairs and candidates."""
    both = []
    for d, pairs in ((distances, truth), (distances.T, truth[:, ::-1])):
        shares = [
            np.mean([(d[i, k] < d[i, j]) + 0.5 * (d[i, k] == d[i, j]) for k in range(d.shape[1]) if k != j])
            for i, j in pairs
        ]
        both.append(np.mean(shares))
    return np.mean(both)


@given(st.integers(0, 10_000), st.integers(2, 9), st.integers(2, 9), st.integers(2, 30))
def test_foscttm_is_the_definition(seed, n, m, values):
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, values, (n, m)).astype(float)
    truth = np.stack([rng.integers(0, n, 5), rng.integers(0, m, 5)], axis=1)
    truth = np.unique(truth, axis=0)
    assert bv.metrics.foscttm(distances, truth) == pytest.approx(by_definition(distances, truth))


@given(st.integers(0, 10_000))
def test_recall_is_that_of_random_tie_breaking(seed):
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 3, (6, 7)).astype(float)
    truth = np.stack([np.arange(6), rng.permutation(7)[:6]], axis=1)
    draws = []
    for _ in range(400):
        broken = distances + 1e-6 * rng.random(distances.shape)
        draws.append(bv.metrics.recall(broken, truth, k=2))
    assert bv.metrics.recall(distances, truth, k=2) == pytest.approx(np.mean(draws), abs=0.06)


def test_a_perfect_match_a_reversed_one_and_chance():
    x = np.random.default_rng(0).normal(size=(60, 5))
    truth = np.stack([np.arange(60)] * 2, axis=1)
    distances = cdist(x, x)
    assert bv.metrics.foscttm(distances, truth) == 0
    assert bv.metrics.foscttm(-distances, truth) == 1
    assert bv.metrics.foscttm(np.ones((60, 60)), truth) == 0.5
    assert bv.metrics.recall(np.ones((60, 60)), truth, k=6) == pytest.approx(0.1)
    assert [bv.metrics.recall(distances, truth, k=k) for k in (1, 10)] == [1, 1]


@pytest.mark.parametrize("merge", [True, False])
def test_a_plan_a_cost_and_their_matrices_agree(merge):
    problem = bv.load("blobs", n=60)
    pairs, truth = problem.truth[:10], problem.truth[10:]
    cost = bv.costs.diffusion_bridge(problem.source.x, problem.target.x, pairs)
    plan = bv.couplings.linear(cost, merge=merge)
    assert bv.metrics.foscttm(cost, truth) == pytest.approx(bv.metrics.foscttm(cost.dense(), truth))
    assert bv.metrics.foscttm(plan, truth) == pytest.approx(bv.metrics.foscttm(-plan.dense(), truth))
    assert bv.metrics.foscttm(plan, truth) < 0.35


def test_rows_of_known_pairs_are_no_candidates():
    """The ranks are those in the matrix without them, and what it says of them changes nothing."""
    rng = np.random.default_rng(0)
    distances, known, truth = rng.random((9, 8)), [[0, 3], [4, 0], [4, 1]], np.array([[1, 2], [8, 7], [5, 4]])
    rows, columns = np.delete(np.arange(9), [0, 4]), np.delete(np.arange(8), [3, 0, 1])
    inside = np.stack([np.searchsorted(rows, truth[:, 0]), np.searchsorted(columns, truth[:, 1])], axis=1)
    expected = bv.metrics.partners(distances[np.ix_(rows, columns)], inside)
    changed = distances.copy()
    changed[[0, 4]], changed[:, [3, 0, 1]] = -1.0, 2.0
    for matrix in (distances, changed):
        found = bv.metrics.partners(matrix, truth, known=known)
        assert (found.foscttm, found.recall(2)) == (expected.foscttm, expected.recall(2))
        assert (found.targets.candidates, found.sources.candidates) == (5, 7)
    assert bv.metrics.foscttm(distances, truth, known=known) == expected.foscttm
    assert bv.metrics.recall(distances, truth, k=2, known=known) == expected.recall(2)


def test_a_row_to_evaluate_is_a_candidate_and_a_last_pair_is_ranked_among_all():
    distances = np.array([[0.1, 0.9, 0.3], [0.2, 0.4, 0.1], [0.5, 0.6, 0.7]])
    assert bv.metrics.partners(distances, [[0, 0]], known=[[0, 1]]).targets.candidates == 2
    every = bv.metrics.partners(distances, [[0, 0]])
    last = bv.metrics.partners(distances, [[0, 0]], known=[[1, 1], [2, 2]])
    assert (last.foscttm, last.targets.candidates) == (every.foscttm, 3)
    with pytest.raises(bv.InputError, match="'known' of partners"):
        bv.metrics.partners(distances, [[0, 0]], known=[[0, 3]])


def test_equal_targets_of_merged_atoms_count_half():
    plan = bv.couplings.linear(bv.costs.cosine([[1.0, 0], [0, 1]], [[1.0, 0], [0, 1], [0, 1]]))
    ranked = bv.metrics.partners(plan, [[0, 0], [1, 1]])
    assert ranked.targets.foscttm == pytest.approx(0.125)  # of the second, one of the two other targets ties


def test_weighted_means_are_those_of_repeated_points():
    """A point of weight 2 counts like a point that is there twice; as candidates, all rows stay as they are."""
    rng = np.random.default_rng(0)
    distances = rng.integers(0, 9, (6, 7)).astype(float)
    truth = np.stack([np.arange(5), rng.permutation(7)[:5]], axis=1)
    a, b = rng.integers(0, 4, 6), rng.integers(0, 4, 7)
    a[0] = b[truth[0, 1]] = 2
    weighted = bv.metrics.partners(distances, truth, weights=(a, b))
    plain = bv.metrics.partners(distances, truth)
    for side, counts in (("targets", a[truth[:, 0]]), ("sources", b[truth[:, 1]])):
        ranks = getattr(plain, side)
        twice = bv.metrics.Ranks(np.repeat(ranks.nearer, counts), np.repeat(ranks.tied, counts), ranks.candidates)
        assert getattr(weighted, side).foscttm == pytest.approx(twice.foscttm)
        assert getattr(weighted, side).recall(2) == pytest.approx(twice.recall(2))
    assert weighted.foscttm == bv.metrics.foscttm(distances, truth, weights=(a, b)) != plain.foscttm
    assert weighted.recall(2) == bv.metrics.recall(distances, truth, k=2, weights=(a, b))
    ends, y = rng.normal(size=(6, 3)), rng.normal(size=(7, 3))
    repeated = np.repeat(np.arange(6), a)
    again = [(row, truth[k, 1]) for row, k in enumerate(repeated) if k < 5]
    expected = bv.metrics.pair_cosine(ends[repeated], y, again)
    assert bv.metrics.pair_cosine(ends, y, truth, weights=a) == pytest.approx(expected)


def test_uniform_weights_change_no_digit():
    rng = np.random.default_rng(1)
    distances, truth = rng.normal(size=(9, 9)), np.stack([np.arange(7), rng.permutation(9)[:7]], axis=1)
    ones = (np.full(9, 0.3), np.full(9, 7.0))
    assert bv.metrics.foscttm(distances, truth, weights=ones) == bv.metrics.foscttm(distances, truth)
    assert bv.metrics.recall(distances, truth, k=3, weights=ones) == bv.metrics.recall(distances, truth, k=3)
    ends = rng.normal(size=(9, 4))
    assert bv.metrics.pair_cosine(ends, ends[::-1], truth, weights=ones[0]) == bv.metrics.pair_cosine(
        ends, ends[::-1], truth
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((np.ones(2), None), "'source weights' of partners.*vector of length 3"),
        ((None, [1, -1, 1]), "'target weights' of partners.*nowhere negative"),
        (([0, 0, 1], None), "positive for some of the pairs' rows on each side"),
    ],
)
def test_wrong_weights_are_refused(weights, message):
    with pytest.raises(bv.InputError, match=message):
        bv.metrics.foscttm(np.ones((3, 3)), [[0, 0], [1, 1]], weights=weights)
    assert bv.metrics.foscttm(np.ones((3, 3)), [[0, 0]], weights=([1, 0, 0], [1, 0, 5])) == 0.5


def test_large_problems_are_evaluated_on_a_sample_in_blocks():
    x = np.random.default_rng(0).normal(size=(5000, 3))
    truth = np.stack([np.arange(5000)] * 2, axis=1)
    cost = bv.costs.bridge(x, x, truth[:4])
    sampled = bv.metrics.partners(cost, truth, most=50)
    assert len(sampled.targets.nearer) == 50
    assert sampled.foscttm == bv.metrics.foscttm(cost, truth, most=50) != bv.metrics.foscttm(cost, truth, most=60)
    assert bv.metrics.foscttm(cost.block(np.arange(300), np.arange(300)), truth[:300]) < 0.5


def test_the_cosine_of_pairs():
    rng = np.random.default_rng(0)
    ends, y = rng.normal(size=(4, 3)), rng.normal(size=(6, 3))
    truth = np.array([[0, 5], [2, 1]])
    expected = 1 - np.array([cdist(ends[[i]], y[[j]], "cosine")[0, 0] for i, j in truth])
    assert bv.metrics.pair_cosine(ends, y, truth) == pytest.approx(expected.mean())
    assert bv.metrics.pair_cosine(np.zeros((2, 3)), y, [[0, 0]]) == 0


@pytest.mark.parametrize(
    ("name", "expected"), [("blobs", True), ("swiss-roll", True), ("digits", False)]
)  # fmt: skip
def test_classes_as_targets_are_no_one_to_one_problem(name, expected):
    problem = bv.load(name)
    assert bv.metrics.is_one_to_one(problem) is expected
    assert not bv.metrics.is_one_to_one(bv.Problem(problem.source, problem.target))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((3, 3)), [[0, 3]]), "truth"),
        ((np.ones((3, 3)), np.zeros((0, 2), int)), "truth"),
        ((np.ones((3, 1)), [[0, 0]]), "at least 2 rows on both sides"),
        ((bv.couplings.local(np.ones((4, 4)), batch_size=2), [[0, 0]]), "local"),
    ],
)
def test_what_has_no_ranks_is_refused(arguments, message):
    with pytest.raises(bv.InputError, match=message):
        bv.metrics.foscttm(*arguments)


def test_a_sparse_plan_of_many_rows_is_ranked_without_all_of_its_entries(monkeypatch):
    """True alignment between very many rows: only the block that is ranked becomes dense."""
    from bridgeviz.couplings import _coupling

    n, dense = 20_000, []
    plan = bv.couplings.true([[k, k] for k in range(50)], shape=(n, n))
    as_dense = _coupling.as_dense

    def watched(entries):
        dense.append(entries.shape[0] * entries.shape[1])
        return as_dense(entries)

    monkeypatch.setattr(_coupling, "as_dense", watched)
    ranked = bv.metrics.partners(plan, [[1, 1], [60, 60]])
    assert ranked.recall(1) == pytest.approx((1 + 1 / n) / 2, rel=0.01)
    assert max(dense) <= 4_000_000
