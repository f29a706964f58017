"""The map of points that changed sides shows each of them once, with the mark of what became of it."""

import numpy as np

from bridgeviz.viz.changes import MARKS, NAMES, changes_map


def test_each_point_has_the_mark_of_what_became_of_it():
    points, sides = np.random.default_rng(0).normal(size=(7, 2)), np.array(["won", "lost", "right", "wrong"] * 2)[:7]
    traces = changes_map(points, sides, [f"text {k}" for k in range(7)]).data
    assert [trace.name for trace in traces] == ["right in both (2)", "wrong in both (1)", "won (2)", "lost (2)"]
    for side, trace in zip(MARKS, traces, strict=True):
        at = np.flatnonzero(sides == side)
        assert trace.name.startswith(NAMES[side])
        np.testing.assert_array_equal(trace.customdata, at)
        np.testing.assert_allclose(trace.y, points[at, 1], rtol=1e-6)
        assert (trace.marker.color, trace.marker.symbol) == MARKS[side][:2]
    assert len({(trace.marker.color, trace.marker.symbol) for trace in traces}) == 4


def test_what_did_not_happen_has_no_trace():
    (trace,) = changes_map(np.zeros((2, 2)), np.array(["won", "won"]), ["", ""]).data
    assert trace.name == "won (2)"


def test_selected_points_are_ringed():
    points = np.random.default_rng(0).normal(size=(4, 2))
    *_, ring = changes_map(points, np.array(["won"] * 4), [""] * 4, lit=np.array([1, 3])).data
    np.testing.assert_allclose(ring.x, points[[1, 3], 0], rtol=1e-6)
    assert ring.name == "selected (2)"
