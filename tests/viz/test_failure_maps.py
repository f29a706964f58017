"""The maps of failures and the curve of calibration show the numbers that they are given."""

import numpy as np
import pytest

from bridgeviz.metrics import Failures, Reliability
from bridgeviz.viz.failures import MARKS, failure_map, groups, reliability_curve

STAGES = np.array(["right", "flow", "undecided", "pair", "right", "overlap", "cost", "coupling"])


@pytest.fixture
def found():
    k = len(STAGES)
    return Failures(
        rows=np.arange(k)[::-1] * 10, tested=True, labels=np.full(k, "a"), stages=STAGES, ends=np.zeros((k, 3)),
        own=np.linspace(0, 1, k), taken=np.full(k, "a"), sure=np.ones(k), overlap=np.zeros(k), noises=8,
    )  # fmt: skip


def drawn(found, by):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(len(STAGES), 2))
    figure = failure_map(rng.normal(size=(3000, 2)), points, found, [f"text {k}" for k in range(len(STAGES))], by=by)
    return figure.data[1:], points


@pytest.mark.parametrize("by", ["stage", "error"])
def test_each_group_is_a_trace_with_its_own_mark(found, by):
    traces, points = drawn(found, by)
    expected = groups(found, by)
    assert {trace.name.partition(" (")[0] for trace in traces} == set(expected)
    looks = {(trace.marker.color, trace.marker.symbol) for trace in traces}
    assert len(looks) == len(traces)
    for trace in traces:
        name, _, count = trace.name.rstrip(")").partition(" (")
        at = np.flatnonzero(expected == name)
        assert int(count) == len(at)
        np.testing.assert_array_equal(trace.customdata, found.rows[at])
        np.testing.assert_allclose(trace.x, points[at, 0], rtol=1e-6)
        assert list(trace.text) == [f"text {k}" for k in at]


def test_certainty_is_a_colour_scale_from_none_to_all(found):
    (trace,), _ = drawn(found, "certainty")
    np.testing.assert_array_equal(trace.marker.color, found.own)
    assert (trace.marker.cmin, trace.marker.cmax) == (0, 1)


def test_right_and_undecided_are_not_wrong(found):
    assert sorted(set(groups(found, "error"))) == ["right", "undecided", "wrong"]
    assert (groups(found, "error") == "wrong").sum() == 5
    assert set(groups(found, "error")) | set(STAGES) <= set(MARKS)


def test_the_curve_of_calibration_has_its_points():
    about = Reliability(np.array([0.5, 1.0]), np.array([0.4, 0.9]), np.array([10, 40]), 0.1)
    diagonal, measured = reliability_curve(about).data
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]
    np.testing.assert_array_equal(measured.x, about.sure)
    np.testing.assert_array_equal(measured.y, about.right)
    assert measured.marker.size[1] > measured.marker.size[0]
