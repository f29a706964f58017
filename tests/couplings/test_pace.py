"""How long a solve will take: told from the decay of its error, and not told where that says nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.couplings._pace import LEAST, Pace, Point, seconds_left


def falling(rate=0.1, count=10, every=10, seconds=2.0, start=1.0):
    """Points of an error that falls by the same factor in every step."""
    return [Point(k * seconds, k * every, start * math.exp(-rate * k * every)) for k in range(count)]


def test_the_time_left_is_that_of_a_steady_decay():
    points = falling(rate=0.01)
    tolerance = points[-1].error * math.exp(-0.01 * 300)  # 300 steps later, 0.2 s each
    assert seconds_left(points, tolerance) == pytest.approx(60)
    assert seconds_left(points, tolerance, most=points[-1].done + 50) == pytest.approx(10)
    assert seconds_left(points, 1.0) == 0


@pytest.mark.parametrize(
    "points",
    [
        falling(count=LEAST - 1),
        falling(rate=-0.01),
        falling(rate=0.0),
        falling(rate=0.1, count=5) + [Point(10 + k, 50 + 10 * k, math.exp(-4 - 1e-3 * k)) for k in range(5)],
        [*falling(count=8), Point(20.0, 90, math.nan)],
        [*falling(count=8), Point(20.0, 90, 0.0)],
    ],
)
def test_nothing_is_said_where_it_can_not_be_told(points):
    assert seconds_left(points, 1e-6) is None


def test_a_line_says_the_time_left_and_starts_afresh_where_the_error_jumps():
    seconds = iter(range(1000))
    pace = Pace("iteration", "marginal error", tolerance=1e-6, clock=lambda: float(next(seconds)))
    lines = [pace(10 * k, math.exp(-0.5 * k)) for k in range(1, 10)]
    assert "left" not in lines[LEAST - 2]
    assert lines[-1] == "iteration 90, marginal error 1.1e-02, about 20 s left"
    assert pace(100, 0.5) == "iteration 100, marginal error 5.0e-01"
    assert pace(5, 0.4) == "iteration 5, marginal error 4.0e-01"
    silent = Pace("step", "change")
    assert not any("left" in silent(k, 2.0**-k) for k in range(1, 20))


def test_the_end_of_a_real_solve_is_foreseen():
    cost = np.random.default_rng(0).random((300, 250))
    options = {"epsilon": 3e-4, "tau": (0.99, 0.99), "tolerance": 1e-6, "method": "dense"}
    points: list[Point] = []
    ends = []

    def follow(done, error):  # an iteration takes a second
        points.append(Point(float(done), done, error))
        left = seconds_left(points[-12:], options["tolerance"])
        ends.extend([] if left is None else [done + left])

    plan = bv.couplings.Linear(**options).solve(cost, on_step=follow)
    assert plan.converged
    assert len(ends) > 5
    assert 0.8 < min(ends) / plan.iterations <= max(ends) / plan.iterations < 1.25


def test_each_strategy_says_what_its_steps_are():
    strategies = bv.couplings
    assert strategies.Global().pace()(3, 0.1).startswith("iteration 3, marginal error")
    assert strategies.Global(solver="fgw").pace()(3, 0.1).startswith("step 3, change of the plan")
    assert strategies.Global(refine=2).pace()(3, 0.1).startswith("step 3")
    assert strategies.TrueAlignment().pace()(3, 0.1).startswith("step 3")
