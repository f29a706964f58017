"""KCCA against cca-zoo, and its range and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from cca_zoo.nonparametric import KCCA

from bridgeviz import costs
from bridgeviz.costs import _kcca


def related(seed, n, p, q, noise=0.3):
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, 2))
    x = np.tanh(latent @ rng.normal(size=(2, p))) + noise * rng.normal(size=(n, p))
    return x, latent @ rng.normal(size=(2, q)) + noise * rng.normal(size=(n, q))


@pytest.mark.parametrize("shrinkage", [0.01, 0.1, 0.9])
@pytest.mark.parametrize(("l", "p", "q"), [(12, 3, 4), (60, 5, 2), (40, 2, 8)])
def test_variates_and_correlations_agree_with_cca_zoo(l, p, q, shrinkage):  # noqa: E741
    x, y = related(l, l + 20, p, q)
    pairs = np.stack([np.arange(l)] * 2, axis=1)
    gamma = (0.3, 0.2)
    d = 3
    cost = costs.kcca(x, y, pairs, components=d, shrinkage=shrinkage, gamma=gamma)
    oracle = KCCA(n_components=d, kernel="rbf", gamma=list(gamma), shrinkage=shrinkage).fit([x[:l], y[:l]])
    # MCCA's eigenvalues are 1 + rho for two views; its variates on all rows give the same cosines.
    u, v = oracle.transform([x, y])
    ours_on_pairs = [
        np.corrcoef(a, b)[0, 1] for a, b in zip(*_variates(x, y, pairs, cost, gamma, shrinkage), strict=True)
    ]
    theirs_on_pairs = [np.corrcoef(u[:l, k], v[:l, k])[0, 1] for k in range(d)]
    np.testing.assert_allclose(ours_on_pairs, theirs_on_pairs, atol=1e-6)
    signs = np.sign((cost_variates := _variates(x, y, pairs, cost, gamma, shrinkage))[0] @ u[:l]).diagonal()
    assert np.abs(signs).all()
    scale = np.linalg.norm(np.array(cost_variates[0]), axis=1) / np.linalg.norm(u[:l], axis=0)
    a, b = u * scale, v * scale
    cosine = (a @ b.T) / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(cost.dense(), 1 - cosine, atol=1e-5)


def _variates(x, y, pairs, cost, gamma, shrinkage):
    """The variates of the paired rows, (d, l) per side, from the definition: the dual problem of Hardoon et al."""
    from scipy.linalg import eigh

    l, d = len(pairs), cost.facts["components"]  # noqa: E741
    h = np.eye(l) - 1 / l
    k = [
        h @ np.exp(-g * ((s[rows][:, None] - s[rows][None]) ** 2).sum(-1)) @ h
        for s, rows, g in ((x, pairs[:, 0], gamma[0]), (y, pairs[:, 1], gamma[1]))
    ]
    w = [(1 - shrinkage) * kernel @ kernel / (l - 1) + shrinkage * kernel + 1e-10 * np.eye(l) for kernel in k]
    zero = np.zeros((l, l))
    values, vectors = eigh(
        np.block([[zero, k[0] @ k[1]], [k[1] @ k[0], zero]]) / (l - 1), np.block([[w[0], zero], [zero, w[1]]])
    )
    order = np.argsort(-values)[:d]
    np.testing.assert_allclose(cost.facts["correlations"], values[order], atol=1e-5)
    return [(k[0] @ vectors[:l, order]).T, (k[1] @ vectors[l:, order]).T]


def test_many_pairs_are_approximated_by_landmarks(monkeypatch):
    x, y = related(0, 300, 3, 3, noise=0.05)
    pairs = np.stack([np.arange(200)] * 2, axis=1)
    exact = costs.kcca(x, y, pairs, components=2).dense()
    monkeypatch.setattr(_kcca, "LANDMARKS", 60)
    approximate = costs.kcca(x, y, pairs, components=2).dense()
    assert not np.array_equal(exact, approximate)
    assert np.corrcoef(exact.ravel(), approximate.ravel())[0, 1] > 0.99


def test_range_ranks_and_refusals():
    x, y = related(1, 40, 3, 4)
    pairs = np.stack([np.arange(10)] * 2, axis=1)
    cost = costs.kcca(x, y, pairs)
    assert cost.facts["components"] <= 9
    assert (np.diff(cost.facts["correlations"]) <= 1e-12).all()
    assert cost.dense().min() >= -1e-12
    assert cost.dense().max() <= 2 + 1e-12
    with pytest.raises(ValueError, match="between at least two distinct rows of the target"):
        costs.kcca(x, y[[0] * 40], pairs)
    with pytest.raises(ValueError, match=r"two floats > 0: \(gamma_x, gamma_y\)"):
        costs.kcca(x, y, pairs, gamma=3.0)
    with pytest.raises(ValueError, match=r"'shrinkage' of kcca\(\) must be a float in \(0, 1\]"):
        costs.kcca(x, y, pairs, shrinkage=0.0)
