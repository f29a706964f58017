"""One problem by several methods: they solve the same, agree, can be stopped, and say what they took."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz import _sinkhorn
from bridgeviz.couplings import Linear, distance, linear
from bridgeviz.couplings._solver_options import finish


def cloud(n, p=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, p))


def diffusion():
    x, y = cloud(40), cloud(30, seed=1)
    return bv.costs.diffusion_bridge(x, y, [[k, k] for k in range(6)])


@pytest.mark.parametrize(("tau", "most"), [((1.0, 1.0), 10_000), ((1.0, 1.0), 105), ((0.9, 0.8), 10_000)])
def test_pauses_change_nothing(tau, most, monkeypatch):
    cost = np.random.default_rng(0).random((30, 20))
    problem = cost, np.full(30, 1 / 30), np.full(20, 1 / 20)
    settings = {"epsilon": 0.003, "tau": tau, "tolerance": 1e-9, "max_iterations": most}
    monkeypatch.setattr(_sinkhorn, "WORK", 10**9)
    monkeypatch.setattr(_sinkhorn, "CHUNKS", (10**6,))
    whole = finish(_sinkhorn.solve_linear(*problem, **settings))
    monkeypatch.setattr(_sinkhorn, "CHUNKS", (20,))
    told: list[int] = []
    parts = finish(_sinkhorn.solve_linear(*problem, **settings), lambda done, _: told.append(done))
    np.testing.assert_array_equal(parts.plan, whole.plan)
    assert parts[1:] == whole[1:]
    assert told == list(range(20, parts.iterations, 20))


def test_the_methods_of_a_solver_solve_the_same_problem():
    own = diffusion()
    assert list(Linear().by_method(own)) == ["newton", "dense", "ott"]  # the kernel has another epsilon
    assert list(Linear(epsilon=0.1, scale_cost=10.0).by_method(own)) == ["newton", "dense", "ott", "factorised"]
    same = Linear(method="factorised", tolerance=1e-8).by_method(own)
    assert list(same) == ["newton", "dense", "ott", "factorised"]
    plans = [solver.solve(own) for solver in same.values()]
    assert max(distance(plans[0], plan) for plan in plans) < 1e-6
    matrix = bv.costs.as_cost(np.eye(3) + 1, "linear")
    assert list(Linear(method="ott").by_method(matrix)) == ["newton", "dense", "ott"]
    assert bv.couplings.FGW().by_method(own) == {}


def test_the_distance_is_that_of_the_matrices():
    cost = diffusion()
    first, second = linear(cost, method="factorised"), linear(cost, epsilon=0.05, tau=(0.9, 0.9))
    matrices = [plan.dense() / plan.mass for plan in (first, second)]
    assert distance(first, second) == pytest.approx(np.abs(matrices[0] - matrices[1]).sum())
    assert distance(first, first) == 0
    with pytest.raises(bv.InputError, match=r"'second' of distance\(\) must be a plan of \(40, 30\)"):
        distance(first, linear(np.eye(4)))


def test_a_plan_says_what_it_took_and_why():
    plan = linear(np.eye(4), epsilon=0.1)
    assert plan.effort.startswith("Solved by Newton's method on the potentials of the smaller side ('newton') in ")
    assert plan.effort.endswith(", because a side has at most 128 atoms.")
    plan = replace(plan, method="dense", why="as asked for", seconds=3.21, memory=2**30)
    assert plan.effort == "Solved by iterations on the stored kernel ('dense') in 3.2 s with 1.0 GB, as asked for."
    assert replace(plan, seconds=0.0).effort == ""
    assert replace(plan, method="", why="", memory=0).effort == "Solved in 3.2 s."
    assert plan.effort not in plan.verdict.text  # which is the same in every run
    refined = replace(plan, refinement=bv.couplings.Refinement(1, (0.1,), 0, ()))
    assert refined.effort.startswith("The last round was solved by")


@pytest.mark.parametrize("method", ["dense", "ott"])
def test_who_stops_a_long_solve_waits_a_moment_and_leaves_nothing_behind(method):
    cost = np.random.default_rng(0).random((600, 500))
    solver = Linear(epsilon=1e-4, tolerance=1e-12, max_iterations=10**6, method=method)
    before, asked = threading.active_count(), []

    def stop(*_):
        if len(asked) == 3:
            raise KeyboardInterrupt
        asked.append(time.monotonic())

    with pytest.raises(KeyboardInterrupt):
        solver.solve(cost, on_step=stop)
    assert threading.active_count() == before
    assert max(np.diff([*asked, time.monotonic()])) < 5  # a fraction of a second, on a machine with nothing else to do
