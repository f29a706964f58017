"""The stage at which points lose their partner, on runs whose stages are broken one at a time."""

from types import SimpleNamespace

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz import InputError
from bridgeviz.metrics import lost_partners, partners

N = 60


def problem_of(seed: int = 0) -> bv.Problem:
    x = np.random.default_rng(seed).normal(size=(N, 3))
    return bv.Problem(bv.Space(x), bv.Space(x * 2), truth=np.stack([np.arange(N)] * 2, 1))


def flow_to(ends: np.ndarray, problem: bv.Problem):
    """A flow that carries each source row to a given end."""
    places = {row.tobytes(): end for row, end in zip(problem.source.x, ends, strict=True)}
    return SimpleNamespace(mean=lambda x, seed: np.stack([places[row.tobytes()] for row in x]))


PAIRS = [[k, k] for k in range(0, N, 6)]
SHIFTED = np.roll(np.arange(N), N // 2)


def right_cost(problem: bv.Problem):
    return bv.costs.as_cost(np.linalg.norm(2 * problem.source.x[:, None] - problem.target.x[None], axis=-1), "test")


def right_plan(shape=(N, N)):
    return bv.couplings.true(np.stack([np.arange(N)] * 2, 1), shape=shape)


def test_what_arrives_at_its_partner_is_found_whatever_came_before():
    problem = problem_of()
    wrong = bv.couplings.true(np.stack([np.arange(N), SHIFTED], 1), shape=(N, N))
    found = lost_partners(problem, PAIRS, wrong, flow_to(problem.target.x, problem), cost=right_cost(problem))
    assert set(found.stages) == {"found"}
    assert found.counts == {}
    assert set(found.rows) == set(range(N)) - {pair[0] for pair in PAIRS}
    np.testing.assert_array_equal(found.rows, found.partners)
    np.testing.assert_allclose(found.shares["flow"], 0)


def test_the_first_broken_stage_is_named():
    problem = problem_of()
    lost = flow_to(problem.target.x[SHIFTED], problem)
    cost, plan = right_cost(problem), right_plan()
    close = {"far": 1.0}  # neighbours and pairs are never far, so that the later stages are told apart
    assert set(lost_partners(problem, PAIRS, plan, lost, cost=cost, **close).counts) == {"flow"}
    shifted = bv.couplings.true(np.stack([np.arange(N), SHIFTED], 1), shape=(N, N))
    assert set(lost_partners(problem, PAIRS, shifted, lost, cost=cost, **close).counts) == {"coupling"}
    random = bv.costs.as_cost(np.random.default_rng(1).random((N, N)) + np.eye(N), "test")
    assert set(lost_partners(problem, PAIRS, shifted, lost, cost=random, **close).counts) == {"cost"}
    astray = [[k, int(SHIFTED[k])] for k in range(0, N, 6)]
    told = lost_partners(problem, astray, shifted, lost, cost=random, within=1.0 / N)
    assert {"pair"} <= set(told.counts) <= {"pair", "cost"}
    scattered = bv.Problem(
        problem.source, bv.Space(problem.target.x[np.random.default_rng(2).permutation(N)]), truth=problem.truth
    )
    told = lost_partners(scattered, PAIRS, shifted, flow_to(np.zeros((N, 3)), problem), cost=random)
    assert next(iter(told.counts)) == "overlap"


def test_the_shares_are_those_of_the_ranks():
    problem = problem_of()
    ends = problem.target.x + np.random.default_rng(3).normal(size=(N, 3))
    cost = bv.costs.as_cost(np.random.default_rng(4).random((N, N)), "test")
    found = lost_partners(problem, PAIRS, right_plan(), flow_to(ends, problem), cost=cost)
    truth = np.stack([found.rows, found.partners], 1)
    ranked = partners(cost, truth)
    assert found.shares["cost"].mean() == pytest.approx(ranked.targets.foscttm)
    apart = np.linalg.norm(ends[found.rows][:, None] - problem.target.x[None], axis=-1)
    nearer = (apart < apart[np.arange(len(truth)), found.partners][:, None]).sum(1) / (N - 1)
    np.testing.assert_allclose(found.shares["flow"], nearer)


def test_a_cost_that_tells_nothing_apart_is_chance():
    problem = problem_of()
    flat = bv.costs.as_cost(np.ones((N, N)), "test")
    found = lost_partners(problem, PAIRS, right_plan(), flow_to(problem.target.x, problem), cost=flat)
    np.testing.assert_allclose(found.shares["cost"], 0.5)


def test_stages_that_are_not_there_are_left_out():
    problem = problem_of()
    config = bv.RunConfig(strategy="local", cost="procrustes_bridge", count=0, steps=3, batch_size=16)
    run = bv.run(config, problem=problem)
    found = lost_partners(problem, run.pairs, run.plan, run.flow, most=10)
    assert set(found.shares) == {"overlap", "flow"}
    assert len(found.rows) == 10


def test_without_unused_pairs_nothing_can_be_told():
    problem = problem_of()
    with pytest.raises(InputError, match=r"'problem' of lost_partners"):
        lost_partners(problem, problem.truth, right_plan(), flow_to(problem.target.x, problem))
