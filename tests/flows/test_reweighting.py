"""Reweighting: the mass that an unbalanced plan leaves at each point, learned together with the flow (Eq. 4, L.1)."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scipy import sparse

import bridgeviz as bv
from bridgeviz.costs import every_row
from bridgeviz.couplings import Coupling
from bridgeviz.flows._reweighting import Reweighting, reweighting_loss


@pytest.fixture(scope="module")
def known():
    """A plan whose masses are functions of the points: eta(x) = 0.5 + x_0, xi(y) = 2 y_0; both have mean 1."""
    rng = np.random.default_rng(0)
    n, m = 400, 300
    x, y = rng.random((n, 2)), rng.random((m, 3))
    eta, xi = 0.5 + x[:, 0], 2 * y[:, 0]
    mass = 0.8
    plan = mass * np.outer(eta / eta.sum(), xi / xi.sum())
    problem = bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(m)] * 2, axis=1))
    coupling = Coupling(plan, every_row(n), every_row(m), "linear", epsilon=0.1, tau=(0.9, 0.9))
    return problem, coupling, mass * eta / eta.mean(), mass * xi / xi.mean()


@pytest.fixture(scope="module")
def learned(known):
    problem, plan, _, _ = known
    config = bv.FlowConfig(velocity="tiny", steps=2000, batch_size=64, learning_rate=3e-3, chunk_size=500)
    return list(bv.flows.fit(problem, plan, config))


def test_known_marginals_are_learned(known, learned):
    problem, _, eta, xi = known
    flow = learned[-1].flow
    for learned_mass, mass in ((flow.source_mass(problem.source.x), eta), (flow.target_mass(problem.target.x), xi)):
        assert np.abs(learned_mass - mass).mean() < 0.04
        assert np.corrcoef(learned_mass, mass)[0, 1] > 0.99
        assert learned_mass.min() >= 0
        assert learned_mass.mean() == pytest.approx(0.8, abs=0.03)


def test_the_mass_of_new_points(known, learned):
    x = np.random.default_rng(1).random((200, 2))
    expected = 0.8 * (0.5 + x[:, 0]) / (0.5 + known[0].source.x[:, 0]).mean()
    assert np.abs(learned[-1].flow.source_mass(x) - expected).mean() < 0.06


def test_its_losses_fall_and_are_reported_separately(learned):
    masses = np.concatenate([p.mass_losses for p in learned])
    flow = np.concatenate([p.losses for p in learned])
    assert masses.shape == flow.shape == (2000,)
    assert masses[0] == pytest.approx(1 / 12 + 4 / 12, rel=0.4)  # both start at one: the variances of eta and xi
    assert masses[-50:].mean() < 0.02 * masses[0]


def test_the_loss_is_that_of_equation_4():
    x, mass = jnp.arange(3.0)[:, None], jnp.array([1.0, 2.0, 3.0])
    assert float(reweighting_loss(lambda x: 2 * x[:, 0], x, mass)) == pytest.approx((1 + 0 + 1) / 3)


def test_the_networks_start_at_one_and_are_never_negative():
    model = Reweighting(4, rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(0), (50, 4))
    np.testing.assert_allclose(model(x), 1, rtol=1e-6)
    model.out.bias.set_value(jnp.full(1, -50.0))
    assert float(model(x).min()) >= 0


def test_it_is_learned_if_the_plan_is_unbalanced_or_on_request(known, square, square_plan):
    problem, plan, _, _ = known
    config = bv.FlowConfig(velocity="tiny", steps=2, batch_size=8)
    masses = [
        next(bv.flows.fit(*inputs, replace(config, reweight=reweight))).flow.masses is not None
        for inputs in ((problem, plan), (square, square_plan))
        for reweight in (None, True, False)
    ]
    assert masses == [True, True, False, False, True, False]
    flow = next(bv.flows.fit(square, square_plan, config)).flow
    with pytest.raises(bv.InputError, match=r"source_mass\(\) needs a flow that learned .*reweight=True"):
        flow.source_mass(square.source.x)


def test_the_flow_is_the_same_with_and_without(known):
    problem, plan, _, _ = known
    config = bv.FlowConfig(velocity="tiny", steps=20, batch_size=8)
    one, two = (next(bv.flows.fit(problem, plan, replace(config, reweight=flag))) for flag in (True, False))
    np.testing.assert_allclose(one.losses, two.losses, rtol=1e-4)


def test_saved_and_loaded(known, learned, tmp_path):
    learned[-1].flow.save(tmp_path / "flow")
    loaded = bv.Flow.load(tmp_path / "flow")
    x, y = known[0].source.x, known[0].target.x
    np.testing.assert_array_equal(loaded.source_mass(x), learned[-1].flow.source_mass(x))
    np.testing.assert_array_equal(loaded.target_mass(y), learned[-1].flow.target_mass(y))


def test_draws_of_masses_are_uniform_over_rows():
    plan = Coupling(sparse.csr_array(np.diag([0.7, 0.0, 0.1])), every_row(3), every_row(3), "true")
    i, j, masses = plan.sampler().draw_with_masses(jax.random.key(0), 30_000)
    assert set(zip(np.asarray(i).tolist(), np.asarray(j).tolist(), strict=True)) == {(0, 0), (2, 2)}
    for rows, mass in ((masses.i, masses.eta), (masses.j, masses.xi)):
        np.testing.assert_allclose(np.bincount(rows) / 30_000, 1 / 3, atol=0.02)
        np.testing.assert_allclose(mass, np.array([2.1, 0.0, 0.3])[np.asarray(rows)], rtol=1e-6)


def test_a_local_plan_gives_the_masses_of_each_batch(blobs):
    pairs = blobs.sample_pairs(0.3, seed=0)
    cost = bv.costs.bridge(blobs.source.x, blobs.target.x, pairs)
    loose = bv.couplings.local(cost, epsilon=0.05, tau=(0.8, 1.0), batch_size=16, ot_batch_size=40)
    _, _, masses = loose.sampler().draw_with_masses(jax.random.key(0), 16)
    solved = loose.sampler().solve(jax.random.split(jax.random.key(0))[0])
    np.testing.assert_allclose(masses.eta, 40 * np.asarray(solved.plan).sum(1), rtol=1e-5)
    np.testing.assert_allclose(masses.xi, 40 * np.asarray(solved.plan).sum(0), rtol=1e-5)
    np.testing.assert_array_equal(masses.i, solved.i)
    tight = bv.couplings.local(cost, epsilon=0.5, batch_size=16).sampler().draw_with_masses(jax.random.key(0), 16)[2]
    np.testing.assert_allclose(tight.eta, 1, atol=0.1)
