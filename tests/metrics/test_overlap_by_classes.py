"""Feature overlap by the number of classes, the classes that overlap most, and figure 5."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bridgeviz as bv
from bridgeviz.experiments.benchmarks._overlap import OverlapFigure, of_classes
from bridgeviz.metrics import most_overlapping, overlap_by_classes
from bridgeviz.metrics._overlap_by_classes import choose_classes


def line_of_classes(per_class: int = 12, classes: int = 8):
    """Gaussian classes at 0, 1, ..., of which the last two are the same."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), per_class)
    centres = np.minimum(labels, classes - 2).astype(float)
    return np.stack([centres, 0 * centres], 1) + 0.25 * rng.normal(size=(len(labels), 2)), labels


def test_the_overlap_is_that_of_the_chosen_classes_alone():
    x, labels = line_of_classes()
    result = overlap_by_classes(x, labels, [2, 5, 8], k=5, repeats=4, seed=3)
    assert result.overlaps.shape == (3, 4)
    for row, count in enumerate((2, 5, 8)):
        for repeat in range(4):
            rows = np.isin(labels, choose_classes(np.arange(8), count, seed=3 + repeat))
            distance = ((x[rows][:, None] - x[rows][None]) ** 2).sum(-1)
            np.fill_diagonal(distance, np.inf)
            near = np.argsort(distance, axis=1)[:, :5]
            expected = (labels[rows][near] != labels[rows][:, None]).mean()
            assert result.overlaps[row, repeat] == pytest.approx(expected)
    np.testing.assert_allclose(result.mean, result.overlaps.mean(1))
    assert np.ptp(result.overlaps[2]) == 0  # there is one choice of all classes
    assert len(np.unique(result.overlaps[0])) > 1


def test_a_larger_choice_contains_the_smaller_one():
    classes = np.array(["d", "a", "c", "b"])
    for seed in range(5):
        assert set(choose_classes(classes, 2, seed=seed)) < set(choose_classes(classes, 3, seed=seed))
    assert len({tuple(choose_classes(classes, 2, seed=seed)) for seed in range(20)}) > 3


def test_the_classes_that_overlap_most_come_first_with_what_they_overlap():
    x, labels = line_of_classes()
    names = np.array(list("abcdefgh"))[labels]
    worst = most_overlapping(x, names, top=3, k=5)
    assert {worst[0].label, worst[1].label} == {"g", "h"}  # the two that are the same
    assert {worst[0].other, worst[1].other} == {"g", "h"}
    assert worst[0].overlap >= worst[1].overlap > worst[2].overlap
    for one in worst:
        rows = np.flatnonzero(names == one.label)
        distance = ((x[rows][:, None] - x[None]) ** 2).sum(-1)
        distance[np.arange(len(rows)), rows] = np.inf
        near = names[np.argsort(distance, axis=1)[:, :5]]
        assert one.overlap == pytest.approx((near != one.label).mean())
        assert one.share == pytest.approx((near == one.other).mean())
        assert one.share == max((near == other).mean() for other in set(names) - {one.label})
    assert len(most_overlapping(x, labels, top=99)) == 8


def test_wrong_arguments_are_refused():
    x, labels = line_of_classes()
    with pytest.raises(
        bv.InputError, match=r"'counts' of overlap_by_classes\(\) must be an integer from 2 to 8. Got 9"
    ):
        overlap_by_classes(x, labels, [9])
    with pytest.raises(bv.InputError, match=r"'top' of most_overlapping\(\) must be an integer >= 1. Got 0"):
        most_overlapping(x, labels, top=0)


def test_a_problem_is_restricted_to_some_classes():
    problem = bv.load("blobs", n=60, classes=4)
    part = of_classes(problem, np.array([1, 3]))
    rows = np.flatnonzero(np.isin(problem.source.labels, [1, 3]))
    np.testing.assert_array_equal(part.source.x, problem.source.x[rows])
    np.testing.assert_array_equal(part.source.labels[part.truth[:, 0]], part.target.labels[part.truth[:, 1]])
    assert len(part.truth) == len(rows) == len(part.target)
    assert set(part.test.source.labels) == {1, 3}
    np.testing.assert_array_equal(part.target.x[part.truth[:, 1]], problem.target.x[rows])


def test_figure_5_measures_overlap_and_accuracy_by_the_number_of_classes(tmp_path, tiny_velocity):
    figure = OverlapFigure(
        dataset=bv.datasets.Blobs(n=200, classes=5, overlap=0.6), counts=(2, 5), velocity="tiny", steps=100
    )
    document = tmp_path / "benchmarks.md"
    document.write_text("<!-- bench figure-05-blobs -->\n<!-- end of bench figure-05-blobs -->")
    lines = list(figure.measure(seeds=1, folder=tmp_path, documents=[document]))
    table = pd.read_parquet(tmp_path / "figure_05_blobs.parquet")
    assert table[["classes", "seed"]].to_numpy().tolist() == [[2, 0], [5, 0]]
    assert (table.points[table.classes == 5] == 200).all()
    overlap = table.groupby("classes").overlap.median()
    assert 0 <= overlap[2] < overlap[5] < 0.8
    assert table.test_accuracy.between(0.2, 1).all()
    whole = figure.dataset.load().source
    assert overlap[5] == pytest.approx(bv.metrics.feature_overlap(whole.x, whole.labels), abs=1e-3)
    worst = most_overlapping(whole.x, whole.labels, top=5)
    named = table[table.classes == 5].iloc[0]
    assert named.worst.tolist() == [whole.names[one.label] for one in worst]
    assert named.worst_overlap.tolist() == pytest.approx([one.overlap for one in worst], abs=1e-4)
    text = document.read_text()
    assert f"| 5 | {overlap[5]:.3f} (" in text
    assert "Correlation of overlap and accuracy over all choices: " in text
    assert lines[0].startswith("2 classes, seed 0: overlap ")
    assert list(figure.measure(seeds=1, folder=tmp_path, documents=[document])) == lines[-1:]  # nothing is left to do
