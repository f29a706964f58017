"""Strategies and solvers as objects: the same couplings as the functions, by options that are checked once."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import jax
import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.couplings import (
    FGW,
    SOLVERS,
    STRATEGIES,
    Coupling,
    Global,
    Linear,
    Local,
    SolverOptions,
    TrueAlignment,
)


@pytest.fixture(scope="module")
def stages(blobs):
    pairs = blobs.sample_pairs(0.2, seed=0)
    return blobs, pairs, bv.costs.bridge(blobs.source.x, blobs.target.x, pairs)


@dataclass(frozen=True, kw_only=True)
class Independent(SolverOptions):
    """A solver from outside: the product of the marginals, in two steps."""

    name = "independent"

    def steps(self, cost, within=None):
        yield 1, 1.0
        yield 2, 0.0
        return Coupling(
            np.full(cost.atom_shape, 1 / np.prod(cost.atom_shape)), cost.source_atoms, cost.target_atoms, self.name
        )


def test_strategies_give_the_couplings_of_the_functions(stages):
    problem, pairs, cost = stages
    within = [bv.costs.Within(space.x) for space in (problem.source, problem.target)]
    true = TrueAlignment().couple(problem, pairs)
    np.testing.assert_array_equal(true.dense(), bv.couplings.true(pairs, shape=problem.shape).dense())
    linear = Global(solver=Linear(epsilon=0.1)).couple(problem, pairs, cost)
    np.testing.assert_array_equal(linear.dense(), bv.couplings.linear(cost, epsilon=0.1).dense())
    seen = []
    fused = Global(solver=FGW(epsilon=0.1)).couple(problem, pairs, cost, on_step=lambda *step: seen.append(step))
    np.testing.assert_array_equal(fused.dense(), bv.couplings.fgw(cost, *within, epsilon=0.1).dense())
    assert [step for step, _ in seen] == list(range(1, fused.iterations + 1))
    local = Local(solver=Linear(epsilon=0.1), batch_size=32).couple(problem, pairs, cost)
    ours = bv.couplings.local(cost, epsilon=0.1, batch_size=32)
    np.testing.assert_array_equal(local.sample(0, 64), ours.sample(0, 64))


def test_the_metric_within_the_spaces_is_read(stages):
    problem, pairs, cost = stages
    strategy = Global(solver=FGW(epsilon=0.1))
    by_cosine, by_distance = (strategy.couple(problem, pairs, cost, metric=name) for name in ("cosine", "sqeuclidean"))
    assert np.abs(by_cosine.dense() - by_distance.dense()).sum() > 1e-3


def test_strategies_need_what_they_read(stages):
    problem, _, _ = stages
    none = np.zeros((0, 2), int)
    assert TrueAlignment().needs_pairs
    assert Global().needs_pairs
    assert Global(solver=FGW(alpha=0.5)).needs_pairs
    assert (TrueAlignment.uses_cost, Global.uses_cost, Local.uses_cost) == (False, True, True)
    for strategy in (Global(solver=FGW(alpha=1.0, epsilon=0.1)), Local(solver=FGW(alpha=1.0), batch_size=16)):
        assert not strategy.needs_pairs
        assert strategy.couple(problem, none).shape == problem.shape
    with pytest.raises(bv.InputError, match=r"'cost' of linear\(\) must be a Cost"):
        Global().couple(problem, none)
    with pytest.raises(bv.InputError, match=r"'cost' of local\(\) must be a Cost"):
        Local().couple(problem, none)
    with pytest.raises(bv.InputError, match=r"'cost' of fgw\(\) must be a Cost"):
        Global(solver=FGW()).couple(problem, none)
    with pytest.raises(bv.InputError, match=r"'c_xx' of fgw\(\) must be given with c_yy"):
        FGW().solve(np.ones((3, 3)))


def test_strategies_are_settings():
    assert list(STRATEGIES) == ["true", "global", "local"]
    assert list(SOLVERS) == ["linear", "fgw", "assignment"]
    assert Global(solver="fgw") == Global(solver=FGW())
    assert hash(Global(solver=FGW(alpha=0.1))) == hash(Global(solver=FGW(alpha=0.1)))
    assert Global(solver=FGW(alpha=0.1)) != Local(solver=FGW(alpha=0.1))
    fused = Local(solver=FGW(alpha=0.1, tau=(0.9, 1.0), epsilon=0.2))
    assert (fused.alpha, fused.tau, fused.epsilon) == (0.1, (0.9, 1.0), 0.2)
    assert fused.introduction == FGW.lead
    assert fused.forces_target_marginal
    assert not Global(solver=Linear(tau=(1.0, 0.9))).forces_target_marginal
    true = TrueAlignment()
    assert (true.alpha, true.tau, true.epsilon, true.forces_target_marginal) == (None, None, None, False)
    assert Global().introduction == Global.lead
    assert [strategy.chunk_size for strategy in STRATEGIES.values()] == [25, 25, 2]
    with pytest.raises(bv.InputError, match=r"'solver' of global\(\) must be one of 'linear', 'fgw', 'assignment'"):
        Global(solver="sinkhorn")
    with pytest.raises(bv.InputError, match=r"'ot_batch_size' of local\(\) must be an integer >= 2. Got 1"):
        Local(ot_batch_size=1)
    for solver in (Linear(merge=False), Linear(max_iterations=5), FGW(squared=True), FGW(scale_cost=1.0)):
        with pytest.raises(bv.InputError, match=r"of (linear|fgw)\(\) must be left out within Local\(\)"):
            Local(solver=solver)


def test_a_solver_from_outside_needs_no_registry(stages):
    problem, pairs, cost = stages
    strategy = Global(solver=Independent())
    steps = []
    plan = strategy.couple(problem, pairs, cost, on_step=lambda *step: steps.append(step))
    assert steps == [(1, 1.0), (2, 0.0)]
    assert plan.mass == pytest.approx(1)
    assert (strategy.tau, strategy.epsilon, strategy.needs_pairs) == (None, None, True)
    with pytest.raises(bv.InputError, match="The solver 'independent' can't couple batches"):
        Local(solver=Independent()).couple(problem, pairs, cost)


def test_steps_do_not_leave_double_precision_switched_on(stages):
    problem, pairs, cost = stages
    steps = Global(solver=FGW(epsilon=0.1)).steps(problem, pairs, cost, metric="cosine")
    next(steps)
    assert jax.numpy.ones(1).dtype == np.float32
    steps.close()


def test_importing_the_room_loads_no_jax():
    code = (
        "import sys, bridgeviz.couplings; print([m for m in ('jax', 'ott', 'sklearn', 'pandas') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
