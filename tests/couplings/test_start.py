"""A solve that begins with the potentials of a similar one."""

from __future__ import annotations

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.costs import as_cost
from bridgeviz.couplings import linear


def cube(n: int, m: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return ((rng.random((n, 3))[:, None] - rng.random((m, 3))) ** 2).sum(-1)


@pytest.mark.parametrize("method", ["newton", "dense"])
@pytest.mark.parametrize("shape", [(150, 90), (90, 150)], ids=str)
def test_a_grid_takes_fewer_iterations_and_ends_with_the_same_plans(method, shape):
    cost = as_cost(cube(*shape), "test").weighted(target=np.arange(shape[1]))
    plan, begun, alone = None, 0, 0
    for epsilon, tau in ((0.1, 1.0), (0.05, 1.0), (0.03, 1.0), (0.02, 1.0), (0.02, 0.98), (0.02, 0.95)):
        options = {"epsilon": epsilon, "tau": (1.0, tau), "tolerance": 1e-8, "method": method}
        plan, cold = linear(cost, start=plan, **options), linear(cost, **options)
        assert plan.converged
        assert np.abs(plan.dense() - cold.dense()).sum() < 1e-6
        begun, alone = begun + plan.iterations, alone + cold.iterations
    assert begun < (0.9 if method == "newton" else 1.0) * alone


@pytest.mark.parametrize("method", ["newton", "dense"])
def test_the_same_problem_is_done_at_once(method):
    cost = cube(60, 40)[:, np.arange(50) % 40]  # equal columns are merged
    options = {"epsilon": 0.02, "tau": (0.9, 0.8), "tolerance": 1e-7, "method": method}
    first = linear(cost, **options)
    again = linear(cost, start=first, **options)
    assert again.iterations < max(first.iterations / 4, 3)
    np.testing.assert_allclose(again.dense(), first.dense(), atol=1e-8)


def test_one_method_begins_where_another_ended():
    cost = cube(60, 40)
    first = linear(cost, epsilon=0.02, tolerance=1e-9, method="newton")
    again = linear(cost, epsilon=0.02, tolerance=1e-7, method="dense", start=first)
    assert again.iterations <= 25
    back = linear(cost, epsilon=0.02, tolerance=1e-7, method="newton", start=again)
    assert back.iterations <= 2


def test_a_start_for_other_atoms_is_refused():
    with pytest.raises(bv.InputError, match=r"'start' of linear\(\) must be a plan of 'linear' for the same 40 target"):
        linear(cube(60, 40), start=linear(cube(60, 30)))
    with pytest.raises(bv.InputError, match="one of 'linear', 'ott'"):
        linear(cube(60, 40), start=linear(cube(60, 40), method="ott"))
