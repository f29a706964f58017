"""Transport on the factors of a kernel: the same plan as on the whole kernel, and everything that is read from it."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy import sparse

import bridgeviz as bv
from bridgeviz import InputError
from bridgeviz.couplings import Linear, linear
from bridgeviz.couplings._factored import Factored
from bridgeviz.metrics import strongest

TAUS = [(1.0, 1.0), (0.9, 0.7), (1.0, 0.95)]
OPTIONS = [{}, {"power": 3.0}, {"strongest": 4}, {"strongest": 4, "power": 2.0}]


def spaces(n: int = 80, m: int = 60, count: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)), rng.normal(size=(m, 4)), np.stack([rng.permutation(m)[:count]] * 2, axis=1)


def diffusion(*arrays, **options):
    x, y, pairs = arrays or spaces()
    return bv.costs.diffusion_bridge(x, y, pairs, metric="sqeuclidean", k=6, a=0.9, **options)


def on_the_whole_kernel(cost, **options):
    return linear(cost, method="ott", epsilon=1.0, scale_cost=1.0, **options)


@pytest.fixture(scope="module")
def plan():
    return linear(diffusion(), method="factorised", tolerance=1e-9)


@pytest.mark.parametrize("tau", TAUS, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_plan_is_that_of_the_whole_kernel(options, tau):
    cost = diffusion(**options)
    ours = linear(cost, method="factorised", tau=tau, tolerance=1e-9)
    theirs = on_the_whole_kernel(cost, tau=tau, tolerance=1e-9)
    assert np.abs(ours.dense() - theirs.dense()).sum() < 1e-6 * theirs.mass
    assert ours.converged
    assert (ours.method, ours.epsilon) == ("factorised", 1.0)
    assert isinstance(ours.plan, Factored)
    assert sparse.issparse(ours.plan.left) == ("strongest" in options)


@pytest.mark.parametrize("tau", TAUS, ids=str)
def test_merged_rows_and_weights(tau):
    x, y, pairs = spaces()
    cost = diffusion(np.concatenate([x, x[:20]]), np.concatenate([y, y[:10], y[:10]]), pairs)
    rng = np.random.default_rng(1)
    weights = rng.random(100), rng.random(80) * (rng.random(80) > 0.2)
    for given in (None, weights):
        ours = linear(cost, method="factorised", tau=tau, weights=given, tolerance=1e-9)
        theirs = on_the_whole_kernel(cost, tau=tau, weights=given, tolerance=1e-9)
        assert ours.merged
        assert np.abs(ours.dense() - theirs.dense()).sum() < 1e-6 * theirs.mass
        if given is not None:
            assert not ours.marginals()[1][weights[1] == 0].any()


def test_large_factors_are_single_and_give_the_same_plan(monkeypatch, plan):
    monkeypatch.setattr("bridgeviz.costs._diffusion.LARGE", 100)
    cost = diffusion()
    assert cost.source_factor.dtype == cost.target_factor.dtype == np.float32
    single = linear(cost, method="factorised", tolerance=1e-5)
    assert single.converged
    assert np.abs(single.dense() - plan.dense()).sum() < 1e-3
    kept = diffusion(strongest=4)
    assert kept.source_factor.dtype == np.float32


def test_islands_without_a_pair_find_a_place():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(30, 2)), 100 + rng.normal(size=(20, 2))])
    y = np.concatenate([rng.normal(size=(30, 2)), 100 + rng.normal(size=(20, 2))])
    plan = linear(diffusion(x, y, np.array([[0, 0], [5, 5]])), method="factorised", tolerance=1e-3)
    assert plan.converged
    assert plan.iterations < 200  # plain iterations need a thousand times as many
    groups = (np.arange(50) >= 30).astype(int)
    np.testing.assert_allclose(plan.between(groups, groups, (2, 2)), [[0.6, 0], [0, 0.4]], atol=1e-3)


def test_what_cannot_be_factored_is_refused():
    x, y, pairs = spaces()
    with pytest.raises(InputError, match=r"'method' of linear\(\) .*'dense' or 'ott' for bridge"):
        linear(bv.costs.bridge(x, y, pairs), method="factorised")
    with pytest.raises(InputError, match="where matches are forbidden"):
        linear(diffusion().forbid([[0, 1]]), method="factorised")
    with pytest.raises(InputError, match=r"'epsilon' of linear\(\) .*1 / scale_cost.*power"):
        linear(diffusion(), method="factorised", epsilon=0.1, scale_cost=1.0)
    assert linear(diffusion(), method="factorised", epsilon=0.1, scale_cost=10.0).converged
    with pytest.raises(InputError, match=r"'power' of diffusion_bridge\(\) .*1 with form 'profile'"):
        diffusion(form="profile", power=2.0)


def test_a_matrix_beyond_the_memory_is_solved_by_its_factors(monkeypatch):
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", str(100_000 / 2**30))
    cost = diffusion()
    found = linear(cost)
    assert found.method == "factorised"
    assert "exceeds the memory, and the kernel of diffusion_bridge has factors" in found.why
    with pytest.raises(bv.costs.TooLarge):
        linear(cost, epsilon=0.1)  # whose kernel has no factors
    monkeypatch.delenv("BRIDGEVIZ_MEMORY_GB")
    small = linear(cost)
    assert (small.method, small.why) == ("newton", "a side has at most 128 atoms")


def test_what_is_read_from_the_plan(plan):
    dense, rng = plan.dense(), np.random.default_rng(0)
    np.testing.assert_allclose(plan.row(3), dense[3] / dense[3].sum())
    np.testing.assert_allclose(plan.block([1, 4], [2, 0, 7]), dense[np.ix_([1, 4], [2, 0, 7])])
    np.testing.assert_allclose(plan.marginals()[0], dense.sum(1))
    np.testing.assert_allclose(plan.marginals()[1], dense.sum(0))
    assert plan.mass == pytest.approx(1)
    groups = rng.integers(0, 3, 80), rng.integers(0, 3, 60)
    sums = np.zeros((3, 3))
    np.add.at(sums, (groups[0][:, None], groups[1][None]), dense)
    np.testing.assert_allclose(plan.between(*groups, (3, 3)), sums)
    assert plan.agreement(*groups, 3) == pytest.approx(np.trace(sums))
    i, j, mass = strongest(plan, 5)
    np.testing.assert_allclose(mass, np.sort(dense, axis=None)[::-1][:5])
    np.testing.assert_allclose(dense[i, j], mass)
    whole, kept = plan.sparse()
    assert kept == 1
    np.testing.assert_allclose(whole.toarray(), dense)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_draws_follow_the_plan_on_the_host_and_on_the_device(options):
    """Mass goes from a row over an anchor to a column: the chi-square of all cells is as that of draws from them."""
    plan = linear(diffusion(**options), method="factorised")
    expected, size = plan.dense(), 100_000
    for i, j in (plan.sample(0, size), plan.sampler().draw(jax.random.key(0), size)):
        counts = np.zeros(plan.shape)
        np.add.at(counts, (np.asarray(i), np.asarray(j)), 1)
        often = expected * size >= 5
        distance = ((counts - size * expected)[often] ** 2 / (size * expected[often])).sum() / often.sum()
        assert distance == pytest.approx(1, abs=0.15)
        order = np.argsort(np.asarray(i), kind="stable")
        assert not np.array_equal(order, np.arange(size))  # in no order of their own


@pytest.mark.parametrize("most_products", [10**12, 1], ids=["multiplied out", "along anchors"])
def test_a_large_plan_is_written_with_the_largest_entries_of_each_row(plan, most_products, monkeypatch):
    monkeypatch.setattr("bridgeviz.couplings._largest.MOST_PRODUCTS", most_products)
    monkeypatch.setattr("bridgeviz.couplings._largest.BLOCK_BYTES", 10_000)
    dense = plan.dense()
    kept, share = plan.sparse(most=800)
    assert share == pytest.approx(kept.sum())
    assert np.diff(kept.indptr).max() <= 10
    largest = -np.sort(-dense, axis=1)[:, :10]
    if most_products > 1:
        assert share == pytest.approx(largest.sum())
        np.testing.assert_allclose(kept.toarray(), np.where(dense >= largest[:, -1:], dense, 0))
    else:  # a part of each entry: what the strongest anchors carry
        assert (kept.toarray() <= dense + 1e-15).all()
        assert share > 0.7 * largest.sum()


def test_power_makes_the_plan_sharper():
    shares = [linear(diffusion(power=power), method="factorised").sparse(most=160)[1] for power in (1.0, 2.0, 8.0)]
    assert shares[0] < shares[1] < shares[2]


def test_a_flow_is_trained_from_it_without_the_matrix(monkeypatch):
    x, y, pairs = spaces()
    plan = linear(diffusion(x, y, pairs), method="factorised")
    monkeypatch.setattr(Factored, "toarray", lambda self: pytest.fail("multiplied out"))
    config = bv.flows.FlowConfig(velocity="mlp-small", steps=20, chunk_size=10)
    *_, last = bv.flows.fit(bv.Problem(bv.Space(x), bv.Space(y)), plan, config)
    assert np.isfinite(last.flow.transport(x[:2]).states).all()


def test_over_relaxation_takes_a_fraction_of_the_iterations(monkeypatch):
    cost = diffusion(power=32.0)
    ours = linear(cost, method="factorised", tolerance=1e-6)
    monkeypatch.setattr("bridgeviz._factor_sinkhorn.best_relaxation", lambda omega, rate: 1.0)
    plain = linear(cost, method="factorised", tolerance=1e-6)
    assert plain.converged
    assert ours.iterations < plain.iterations / 2


def test_the_columns_fit_wherever_it_stops():
    plan = linear(diffusion(power=32.0), method="factorised", tolerance=1e-12, max_iterations=30)
    assert plan.marginal_error > 1e-6
    np.testing.assert_allclose(plan.marginals()[1], 1 / 60, rtol=1e-9)


def test_it_tells_its_progress_and_what_it_took():
    steps = Linear(method="factorised", tolerance=1e-14, max_iterations=40).steps(diffusion(power=8.0))
    told = [next(steps)]
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            plan = end.value
            break
    assert [step for step, _ in told] == [10, 20, 30, 40]
    assert told[-1][1] < told[0][1]
    assert not plan.converged
    assert "more Sinkhorn iterations, or a smaller power of diffusion_bridge" in plan.advice
    assert plan.seconds > 0
    assert plan.memory >= 0
    assert plan.why == "as asked for"
