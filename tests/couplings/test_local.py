"""The local strategy: a new small problem for each draw."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.couplings import _batches as batches
from bridgeviz.couplings import _local_coupling as local_coupling


@pytest.fixture(scope="module")
def plan(blobs):
    pairs = blobs.sample_pairs(0.2, seed=0)
    return bv.couplings.local(bv.costs.bridge(blobs.source.x, blobs.target.x, pairs), epsilon=0.05, batch_size=32)


def test_samples_have_the_requested_shape(plan, blobs):
    assert plan.shape == blobs.shape
    for size in (1, 31, 32, 70):
        i, j = plan.sample(0, size)
        assert i.shape == j.shape == (size,)
    i, j = plan.sample(0, 2000)
    assert i.min() >= 0
    assert j.max() < 120
    assert len(np.unique(i)) > 100
    assert len(np.unique(j)) > 100


def test_the_same_seed_gives_the_same_draws(plan):
    np.testing.assert_array_equal(plan.sample(5, 100), plan.sample(5, 100))
    assert (plan.sample(5, 100)[0] != plan.sample(6, 100)[0]).any()


def test_no_batch_is_solved_twice_for_what_was_drawn_last(plan, monkeypatch):
    alone = replace(plan).sample(1, 150)
    solved, draw = [], batches.draw
    monkeypatch.setattr(batches, "draw", lambda *a: solved.append(1) or draw(*a))
    fresh = replace(plan)  # 32 draws a batch
    for seed, size, new in ((1, 40, 2), (1, 64, 0), (1, 150, 3), (1, 10, 0), (2, 1, 1), (1, 40, 2)):
        solved.clear()
        i, j = fresh.sample(seed, size)
        assert len(solved) == new
        if seed == 1:
            np.testing.assert_array_equal((i, j), np.asarray(alone)[:, :size])
        i[:] = -1  # what is returned belongs to the caller
    monkeypatch.setattr(local_coupling, "DRAWS", 64)
    fresh.sample(1, 150)
    solved.clear()
    np.testing.assert_array_equal(fresh.sample(1, 150), alone)
    assert len(solved) == 3  # two batches were kept


def test_batches_differ(plan):
    i, _ = plan.sample(0, 64)
    assert (i[:32] != i[32:]).any()


def test_the_units_of_the_cost_do_not_matter(plan):
    larger = {side: 64 * getattr(plan.cost, side) for side in ("source_factor", "target_factor")}
    scaled = replace(plan, cost=replace(plan.cost, **larger))
    np.testing.assert_array_equal(scaled.sample(3, 200), plan.sample(3, 200))


def test_better_than_chance(plan, blobs):
    accuracy = bv.metrics.matching_accuracy(plan, blobs.source.labels, blobs.target.labels, samples=2000)
    assert accuracy > 0.8  # chance is 1/3


def test_a_batch_follows_its_own_sinkhorn_plan():
    """Two clusters, sharp epsilon: a draw never crosses when the batch holds enough of both."""
    cost = np.kron(np.array([[0.0, 1.0], [1.0, 0.0]]), np.ones((20, 20)))
    plan = bv.couplings.local(cost, epsilon=0.02, tau=(0.9, 0.9), batch_size=64)
    i, j = plan.sample(0, 1000)
    assert ((i < 20) == (j < 20)).mean() > 0.9
    i, j = plan.sampler().draw(jax.random.key(0), 64)
    assert i.shape == j.shape == (64,)


def test_it_has_no_plan_and_says_so(plan, blobs):
    with pytest.raises(bv.InputError, match="batch by batch"):
        plan.dense()
    with pytest.raises(bv.InputError, match="a local one has no plan"):
        bv.metrics.class_plan(plan, blobs.source.labels, blobs.target.labels)


@pytest.mark.parametrize("scale", [1e-14, 1.0, 1e60])
def test_the_units_of_a_matrix_do_not_matter(scale):
    cost = np.abs(np.subtract.outer(np.arange(40), np.arange(40))) / 40
    i, j = bv.couplings.local(scale * cost, batch_size=32).sample(0, 320)
    ours = bv.couplings.local(cost, batch_size=32).sample(0, 320)
    assert np.mean(np.abs(i - j)) == pytest.approx(np.mean(np.abs(ours[0] - ours[1])), abs=0.5)


def test_the_transport_may_be_solved_on_a_bigger_batch_than_is_drawn():
    """The paper's remedy: a batch of eight rows seldom holds a row's counterpart, a batch of 200 mostly does."""
    points = np.random.default_rng(0).random((400, 2))
    cost = bv.costs.sqeuclidean(points)
    far = []
    for ot_batch_size in (8, 50, 200):
        plan = bv.couplings.local(cost, epsilon=0.01, batch_size=8, ot_batch_size=ot_batch_size, max_iterations=2000)
        sampler = plan.sampler()
        i, j = sampler.draw(jax.random.key(0), 8)
        assert i.shape == (8,)
        i, j = plan.sample(0, 240)
        far.append(np.linalg.norm(points[i] - points[j], axis=1).mean())
    assert far[0] > 1.5 * far[1] > 2 * far[2]


def test_every_row_is_drawn():
    plan = bv.couplings.local(np.ones((5, 4)), batch_size=16)
    i, j = plan.sample(0, 800)
    assert np.bincount(i, minlength=5).min() > 100
    assert np.bincount(j, minlength=4).min() > 130


def test_it_reports_how_the_transport_of_its_batches_went(blobs):
    pairs = blobs.sample_pairs(0.2, seed=0)
    cost = bv.costs.bridge(blobs.source.x, blobs.target.x, pairs)
    good = bv.couplings.local(cost, epsilon=0.5, batch_size=32)
    assert good.converged
    assert good.advice == ""
    assert good.marginal_error <= 1e-2
    assert good.mass == pytest.approx(1, abs=0.02)
    assert 1 <= good.iterations <= 100
    bad = bv.couplings.local(cost, epsilon=1e-3, batch_size=32, max_iterations=10)
    assert not bad.converged
    assert bad.probe.converged < 1
    assert "of 8 batches Sinkhorn stopped after 10 iterations" in bad.advice
    assert "try a larger epsilon (now 0.001)" in bad.advice
    loose = bv.couplings.local(cost, epsilon=0.5, tau=(0.5, 0.5), batch_size=32)
    assert loose.mass != pytest.approx(1, abs=0.05)


def test_a_batch_beyond_the_memory_limit_is_refused(blobs, monkeypatch):
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", "16")
    with pytest.raises(bv.InputError, match=r"of a batch with 4 dense 30,000 x 30,000 matrices would take 26.8 GB"):
        bv.couplings.local(np.ones((5, 5)), ot_batch_size=30_000)


@pytest.mark.parametrize("epsilon", [1e-300, 1e-30, 1e-12])
def test_converged_is_never_said_of_batches_without_finite_mass(blobs, epsilon):
    cost = bv.costs.bridge(blobs.source.x, blobs.target.x, blobs.sample_pairs(0.3, seed=0))
    plan = bv.couplings.local(cost, epsilon=epsilon, batch_size=16)
    assert not plan.converged
    assert "try a larger epsilon" in plan.verdict.text
    if not np.isfinite(plan.mass):
        with pytest.raises(bv.InputError, match="a coupling with mass"):
            next(bv.flows.fit(blobs, plan, bv.FlowConfig(steps=1)))
