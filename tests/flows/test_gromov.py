"""Appendix I: Swiss roll to spiral by Gromov-Wasserstein on batches, without any pair (Fig. 15)."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from ott.geometry import geometry
from ott.problems.quadratic import quadratic_problem
from ott.solvers.linear import sinkhorn
from ott.solvers.quadratic import gromov_wasserstein

import bridgeviz as bv
from bridgeviz.metrics import two_sample


@pytest.fixture(scope="module")
def problem():
    return bv.load("swiss-roll", n=1600)


@pytest.fixture(scope="module")
def plan(problem):
    within = [bv.costs.Within(space.x, metric="sqeuclidean") for space in (problem.source, problem.target)]
    return bv.couplings.local(None, *within, epsilon=0.02, batch_size=128)


def test_shapes_alone_find_most_partners(problem, plan):
    i, j = plan.sample(0, 1000)
    assert (problem.source.labels[i] == problem.target.labels[j]).mean() > 0.6  # chance: an eighth
    assert plan.alpha == 1.0
    assert plan.mass == pytest.approx(1, abs=0.02)


def test_a_batch_agrees_with_ott(problem, plan):
    sampler = plan.sampler()
    solved = sampler.solve(jax.random.key(0))
    costs = []
    for space, rows in ((problem.source, solved.i), (problem.target, solved.j)):
        x = space.x[np.asarray(rows)].astype(np.float64)
        c = ((x[:, None] - x[None]) ** 2).sum(-1)
        costs.append((c / c.mean()).astype(np.float32))
    solver = gromov_wasserstein.GromovWasserstein(
        linear_solver=sinkhorn.Sinkhorn(threshold=1e-2, max_iterations=100), epsilon=0.02 / 2, relative_epsilon=None,
        threshold=-1.0, min_iterations=int(solved.iterations), max_iterations=int(solved.iterations),
    )  # fmt: skip
    theirs = solver(quadratic_problem.QuadraticProblem(*(geometry.Geometry(cost_matrix=c) for c in costs)))

    def objective(plan):
        a, b = (plan.sum(axis) for axis in (1, 0))
        cross = np.einsum("ij,ik,kl,jl", plan, costs[0], plan, costs[1], optimize=True)
        return a @ costs[0] ** 2 @ a + b @ costs[1] ** 2 @ b - 2 * cross

    ours = objective(np.asarray(solved.plan, np.float64))
    assert ours < 1.1 * objective(np.asarray(theirs.matrix, np.float64))
    assert ours < 0.3 * objective(np.full((128, 128), 1 / 128**2))


def test_fused_batches_use_the_pairs_too(problem):
    pairs = problem.sample_pairs(0.05, seed=0)
    x, y = problem.source.x, problem.target.x
    cost = bv.costs.bridge(x, y, pairs, metric="sqeuclidean")
    within = [bv.costs.Within(z, metric="sqeuclidean") for z in (x, y)]
    right = {}
    for alpha in (0.0, 0.5):
        fused = bv.couplings.local(cost, *within, alpha=alpha, epsilon=0.02, batch_size=64)
        i, j = fused.sample(0, 640)
        right[alpha] = (problem.source.labels[i] == problem.target.labels[j]).mean()
    linear = bv.couplings.local(cost, epsilon=0.02, batch_size=64)
    i, j = linear.sample(0, 640)
    assert right[0.0] == pytest.approx((problem.source.labels[i] == problem.target.labels[j]).mean(), abs=0.06)
    assert right[0.5] > right[0.0] + 0.02


def test_a_trained_flow_gives_the_spiral_and_an_untrained_one_does_not(problem, plan):
    config = bv.FlowConfig(velocity="tiny", steps=350, batch_size=128, learning_rate=5e-3, ema=0.98, chunk_size=10)
    flows = [progress.flow for progress in bv.flows.fit(problem, plan, config)]
    test = problem.test
    right = two_sample(flows[-1].transport(test.source.x).states[-1], test.target.x)
    early = two_sample(flows[0].transport(test.source.x).states[-1], test.target.x)
    blurred = np.random.default_rng(0).normal(size=test.target.x.shape) * problem.target.x.std(0)
    assert right.p > 0.05
    assert early.p <= 0.01
    assert two_sample(blurred + problem.target.x.mean(0), test.target.x).p <= 0.01
    assert right.coefficient < 0.5 * early.coefficient


@pytest.mark.parametrize("strategy", ["local", "global"])
def test_a_whole_run_without_pairs(strategy, few_draws):
    config = bv.RunConfig(
        dataset="swiss-roll", options={"n": 150}, fraction=0.0, strategy=strategy, solver="fgw", alpha=1.0,
        metric="sqeuclidean", epsilon=0.02, steps=4, batch_size=32, velocity="tiny",
    )  # fmt: skip
    run = bv.run(config)
    assert len(run.pairs) == 0
    assert run.cost is None
    assert run.metrics["matching_accuracy"] > 0.2


def test_wrong_arguments_without_a_cost():
    within = bv.costs.Within(np.eye(5))
    with pytest.raises(bv.InputError, match=r"'cost' of local\(\) must be a Cost .* but for alpha 1"):
        bv.couplings.local(None)
    with pytest.raises(bv.InputError, match=r"'cost' of local\(\) must be"):
        bv.couplings.local(None, within, within, alpha=0.5)
    with pytest.raises(bv.InputError, match=r"'cost' of fgw\(\) must be"):
        bv.couplings.fgw(None, within, within, alpha=0.5)
    with pytest.raises(bv.InputError, match=r"'c_yy' of local\(\) must be costs.Within"):
        bv.couplings.local(np.ones((5, 5)), within)
    with pytest.raises(bv.InputError, match=r"'alpha' of local\(\) must be left out"):
        bv.couplings.local(np.ones((5, 5)), alpha=0.5)
    with pytest.raises(bv.InputError, match="of a cost of shape"):
        bv.couplings.local(np.ones((4, 5)), within, within)
    with pytest.raises(bv.InputError, match="'fraction' of RunConfig"):
        bv.RunConfig(fraction=0.0, solver="fgw", alpha=0.5)
