"""The discriminant bridge against a Gaussian process that is written out row by row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

import bridgeviz as bv
from bridgeviz.costs import DiscriminantBridge, SoftPairs, discriminant_bridge
from bridgeviz.costs._gaussian_classes import (
    ALPHAS,
    BETAS,
    SHRINKAGE,
    Variances,
    choose_variances,
    means,
    standardise,
    whiten,
)


def prior(variances, a, b):
    """Covariances of the means of the partners of two lists of rows, entry by entry."""
    return np.array([[variances.alpha * (p @ q) + variances.beta * (p == q).all() for q in b] for p in a])


def classes(seed, *, count=6, rows=15, p=5, noise=0.3):
    """Rows around means that are a linear map of the classes' embeddings, and the classes."""
    rng = np.random.default_rng(seed)
    partners = rng.normal(size=(count, 4))
    label = np.repeat(np.arange(count), rows)
    x = partners[label] @ rng.normal(size=(4, p)) + noise * rng.normal(size=(count * rows, p))
    return x, partners[label], label


def test_means_and_variances_are_those_of_the_gaussian_process():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(9, 3)), standardise(rng.normal(size=(5, 2)))
    variances = Variances(alpha=0.7, beta=0.2, sigma2=0.4)
    pairs = np.array([[0, 0], [1, 0], [2, 1], [3, 3], [4, 3], [5, 3]])
    k = prior(variances, y[pairs[:, 1]], y[pairs[:, 1]]) + 0.4 * np.eye(6)
    cross = prior(variances, y, y[pairs[:, 1]])
    expected = cross @ np.linalg.inv(k) @ z[pairs[:, 0]]
    variance = 0.4 + np.diag(prior(variances, y, y)) - np.diag(cross @ np.linalg.inv(k) @ cross.T)
    mean, spread = means(z, y, pairs, np.ones(6), variances)
    np.testing.assert_allclose(mean, expected, atol=1e-12)
    np.testing.assert_allclose(spread, variance, atol=1e-12)


def test_a_pair_that_counts_twice_is_a_pair_twice():
    rng = np.random.default_rng(1)
    z, y = rng.normal(size=(4, 3)), standardise(rng.normal(size=(3, 2)))
    variances = Variances(alpha=0.5, beta=0.1, sigma2=0.3)
    twice = means(z, y, np.array([[0, 0], [0, 0], [1, 2]]), np.ones(3), variances)
    weighted = means(z, y, np.array([[0, 0], [1, 2]]), np.array([2.0, 1.0]), variances)
    for one, other in zip(twice, weighted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_the_chosen_variances_have_the_largest_evidence():
    rng = np.random.default_rng(2)
    y = standardise(rng.normal(size=(6, 3)))
    at = rng.integers(6, size=20)
    z = 2 * y[at] @ rng.normal(size=(3, 4)) + 0.5 * rng.normal(size=(20, 4))
    chosen = choose_variances(z, y, at)

    def evidence(variances):
        covariance = prior(variances, y[at], y[at]) + variances.sigma2 * np.eye(20)
        return multivariate_normal(np.zeros(20), covariance).logpdf(z.T).sum()

    best = evidence(chosen)
    for alpha in ALPHAS:
        for beta in BETAS:
            for scale in (0.9, 1.0, 1.1):
                sigma2 = scale * chosen.sigma2
                assert evidence(Variances(alpha * sigma2, beta * sigma2, sigma2)) <= best + 1e-9


def test_the_cost_is_the_log_density_that_is_missing_to_the_best_partner():
    x, y, label = classes(3, count=4, rows=6, p=3)
    pairs = np.array([[0, 0], [1, 1], [7, 7], [13, 13]])  # the last class has no pair
    cost = discriminant_bridge(x, y, pairs, metric="sqeuclidean")
    variances = Variances(**{name: cost.facts[name] for name in ("alpha", "beta", "sigma2")})
    z, partners = whiten(x, np.ones(24, int)), standardise(y[::6])
    mean, variance = means(z, partners, np.stack([pairs[:, 0], label[pairs[:, 1]]], axis=1), np.ones(4), variances)
    density = np.stack(
        [multivariate_normal(m, v * np.eye(3)).logpdf(z) for m, v in zip(mean, variance, strict=True)], 1
    )
    np.testing.assert_allclose(cost.on_atoms, density.max(1, keepdims=True) - density, atol=1e-9)
    assert cost.default_epsilon == pytest.approx(0.5 / cost.mean())
    np.testing.assert_allclose(cost.block(np.arange(24), np.arange(24)), cost.dense(), atol=1e-12)


def test_whitened_rows_are_uncorrelated_and_rows_that_occur_twice_count_twice():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(50, 3)) * [5, 1, 0.1] + 100
    z = whiten(x, np.ones(50, int))
    variances = np.linalg.eigvalsh(np.cov(x.T, bias=True))
    np.testing.assert_allclose(
        np.cov(z.T, bias=True), np.diag(variances / (variances + SHRINKAGE * variances.mean())), atol=1e-9
    )
    doubled = whiten(np.concatenate([x, x[:10]]), np.ones(60, int))[:50]
    counted = whiten(x, np.where(np.arange(50) < 10, 2, 1))
    np.testing.assert_allclose(np.abs(counted), np.abs(doubled), atol=1e-9)


def test_a_class_without_a_pair_is_found_through_its_embedding():
    x, y, label = classes(5, count=12, rows=10, noise=0.1)
    pairs = np.stack([np.flatnonzero(np.arange(120) % 10 == 0)] * 2, axis=1)[:10]  # two classes have none
    cost = discriminant_bridge(x, y, pairs, metric="sqeuclidean")
    unseen = label >= 10
    assert np.mean(cost.on_atoms.argmin(1)[unseen] == label[unseen]) > 0.9


def test_one_to_one_it_is_a_linear_regression():
    rng = np.random.default_rng(6)
    y = rng.normal(size=(80, 4))
    x = y @ rng.normal(size=(4, 6)) + 0.01 * rng.normal(size=(80, 6))
    cost = discriminant_bridge(x, y, np.stack([np.arange(20)] * 2, axis=1), metric="sqeuclidean")
    assert np.mean(cost.on_atoms.argmin(1) == np.arange(80)) > 0.95


def test_the_other_direction_is_the_same_cost():
    x, y, _ = classes(7)
    pairs = np.array([[0, 0], [20, 20], [35, 35], [50, 50]])
    there, back = discriminant_bridge(x, y, pairs), discriminant_bridge(y, x, pairs[:, ::-1])
    np.testing.assert_allclose(back.dense(), there.dense().T, atol=1e-12)
    assert back.default_epsilon == pytest.approx(there.default_epsilon)


def test_built_again_on_the_known_pairs_it_is_the_same():
    x, y, _ = classes(8)
    pairs = np.array([[0, 0], [20, 20], [35, 35]])
    cost = discriminant_bridge(x, y, pairs)
    np.testing.assert_array_equal(cost.rebuild(SoftPairs(pairs)).on_atoms, cost.on_atoms)


@given(seed=st.integers(0, 10**6))
def test_a_rotation_and_the_order_of_rows_change_nothing(seed):
    rng = np.random.default_rng(seed)
    x, y, _ = classes(seed, rows=5)
    pairs = np.array([[0, 0], [7, 7], [13, 13], [14, 14]])
    expected = discriminant_bridge(x, y, pairs).dense()
    turn, order = np.linalg.qr(rng.normal(size=(5, 5)))[0], rng.permutation(len(x))
    moved = np.argsort(order)[pairs]
    np.testing.assert_allclose(
        discriminant_bridge((x @ turn)[order], y[order], moved).dense(), expected[np.ix_(order, order)], atol=1e-6
    )


@pytest.mark.parametrize("pairs", [[[0, 0]], [[0, 0], [1, 0]]])
def test_few_pairs_and_flat_spaces_give_a_finite_cost(pairs):
    x = np.zeros((6, 3)) + np.arange(6)[:, None]  # on one line
    cost = discriminant_bridge(x, np.array([[1.0, 2]] * 6), pairs, metric="sqeuclidean")
    assert np.isfinite(cost.on_atoms).all()
    assert (cost.on_atoms >= 0).all()
    assert bv.couplings.linear(cost).converged


def test_wrong_pairs_are_refused_in_its_name():
    with pytest.raises(bv.InputError, match=r"The 'pairs' of discriminant_bridge\(\) must be"):
        DiscriminantBridge().build(np.eye(3), np.eye(3), [])


def test_one_to_one_without_a_relation_held_out_partners_rank_no_better_than_chance():
    ranks = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(80, 4)), rng.normal(size=(80, 3))
        cost = discriminant_bridge(x, y, np.stack([np.arange(40)] * 2, axis=1))
        assert cost.facts["beta"] == 0
        held_out = cost.on_atoms[40:]
        own = held_out[np.arange(40), 40 + np.arange(40)][:, None]
        ranks.append(np.mean((held_out < own) + (held_out == own) / 2))
    assert np.mean(ranks) == pytest.approx(0.5, abs=0.04)
