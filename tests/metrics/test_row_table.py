"""The table of some rows, each column against the function that it repeats."""

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz import InputError
from bridgeviz.metrics import (
    between_classes,
    diagnose,
    failures,
    masses_by_class,
    nearest_pairs,
    neighbourhood,
    row_table,
)


@pytest.fixture(scope="module", params=["global", "local"])
def run(request):
    config = bv.RunConfig(
        dataset="blobs", options={"n": 120, "overlap": 0.6}, fraction=0.1, steps=30, batch_size=64,
        strategy=request.param,
    )  # fmt: skip
    return bv.run(config)


@pytest.mark.parametrize("side", ["source", "target"])
def test_every_column_of_aligned_rows_is_what_its_own_function_says(run, side):
    problem, rows = run.problem, np.array([17, 3, 41])
    space, other = (problem.source, problem.target) if side == "source" else (problem.target, problem.source)
    table = row_table(problem, rows, side=side, pairs=run.pairs, plan=run.plan)
    assert table["row"].tolist() == rows.tolist()
    np.testing.assert_array_equal(table["class"], space.labels[rows])
    np.testing.assert_allclose(table["overlap"], neighbourhood(space.x, space.labels).overlap[rows])
    ends = np.asarray(run.pairs) if side == "source" else np.asarray(run.pairs)[:, ::-1]
    nearest, apart = nearest_pairs(space.x, ends)
    np.testing.assert_array_equal(table["pair_row"], ends[nearest[rows], 0])
    np.testing.assert_array_equal(table["pair_class"], space.labels[ends[nearest[rows], 0]])
    np.testing.assert_allclose(table["pair_distance"], apart[rows])
    assert ("goes_to" in table, "comes_from" in table) == (side == "source", side == "target")
    if run.plan.whole is not None:
        dense = run.plan.dense() if side == "source" else run.plan.dense().T
        np.testing.assert_allclose(table["mass"], dense[rows].sum(1) / dense.sum() * len(space))
        by_class = np.stack([dense[rows][:, other.labels == c].sum(1) for c in other.classes], 1)
        named = table["goes_to" if side == "source" else "comes_from"]
        np.testing.assert_array_equal(named, other.classes[by_class.argmax(1)])
        np.testing.assert_allclose(table["share"], by_class.max(1) / by_class.sum(1))


def test_the_flow_ends_stand_beside_their_own_rows(run):
    problem, rows = run.problem, np.array([9, 2, 30, 4])
    found = failures(problem, run.pairs, run.plan, run.flow, rows[[3, 0, 2, 1]], cost=run.cost)
    diagnosis = diagnose(problem, run.pairs, run.plan, run.flow, cost=run.cost)
    table = row_table(problem, rows, test=True, pairs=run.pairs, plan=run.plan, found=found, diagnosis=diagnosis)
    np.testing.assert_array_equal(table["stage"], found.stages[[1, 3, 2, 0]])
    np.testing.assert_array_equal(table["arrives"], found.taken[[1, 3, 2, 0]])
    np.testing.assert_array_equal(table["own_draws"], found.own[[1, 3, 2, 0]])
    np.testing.assert_array_equal(table["margin"], diagnosis.margin[rows])
    np.testing.assert_allclose(table["overlap"], found.overlap[[1, 3, 2, 0]])
    assert "mass" not in table  # a test point has no row in the plan


def test_columns_that_are_not_known_are_left_out():
    space = bv.Space(np.random.default_rng(0).normal(size=(20, 3)))
    assert list(row_table(bv.Problem(space, space), [4, 2])) == ["row"]
    assert list(row_table(bv.Problem(space, space), [])) == ["row"]


def test_rows_that_do_not_exist_are_refused():
    problem = bv.load("blobs", n=40)
    with pytest.raises(InputError, match="'rows' of row_table"):
        row_table(problem, [40])
    with pytest.raises(InputError, match="'side' of row_table"):
        row_table(problem, [0], side="left")
    with pytest.raises(InputError, match="'test' of row_table"):
        row_table(bv.Problem(problem.source, problem.target), [0], test=True)


def test_masses_by_class_sum_what_the_classes_send(run):
    problem = run.problem
    classes = problem.source.classes
    groups = np.searchsorted(classes, problem.source.labels)
    masses = masses_by_class(problem, run.plan, "source", groups, len(classes), seed=3)
    shares, _ = between_classes(run.plan, problem.source.labels, problem.target.labels, seed=3)
    np.testing.assert_allclose(masses / masses.sum(1, keepdims=True), shares)
    received = masses_by_class(problem, run.plan, "target", np.searchsorted(classes, problem.target.labels), 5, seed=3)
    np.testing.assert_allclose(received, masses.T)
