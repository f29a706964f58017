"""Every number against a second, slower computation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import confusion_matrix

import bridgeviz as bv
from bridgeviz import metrics
from bridgeviz.metrics._matching import between_classes


def plans(spaces):
    x, y, _ = spaces(0, 30, 24, 3, 4, 1)
    x[20:], y[6:] = x[:10], y[np.arange(18) % 6]
    cost = bv.costs.bridge(x, y, [[0, 0], [3, 1], [5, 2]])
    return {
        "merged": bv.couplings.linear(cost, epsilon=0.2),
        "unbalanced": bv.couplings.linear(cost, epsilon=0.2, tau=(0.9, 0.8)),
        "true": bv.couplings.true([[0, 3], [2, 1], [7, 3]], shape=(30, 24)),
    }


def test_a_plan_on_a_few_rows_is_right_by_mass_and_not_over_all_rows():
    problem = bv.load("blobs", n=120, overlap=0.3)
    labels = problem.source.labels, problem.target.labels
    cost = bv.costs.bridge(problem.source.x, problem.target.x, problem.sample_pairs(0.1))
    plan = bv.couplings.linear(cost, epsilon=0.005, tau=(0.1, 0.1))
    rows = metrics.rows_with_mass(plan, *labels)
    assert metrics.matching_accuracy(plan, *labels) > 0.99
    assert max(rows.source, rows.agreement) < 0.2
    even = bv.couplings.linear(cost, epsilon=0.005)
    rows = metrics.rows_with_mass(even, *labels)
    assert rows[:2] == (1.0, 1.0)
    assert rows.agreement == pytest.approx(metrics.matching_accuracy(even, *labels), abs=2e-3)


def test_rows_with_mass_of_a_local_plan_are_estimated():
    problem = bv.load("blobs", n=120, overlap=0.3)
    labels = problem.source.labels, problem.target.labels
    cost = bv.costs.bridge(problem.source.x, problem.target.x, problem.sample_pairs(0.1))
    rows = metrics.rows_with_mass(bv.couplings.local(cost, batch_size=64), *labels)
    assert rows[:2] == pytest.approx((1.0, 1.0), abs=0.02)
    assert rows.agreement == pytest.approx(
        metrics.matching_accuracy(bv.couplings.local(cost, batch_size=64), *labels), abs=0.05
    )
    few = metrics.rows_with_mass(bv.couplings.local(cost, batch_size=64, tau=(0.1, 0.1)), *labels)
    assert few.source < 0.9


@pytest.mark.parametrize("kind", ["merged", "unbalanced", "true"])
@pytest.mark.parametrize("names", [np.arange(4), np.array(["ant", "bee", "cat", "dog"])])
def test_matching_accuracy_against_loops(kind, names, spaces):
    plan = plans(spaces)[kind]
    rng = np.random.default_rng(1)
    source, target = names[rng.integers(0, 4, 30)], names[rng.integers(0, 3, 24)]
    dense, matched = plan.dense(), 0.0
    for i in range(30):
        for j in range(24):
            matched += dense[i, j] * (source[i] == target[j])
    exact = metrics.matching_accuracy(plan, source, target)
    assert exact == pytest.approx(matched / dense.sum(), abs=1e-12)
    assert metrics.matching_accuracy(plan, source, target, samples=20_000) == pytest.approx(exact, abs=0.015)
    rows = metrics.rows_with_mass(plan, source, target)
    mass, own = dense.sum(1), (dense * (source[:, None] == target)).sum(1)
    carrying = mass > 0.01 * mass.mean()
    assert rows.source == pytest.approx(carrying.mean())
    assert rows.target == pytest.approx((dense.sum(0) > 0.01 * dense.sum(0).mean()).mean())
    assert rows.agreement == pytest.approx(sum(own[i] / mass[i] for i in np.flatnonzero(carrying)) / 30, abs=1e-12)
    classes = np.union1d(source, target)
    np.testing.assert_allclose(rows.source_groups, [carrying[source == c].mean() for c in classes])
    between, classes = metrics.class_plan(plan, source, target)
    for a, label in enumerate(classes):
        mass = np.array([dense[np.ix_(source == label, target == other)].sum() for other in classes])
        np.testing.assert_allclose(between[a], mass / mass.sum() if mass.sum() else 0, atol=1e-12)
    np.testing.assert_array_equal(between_classes(plan, source, target)[0], between)


def overlap_by_loops(x, labels, k):
    """Eq. 21: the share of the k nearest neighbours that carry another label."""
    d = cdist(x, x)
    shares = []
    for i in range(len(x)):
        nearest = [j for j in np.argsort(d[i], kind="stable") if j != i][:k]
        shares.append(sum(labels[j] != labels[i] for j in nearest) / k)
    return np.array(shares)


@pytest.mark.parametrize(("n", "k"), [(5, 1), (40, 15), (40, 39)])
def test_overlap_against_loops(n, k):
    rng = np.random.default_rng(n)
    x, labels = rng.normal(size=(n, 3)), np.arange(n) % 3
    theirs = overlap_by_loops(x, labels, k)
    np.testing.assert_allclose(metrics.point_overlap(x, labels, k=k), theirs, atol=1e-12)
    assert metrics.feature_overlap(x, labels, k=k) == pytest.approx(theirs.mean())


@pytest.mark.parametrize("batch_size", [5000, 40])
def test_the_overlap_weighs_rows_and_uniform_weights_change_no_digit(batch_size):
    rng = np.random.default_rng(0)
    x, labels, counts = rng.normal(size=(90, 3)), rng.integers(0, 3, 90), rng.integers(0, 4, 90)
    options = {"k": 5, "batch_size": batch_size, "batches": 2, "seed": 3}
    plain = metrics.feature_overlap(x, labels, **options)
    assert metrics.feature_overlap(x, labels, weights=np.full(90, 0.7), **options) == plain
    rng = np.random.default_rng(3)
    batches = [np.arange(90)] if batch_size > 90 else [rng.choice(90, 40, replace=False) for _ in range(2)]
    repeated = [np.repeat(overlap_by_loops(x[rows], labels[rows], 5), counts[rows]) for rows in batches]
    weighted = metrics.feature_overlap(x, labels, weights=counts, **options)
    assert weighted == pytest.approx(np.concatenate(repeated).mean()) != pytest.approx(plain)
    near = metrics.neighbourhood(x, labels, k=5, weights=counts)
    assert near.mean == pytest.approx(metrics.feature_overlap(x, labels, k=5, weights=counts))
    others = [np.mean(np.delete(labels, row) != labels[row]) for row in range(90)]
    assert near.chance == pytest.approx(np.repeat(others, counts).mean())


def test_points_of_which_none_weighs_anything_have_no_overlap():
    x, labels = np.arange(60.0)[:, None], np.arange(60) % 2
    with pytest.raises(bv.InputError, match="positive for a point of the batches"):
        metrics.feature_overlap(x, labels, k=3, batch_size=5, batches=1, seed=0, weights=np.arange(60) == 7)


def test_overlap_in_batches_and_at_both_extremes():
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 4
    mixed = rng.normal(size=(400, 3))
    apart = mixed + 100 * labels[:, None]
    assert metrics.feature_overlap(apart, labels) == 0
    assert metrics.feature_overlap(mixed, labels) == pytest.approx(0.75, abs=0.05)
    batched = metrics.feature_overlap(mixed, labels, batch_size=200, batches=3, seed=1)
    assert batched == metrics.feature_overlap(mixed, labels, batch_size=200, batches=3, seed=1)
    assert batched != metrics.feature_overlap(mixed, labels, batch_size=200, batches=3, seed=2)
    rng = np.random.default_rng(1)
    rows = [rng.choice(400, 200, replace=False) for _ in range(3)]
    expected = np.mean([overlap_by_loops(mixed[r], labels[r], 15).mean() for r in rows])
    assert batched == pytest.approx(expected)


def test_classwise_mse_against_loops():
    rng = np.random.default_rng(0)
    images, decoded = rng.random((30, 5, 4)), rng.random((21, 5, 4))
    labels, decoded_labels = np.arange(30) % 3, np.arange(21) % 3
    errors = []
    for c in range(3):  # Eq. 22-23: the class means; Eq. 24: their mean squared difference
        real = sum(images[i] for i in range(30) if labels[i] == c) / 10
        ours = sum(decoded[i] for i in range(21) if decoded_labels[i] == c) / 7
        errors.append(sum((real[a, b] - ours[a, b]) ** 2 for a in range(5) for b in range(4)) / 20)
    assert metrics.classwise_mse(images, labels, decoded, decoded_labels) == pytest.approx(sum(errors) / 3)
    assert metrics.classwise_mse(images, labels, images, labels) == 0


def test_confusion_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    for names in (np.arange(4), np.array(list("abcd"))):
        labels, predicted = names[rng.integers(0, 4, 60)], names[rng.integers(0, 3, 60)]
        np.testing.assert_array_equal(metrics.confusion(labels, predicted), confusion_matrix(labels, predicted))
        np.testing.assert_array_equal(
            metrics.confusion(labels, predicted, classes=names), confusion_matrix(labels, predicted, labels=names)
        )


@pytest.mark.parametrize(("q", "distance"), [(4, "cosine"), (2, "sqeuclidean")])
def test_labels_of_the_nearest_row(q, distance):
    """Eq. 25 by cosine distance, and by Euclidean distance in the plane, where angles carry little information."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, q)), 3 * rng.normal(size=(1500, q))
    space = bv.Space(x, labels=np.array(list("abcde"))[np.arange(50) % 5])
    nearest = cdist(y, x, distance).argmin(1)
    np.testing.assert_array_equal(metrics.predict_labels(space, y), space.labels[nearest])
    accuracy = metrics.downstream_accuracy(space, y, space.labels[nearest])
    assert accuracy == 1.0
    half = np.where(np.arange(1500) % 2, space.labels[nearest], "z")
    assert metrics.downstream_accuracy(space, y, half) == 0.5


def test_a_zero_point_is_classified_by_euclidean_distance():
    space = bv.Space([[0.0, 0.0, 1.0], [9.0, 9.0, 9.0]], labels=["a", "b"])
    np.testing.assert_array_equal(metrics.predict_labels(space, [[0.0, 0.0, 0.0]]), ["a"])


def test_the_class_of_a_point_does_not_depend_on_the_other_points():
    rng = np.random.default_rng(0)
    space = bv.Space(rng.normal(size=(40, 3)), labels=np.arange(40) % 4)
    y = rng.normal(size=(50, 3)) * np.geomspace(1e-3, 1e3, 50)[:, None]
    y[7] = 0
    alone = np.concatenate([metrics.predict_labels(space, y[i : i + 1]) for i in range(50)])
    np.testing.assert_array_equal(metrics.predict_labels(space, y), alone)


def test_a_decoder_takes_precedence_over_the_nearest_row():
    space = bv.Space(np.eye(3), labels=["a", "b", "c"], decode_labels=lambda z: np.roll(z, 1, axis=1))
    np.testing.assert_array_equal(metrics.predict_labels(space, np.eye(3)), ["b", "c", "a"])
    plain = replace(space, decode_labels=None)
    np.testing.assert_array_equal(metrics.predict_labels(plain, np.eye(3)), ["a", "b", "c"])


def test_the_decoder_knows_all_classes_even_if_a_subset_lacks_some():
    space = bv.Space(np.eye(4), labels=["a", "b", "c", "d"], decode_labels=lambda z: z)
    part = space.take([0, 3])
    np.testing.assert_array_equal(metrics.predict_labels(part, np.eye(4)), ["a", "b", "c", "d"])
