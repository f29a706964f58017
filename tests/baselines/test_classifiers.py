"""The baselines that predict classes, against their definitions and on spaces whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.datasets import make_moons

import bridgeviz as bv
from bridgeviz.baselines import LabelSpreading, LogisticRegression, PoissonLearning, PoissonMBO
from bridgeviz.baselines._poisson_learning import poisson
from bridgeviz.baselines._source_graph import gaussian_graph


@pytest.fixture(scope="module")
def moons() -> bv.Problem:
    """Two moons, against one point for each."""
    x, labels = make_moons(300, noise=0.05, random_state=0)
    truth = np.stack([np.arange(300)] * 2, axis=1)
    return bv.Problem(bv.Space(x, labels=labels), bv.Space(np.eye(2)[labels], labels=labels), truth=truth)


@pytest.mark.parametrize("baseline", [LabelSpreading(), PoissonLearning(), PoissonMBO()])
def test_one_pair_per_class_is_enough_where_classes_are_curved_clusters(baseline, moons):
    pairs = moons.sample_pairs(count=2, cover_classes=True, seed=0)
    fitted = baseline.fit(moons, pairs)
    assert fitted.accuracy(moons.source.x, moons.source.labels) > 0.97
    new, labels = make_moons(200, noise=0.05, random_state=1)
    assert fitted.accuracy(new, labels) > 0.97
    np.testing.assert_array_equal(fitted.transport(new), np.eye(2)[fitted.predict_labels(new)])


def test_straight_lines_are_not(moons):
    pairs = moons.sample_pairs(count=2, cover_classes=True, seed=0)
    assert LogisticRegression().fit(moons, pairs).accuracy(moons.source.x, moons.source.labels) < 0.95


def test_logistic_regression_is_the_one_of_scikit_learn(blobs):
    pairs, labels = blobs.sample_pairs(0.1, seed=0), blobs.source.labels
    unit = blobs.source.x / np.linalg.norm(blobs.source.x, axis=1, keepdims=True)
    unit -= unit.mean(0)
    unit /= np.sqrt((unit**2).mean())
    theirs = linear_model.LogisticRegression(C=0.01, max_iter=2000, tol=1e-3).fit(
        unit[pairs.source], labels[pairs.source]
    )
    fitted = LogisticRegression(c=0.01).fit(blobs, pairs)
    np.testing.assert_array_equal(fitted.predict_labels(blobs.source.x), theirs.predict(unit))


def test_the_penalty_is_chosen_by_cross_validation_where_every_class_has_three_pairs(blobs):
    chosen = LogisticRegression().fit(blobs, blobs.sample_pairs(0.5, seed=0)).model
    assert chosen.best_params_["C"] in (0.01, 0.1, 1.0, 10.0)
    few = LogisticRegression().fit(blobs, blobs.sample_pairs(count=6, cover_classes=True, seed=0)).model
    assert few.C == 1.0


def test_label_spreading_solves_its_equation(moons):
    fitted = LabelSpreading(k=5, alpha=0.5).fit(moons, moons.truth[:8])
    w = gaussian_graph(moons.source.x, 5).toarray()
    degree = w.sum(1)
    known = np.zeros((300, 2))
    known[np.arange(8), moons.source.labels[:8]] = 1
    scores = np.linalg.solve(np.eye(300) - 0.5 * w / np.sqrt(np.outer(degree, degree)), 0.5 * known)
    shares = scores / scores.sum(1, keepdims=True)
    np.testing.assert_allclose(fitted.scores, shares, atol=1e-6)


def connected(n: int = 40) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 2))


def test_poisson_learning_solves_the_poisson_equation():
    w = gaussian_graph(connected(), 8)
    dense = w.toarray()
    degree = dense.sum(1)
    sources = np.zeros((40, 3))
    sources[[0, 7, 9]] = np.eye(3) - 1 / 3
    u = np.linalg.pinv(np.diag(degree) - dense) @ sources
    u -= degree @ u / degree.sum()
    ours = poisson(w, sources)
    assert np.corrcoef(ours.ravel(), u.ravel())[0, 1] > 0.995
    assert (ours.argmax(1) == u.argmax(1)).mean() >= 0.95


def test_the_graph_has_self_tuned_weights_and_is_symmetric():
    x = connected(12)
    w = gaussian_graph(x, 3).toarray()
    distance = np.sqrt(((x[:, None] - x) ** 2).sum(2))
    order = np.argsort(distance, axis=1)[:, 1:4]
    expected = np.zeros((12, 12))
    for i, near in enumerate(order):
        expected[i, near] = np.exp(-4 * (distance[i, near] / distance[i, near[-1]]) ** 2)
    np.testing.assert_allclose(w, (expected + expected.T) / 2, atol=1e-12)


def test_parts_of_the_graph_take_the_class_of_their_own_pair():
    x = np.concatenate([connected(30), connected(30) + 100])
    labels = np.repeat([0, 1], 30)
    problem = bv.Problem(bv.Space(x, labels=labels), bv.Space(np.eye(2)[labels], labels=labels))
    for baseline in (PoissonLearning(k=4), PoissonMBO(k=4), LabelSpreading(k=4)):
        assert baseline.fit(problem, [[0, 0], [40, 40]]).accuracy(x, labels) == 1


def test_held_sizes_are_those_of_the_target():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(90, 2)), rng.normal(size=(30, 2), loc=(2, 0))])
    labels = np.repeat([0, 1], [90, 30])
    problem = bv.Problem(bv.Space(x, labels=labels), bv.Space(np.eye(2)[labels], labels=labels))
    pairs = [[0, 0], [110, 110]]
    held = PoissonMBO().fit(problem, pairs).predict_labels(x)
    assert abs((held == 1).sum() - 30) <= 5
    free = PoissonLearning().fit(problem, pairs).predict_labels(x)
    assert abs((held == 1).sum() - 30) < abs((free == 1).sum() - 30)
    unlabelled = bv.Problem(problem.source, bv.Space(problem.target.x))
    assert abs((PoissonMBO().fit(unlabelled, pairs).predict_labels(x) == 1).sum() - 60) <= 15


def test_rows_that_coincide_make_a_graph_all_the_same():
    x = np.repeat(connected(10), 4, axis=0)
    labels = np.repeat(np.arange(10) % 2, 4)
    problem = bv.Problem(bv.Space(x, labels=labels), bv.Space(np.eye(2)[labels], labels=labels))
    for baseline in (PoissonLearning(k=3), PoissonMBO(k=3), LabelSpreading(k=3)):
        assert np.isfinite(baseline.fit(problem, [[0, 0], [4, 4]]).scores).all()


@pytest.mark.parametrize("baseline", [LogisticRegression(), LabelSpreading(), PoissonLearning()])
def test_classes_are_needed_and_for_a_regression_two_of_them(baseline, moons):
    unlabelled = bv.Problem(bv.Space(moons.source.x), moons.target)
    with pytest.raises(bv.InputError, match=r"\.fit\(\) needs labels of the source rows"):
        baseline.fit(unlabelled, moons.truth[:8])
    one_class = moons.truth[moons.source.labels == 1][:5]
    if isinstance(baseline, LogisticRegression):
        with pytest.raises(bv.InputError, match=r"needs pairs of at least two classes\. Got 1 only"):
            baseline.fit(moons, one_class)
    else:
        assert (baseline.fit(moons, one_class).predict_labels(moons.source.x) == 1).all()


def test_a_row_may_not_take_all_of_its_score_from_its_neighbours():
    with pytest.raises(bv.InputError, match=r"'alpha' of LabelSpreading\(\) must be a float in \(0, 1\)"):
        LabelSpreading(alpha=1.0)
