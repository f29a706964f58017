"""A look at a flow while it trains."""

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.experiments import Onlooker, scene
from bridgeviz.experiments._evaluation import rows_of_all_classes
from bridgeviz.metrics import predict_labels, projection
from bridgeviz.viz.ends import ends_map

pytestmark = pytest.mark.usefixtures("small_networks")


@pytest.fixture(scope="module")
def run(small_networks):
    return bv.run(bv.RunConfig(dataset="blobs", options={"n": 80}, fraction=0.2, steps=30, batch_size=32))


def test_a_glimpse_follows_the_same_points_each_time_and_says_how_many_are_right(run):
    look = Onlooker(run.problem, points=30)
    first, second = look(run.flow, 10), look(run.flow, 20)
    assert (first.step, second.step) == (10, 20)
    np.testing.assert_array_equal(first.ends, second.ends)
    assert first.ends.shape == (30, 2)
    assert first.accuracy == np.mean(first.labels == first.decoded)


def test_the_ends_are_those_of_the_flow_on_the_map_of_the_target(run):
    glimpse = Onlooker(run.problem, points=40)(run.flow, 0)
    test, target = run.problem.test.source, run.problem.target
    rows = rows_of_all_classes(test, 40, seed=0)
    ends = run.flow.transport(test.x[rows], steps=8).states[-1]
    np.testing.assert_allclose(glimpse.ends, projection.fit_map(target.x).project(ends), atol=1e-5)
    classes = np.unique(target.labels)
    np.testing.assert_array_equal(classes[glimpse.decoded], predict_labels(target, ends))
    np.testing.assert_array_equal(classes[glimpse.labels], test.labels[rows])
    np.testing.assert_allclose(np.sort(glimpse.targets, 0), np.sort(scene(run, points=20).targets, 0), atol=1e-5)


def test_without_labels_there_is_no_accuracy_and_nothing_is_called_wrong():
    rng = np.random.default_rng(0)
    problem = bv.Problem(
        bv.Space(rng.normal(size=(30, 3))),
        bv.Space(rng.normal(size=(30, 4))),
        truth=np.arange(30).repeat(2).reshape(30, 2),
    )
    run = bv.run(bv.RunConfig(count=10, steps=3, batch_size=16), problem=problem)
    glimpse = Onlooker(problem)(run.flow, 3)
    assert glimpse.accuracy is None
    assert [trace.name for trace in ends_map(glimpse).data] == ["the target", "points"]


def test_the_map_of_the_ends_rings_what_is_wrong_and_does_not_move(run):
    glimpse = Onlooker(run.problem, points=40)(run.flow, 7)
    figure = ends_map(glimpse)
    traces = {trace.name: trace for trace in figure.data}
    wrong = glimpse.labels != glimpse.decoded
    np.testing.assert_allclose(traces["wrong"].x, glimpse.ends[wrong, 0])
    assert "step 7" in figure.layout.title.text
    moved = ends_map(type(glimpse)(**{**vars(glimpse), "ends": glimpse.ends + 5}))
    assert moved.layout.xaxis.range == figure.layout.xaxis.range
