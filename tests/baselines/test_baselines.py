"""The baselines against scikit-learn, and the protocol that they share."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.linear_model import RidgeCV
from sklearn.neighbors import NearestCentroid

import bridgeviz as bv
from bridgeviz.baselines import BASELINES, NearestClassMean, Ridge


@pytest.fixture(scope="module")
def pairs(blobs):
    return blobs.sample_pairs(0.1, seed=0)


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_carries_new_points_to_the_target_space(name, blobs, pairs):
    baseline = BASELINES[name]()
    assert baseline.name == name
    assert baseline.summary
    fitted = baseline.fit(blobs, pairs, seed=1)
    x = blobs.source.x[:7]
    moved = fitted.transport(x)
    assert moved.shape == (7, blobs.target.x.shape[1])
    assert np.isfinite(moved).all()
    assert fitted.predict_labels(x).shape == (7,)
    accuracy = fitted.accuracy(blobs.source.x, blobs.source.labels)
    assert accuracy == np.mean(fitted.predict_labels(blobs.source.x) == blobs.source.labels)
    assert accuracy > 0.8
    with pytest.raises(bv.InputError, match=r"'x' of transport\(\) must be a matrix with 8 columns"):
        fitted.transport(x[:, :3])
    with pytest.raises(bv.InputError, match=r"'labels' of accuracy\(\) must be numbers"):
        fitted.accuracy(x, ["a", "b"] * 3 + ["a"])


@pytest.mark.parametrize("name", BASELINES)
def test_wrong_pairs_are_refused_by_name(name, blobs):
    baseline = BASELINES[name]()
    fit = f"{type(baseline).__name__}.fit"
    if baseline.needs_pairs:
        with pytest.raises(bv.InputError, match=rf"'pairs' of {fit}\(\) must be at least"):
            baseline.fit(blobs, [])
    with pytest.raises(bv.InputError, match=rf"'pairs' of {fit}\(\) must be row numbers"):
        baseline.fit(blobs, [[0, 0], [5000, 1]])
    with pytest.raises(bv.InputError, match=rf"'problem' of {fit}\(\) must be a Problem"):
        baseline.fit("blobs", [[0, 0], [1, 1]])


def test_the_nearest_class_mean_is_the_one_of_scikit_learn(blobs):
    x, labels, pairs = blobs.source.x, blobs.source.labels, blobs.sample_pairs(0.1, seed=0)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    theirs = NearestCentroid().fit(unit[pairs.source], labels[pairs.source]).predict(unit)
    fitted = NearestClassMean().fit(blobs, pairs)
    assert fitted.accuracy(x, labels) == pytest.approx((theirs == labels).mean())
    np.testing.assert_array_equal(fitted.predict_labels(x), theirs)


def test_the_nearest_class_mean_carries_to_the_mean_of_the_paired_targets(blobs, pairs):
    fitted = NearestClassMean().fit(blobs, pairs)
    label = fitted.predict_labels(blobs.source.x[:1])[0]
    partners = pairs.target[blobs.source.labels[pairs.source] == label]
    np.testing.assert_allclose(fitted.transport(blobs.source.x[:1])[0], blobs.target.x[partners].mean(0), rtol=1e-6)


def test_the_nearest_class_mean_needs_source_labels_and_rows_with_a_direction(blobs, pairs):
    unlabelled = bv.Problem(bv.Space(blobs.source.x), blobs.target, truth=blobs.truth)
    with pytest.raises(bv.InputError, match="needs labels of the source rows"):
        NearestClassMean().fit(unlabelled, pairs)
    fitted = NearestClassMean().fit(blobs, pairs)
    with pytest.raises(bv.InputError, match=r"'x' of transport\(\) must be free of rows of length zero.*row 1 "):
        fitted.transport(np.stack([blobs.source.x[0], np.zeros_like(blobs.source.x[0])]))


def test_ridge_is_the_one_of_scikit_learn(blobs, pairs):
    x, y = blobs.source.x, blobs.target.x
    theirs = RidgeCV(alphas=10.0 ** np.arange(-2, 6)).fit(x[pairs.source], y[pairs.target])
    fitted = Ridge().fit(blobs, pairs)
    np.testing.assert_array_equal(fitted.transport(x), theirs.predict(x))
    assert fitted.accuracy(x, blobs.source.labels) == bv.metrics.downstream_accuracy(
        blobs.target, theirs.predict(x), blobs.source.labels
    )
    fixed = SklearnRidge(alpha=3.0).fit(x[pairs.source], y[pairs.target])
    np.testing.assert_array_equal(Ridge(alpha=3).fit(blobs, pairs).transport(x), fixed.predict(x))


def test_ridge_recovers_a_linear_map():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(200, 5)), rng.normal(size=(5, 3))
    problem = bv.Problem(bv.Space(x), bv.Space(x @ w + 2), truth=np.stack([np.arange(200)] * 2, axis=1))
    fitted = Ridge().fit(problem, problem.sample_pairs(count=50, seed=0))
    np.testing.assert_allclose(fitted.transport(x), problem.target.x, atol=5e-3)
    with pytest.raises(bv.InputError, match="needs a target space with labels"):
        fitted.predict_labels(x)


@pytest.mark.parametrize("alpha", [0, -1.0, "1"])
def test_the_penalty_of_ridge_is_checked(alpha):
    with pytest.raises(bv.InputError, match=r"'alpha' of Ridge\(\) must be a float > 0"):
        Ridge(alpha=alpha)


@pytest.mark.parametrize(("fraction", "accuracy"), [(0.01, 0.7815), (0.1, 0.8553)])
def test_the_nearest_class_mean_on_mnist(fraction, accuracy):
    """The numbers of data/benchmarks/costs.csv at seed 0."""
    problem = bv.load("mnist")
    fitted = NearestClassMean().fit(problem, problem.sample_pairs(fraction, seed=0))
    assert round(fitted.accuracy(problem.source.x, problem.source.labels), 4) == accuracy
