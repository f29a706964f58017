"""The baselines that map or compare rows, against their definitions and on spaces whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from sklearn import cross_decomposition

import bridgeviz as bv
from bridgeviz.baselines import ASIF, BASELINES, CCA, KernelCCA, NearestPair, Procrustes, RelativeRepresentations


def problem_of(x, y) -> bv.Problem:
    return bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(len(x))] * 2, axis=1))


def rotated(n=80, d=6, noise=0.0) -> tuple[bv.Problem, np.ndarray]:
    """A space, and its copy turned, doubled, shifted and noised; and the rotation."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, d)) * np.arange(1, d + 1)
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return problem_of(x, 2 * x @ turn + 5 + noise * rng.normal(size=x.shape)), turn


@pytest.mark.parametrize("name", ["ridge", "procrustes", "cca", "kcca"])
def test_a_rotation_is_found_again_and_no_relation_is_chance(name):
    problem, _ = rotated()
    held_out = problem.truth[40:]
    assert BASELINES[name]().fit(problem, problem.truth[:40]).partners(problem.source.x, held_out).foscttm < 0.05
    unrelated = problem_of(problem.source.x, np.random.default_rng(1).normal(size=(80, 5)))
    ranked = BASELINES[name]().fit(unrelated, unrelated.truth[:40]).partners(unrelated.source.x, held_out)
    assert ranked.foscttm == pytest.approx(0.5, abs=0.12)


def test_procrustes_is_the_one_of_scipy():
    problem, turn = rotated(noise=0.1)
    x, y = problem.source.x[:30], problem.target.x[:30]
    fitted = Procrustes().fit(problem, problem.truth[:30])
    r, total = orthogonal_procrustes(x - x.mean(0), y - y.mean(0))
    np.testing.assert_allclose(fitted.rotation, r, atol=1e-8)
    assert fitted.scale == pytest.approx(total / ((x - x.mean(0)) ** 2).sum())
    np.testing.assert_allclose(fitted.transport(problem.source.x), problem.target.x, atol=1.0)
    np.testing.assert_allclose(fitted.rotation, turn, atol=0.05)


def test_procrustes_from_fewer_pairs_than_dimensions_maps_what_they_span_and_nothing_else():
    problem, turn = rotated()
    fitted = Procrustes().fit(problem, problem.truth[:3])
    assert np.linalg.matrix_rank(fitted.rotation) == 2
    np.testing.assert_allclose(fitted.transport(problem.source.x[:3]), problem.target.x[:3], atol=1e-8)
    span = problem.source.x[1:3] - problem.source.x[0]
    np.testing.assert_allclose(span @ fitted.rotation, span @ turn, atol=1e-8)
    same = problem_of(problem.source.x, np.ones((80, 2)) * [1, 2])
    np.testing.assert_allclose(Procrustes().fit(same, same.truth[:5]).transport(same.source.x), same.target.x)


def test_cca_without_shrinkage_is_the_one_of_scikit_learn():
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(60, 2))
    x, y = (latent @ rng.normal(size=(2, d)) + 0.3 * rng.normal(size=(60, d)) for d in (4, 3))
    problem = problem_of(x, y)
    fitted = CCA(components=2, shrinkage=0).fit(problem, problem.truth)
    u, v = cross_decomposition.CCA(n_components=2, tol=1e-12, max_iter=5000).fit(x, y).transform(x, y)
    np.testing.assert_allclose(
        fitted.joint.correlations, [np.corrcoef(u[:, k], v[:, k])[0, 1] for k in range(2)], atol=1e-6
    )
    u, v = u / u.std(0), v / v.std(0)  # of all the same variance, as ours
    cosines = (u @ v.T) / np.linalg.norm(u, axis=1)[:, None] / np.linalg.norm(v, axis=1)
    np.testing.assert_allclose(fitted.score(x), cosines, atol=1e-4)


def test_shrinkage_keeps_a_few_pairs_from_correlating_perfectly():
    problem, _ = rotated(d=30)
    few = problem.truth[:10]
    assert CCA(shrinkage=0).fit(problem, few).joint.correlations.min() > 0.999
    assert CCA().fit(problem, few).joint.correlations.min() < 0.9


def test_kcca_scores_new_points_as_the_cost_would():
    problem, _ = rotated(noise=0.2)
    known = bv.Problem(problem.source.take(np.arange(50)), problem.target, truth=problem.truth[:50])
    fitted = KernelCCA(shrinkage=0.5).fit(known, known.truth[:30])
    cost = bv.costs.kcca(problem.source.x, problem.target.x, problem.truth[:30], shrinkage=0.5)
    np.testing.assert_allclose(1 - fitted.score(problem.source.x[50:]), cost.dense()[50:], atol=1e-8)


def test_relative_representations_are_cosines_with_the_pairs_and_survive_a_rotation():
    rng = np.random.default_rng(0)
    x, turn = rng.normal(size=(40, 4)), np.linalg.qr(rng.normal(size=(4, 4)))[0]
    problem = problem_of(x, 3 * x @ turn)
    fitted = RelativeRepresentations().fit(problem, problem.truth[:8])
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    relative = unit @ unit[:8].T
    relative /= np.linalg.norm(relative, axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.score(x), relative @ relative.T, atol=1e-8)
    np.testing.assert_allclose(fitted.transport(x), problem.target.x, atol=1e-8)
    np.testing.assert_allclose(fitted.score(np.zeros((1, 4))), 0)


def test_asif_keeps_the_largest_cosines_and_raises_them_to_a_power():
    x = np.eye(3) + 0.1
    problem = problem_of(x, np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    fitted = ASIF(k=2, power=3.0).fit(problem, problem.truth)
    point = np.array([0.9, 0.5, 0.1])
    cosines = x @ point / np.linalg.norm(x, axis=1) / np.linalg.norm(point)
    kept = np.where(cosines >= np.sort(cosines)[1], cosines, 0) ** 3
    np.testing.assert_allclose(fitted.score([point]), [kept / np.linalg.norm(kept)], atol=1e-12)  # y's own are axes
    assert ASIF(k=800, power=1.0).fit(problem, problem.truth).score([point])[0].min() > 0


def test_one_neighbour_returns_the_partner_of_the_nearest_pair():
    problem, _ = rotated()
    fitted = NearestPair().fit(problem, problem.truth[:10])
    nearest = ((problem.source.x[:, None] - problem.source.x[:10]) ** 2).sum(2).argmin(1)
    np.testing.assert_array_equal(fitted.transport(problem.source.x), problem.target.x[nearest])
    assert NearestPair().fit(problem, [[3, 5]]).transport(problem.source.x[:1]).tolist() == [
        problem.target.x[5].tolist()
    ]


@pytest.mark.parametrize("name", BASELINES)
def test_points_with_a_hole_and_other_spaces_are_refused(name, blobs):
    fitted = BASELINES[name]().fit(blobs, blobs.sample_pairs(0.2, seed=0))
    broken = blobs.source.x[:3].copy()
    broken[1, 2] = np.nan
    for method in (fitted.transport, fitted.score):
        with pytest.raises(bv.InputError, match=r"'x' of \w+\(\) must be finite"):
            method(broken)
        with pytest.raises(bv.InputError, match=r"'x' of \w+\(\) must be a real matrix"):
            method("x")
