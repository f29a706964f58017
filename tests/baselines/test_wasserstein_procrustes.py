"""Wasserstein Procrustes on rotations, with and without pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ortho_group

import bridgeviz as bv
from bridgeviz.baselines import WassersteinProcrustes


def turned(n=120, m=120, q=6, noise=0.0):
    """A skewed cloud of n rows, and the first m of them rotated into q dimensions, shifted and stretched."""
    rng = np.random.default_rng(0)
    x = rng.gamma(1.0, size=(n, 4)) * np.arange(1, 5)
    y = 3 * x @ ortho_group.rvs(q, random_state=1)[:4] + np.arange(q)
    y = y[:m] + noise * rng.normal(size=(m, q))
    return bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(m)] * 2, axis=1))


@pytest.mark.parametrize(("m", "pairs"), [(120, 10), (100, 10)])
def test_a_rotation_is_found(m, pairs):
    problem = turned(m=m)
    fitted = WassersteinProcrustes().fit(problem, problem.truth[:pairs])
    assert (fitted.score(problem.source.x)[:m].argmax(1) == np.arange(m)).mean() > 0.95
    np.testing.assert_allclose(fitted.rotation @ fitted.rotation.T, np.eye(4), atol=1e-5)
    assert bv.metrics.foscttm(-fitted.score(problem.source.x), problem.truth[10:]) < 0.01


def test_clusters_are_found_without_pairs():
    """30 tight clusters, which k-means finds on both sides."""
    rng = np.random.default_rng(0)
    x = (rng.gamma(1.0, size=(30, 4)) * np.arange(1, 5)).repeat(5, axis=0) + 0.05 * rng.normal(size=(150, 4))
    problem = bv.Problem(
        bv.Space(x), bv.Space(x @ ortho_group.rvs(4, random_state=1)), truth=np.stack([np.arange(150)] * 2, axis=1)
    )
    fitted = WassersteinProcrustes().fit(problem, [])
    assert bv.metrics.foscttm(-fitted.score(x), problem.truth) < 0.01


def test_points_are_carried_to_where_the_target_rows_are():
    problem = turned(noise=0.1)
    fitted = WassersteinProcrustes(restarts=3).fit(problem, problem.truth[:20])
    reached, there = fitted.transport(problem.source.x), problem.target.x
    centre = there.mean(0)
    cosine = ((reached - centre) * (there - centre)).sum(1)
    cosine /= np.linalg.norm(reached - centre, axis=1) * np.linalg.norm(there - centre, axis=1)
    assert cosine.min() > 0.9
    np.testing.assert_allclose(np.linalg.norm(reached - centre, axis=1), np.linalg.norm(there - centre, axis=1).mean())


def test_batches_and_seeds():
    problem = turned()
    whole = WassersteinProcrustes(rounds=5, restarts=2).fit(problem, problem.truth[:10], seed=3)
    again = WassersteinProcrustes(rounds=5, restarts=2).fit(problem, problem.truth[:10], seed=3)
    np.testing.assert_array_equal(whole.rotation, again.rotation)
    batches = WassersteinProcrustes(rounds=10, restarts=2, batch_size=60).fit(problem, problem.truth[:10], seed=3)
    assert not np.array_equal(batches.rotation, whole.rotation)
    assert (batches.score(problem.source.x).argmax(1) == np.arange(120)).mean() > 0.7


def test_the_known_pairs_weigh_as_much_as_all_assigned_rows(monkeypatch):
    """Round clouds, in which every rotation is as good as any other: the pairs turn even the opposite start round."""
    opposite = -np.eye(3, dtype=np.float32)
    monkeypatch.setattr("bridgeviz.baselines._wasserstein_procrustes.geometric_start", lambda *_, **__: opposite)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 3)), rng.normal(size=(200, 3))
    y[:30] = x[:30]
    problem = bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(200)] * 2, axis=1))
    known = WassersteinProcrustes(restarts=2).fit(problem, problem.truth[:30])
    assert np.trace(known.rotation) > 2.8


def test_wrong_options_are_refused():
    with pytest.raises(bv.InputError, match=r"'centers' of WassersteinProcrustes\(\) must be an integer >= 1"):
        WassersteinProcrustes(centers=0)
