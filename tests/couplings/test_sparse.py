"""Transport on the few entries that carry mass: the plan of the whole matrix, and what is said about the others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import bridgeviz as bv
from bridgeviz import InputError
from bridgeviz._near_entries import Legs, near_entries
from bridgeviz.couplings import Linear, linear
from bridgeviz.couplings import _linear_sparse as engine
from bridgeviz.couplings import _sampled_potentials as guesses

TAUS = [(1.0, 1.0), (0.9, 0.7), (1.0, 0.95)]


def spaces(n: int = 150, m: int = 120, count: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clusters of different sizes on both sides, so that mass has to leave them."""
    rng = np.random.default_rng(seed)
    x, y = (rng.normal(size=(size, d)) + 2 * rng.integers(0, 2, (size, d)) for size, d in ((n, 3), (m, 4)))
    return x, y, np.stack([rng.permutation(min(n, m))[:count]] * 2, axis=1)


def bridge(*arrays: np.ndarray):
    return bv.costs.bridge(*(arrays or spaces()), metric="sqeuclidean")


def both(cost, **options):
    """The sparse plan and the dense one, as matrices."""
    ours, theirs = (linear(cost, method=method, **{"tolerance": 1e-6, **options}) for method in ("sparse", "dense"))
    assert ours.converged, ours.advice
    assert theirs.converged
    return ours, theirs


def distance(ours, theirs) -> float:
    return float(np.abs(ours.dense() - theirs.dense()).sum() / theirs.mass)


@pytest.mark.parametrize("tau", TAUS, ids=str)
@pytest.mark.parametrize("epsilon", [0.02, 0.005])
def test_the_plan_is_that_of_the_whole_matrix(epsilon, tau):
    ours, theirs = both(bridge(), epsilon=epsilon, tau=tau)
    assert sparse.issparse(ours.plan)
    assert ours.plan.nnz < 0.8 * theirs.plan.size
    assert distance(ours, theirs) < 1e-3
    assert ours.method == "sparse"
    assert "of the entries are stored, and the others would have" in ours.why


@pytest.mark.parametrize(("n", "seed", "tolerance"), [(600, 7, 1e-5), (1500, 7, 1e-3), (2500, 2, 1e-2)])
def test_its_marginals_are_within_the_tolerance(n, seed, tolerance):
    """Also where the entries that were chosen first can't take all of the mass."""
    rng = np.random.default_rng(seed)
    x = 2 * rng.normal(size=(10, 6))[rng.integers(10, size=n)] + rng.normal(size=(n, 6))
    y = 2 * rng.normal(size=(10, 4))[rng.integers(10, size=n)] + rng.normal(size=(n, 4))
    cost = bridge(x, y, np.stack([rng.choice(n, n // 20, replace=False)] * 2, axis=1))
    plan = linear(cost, method="sparse", epsilon=0.002, tolerance=tolerance)
    assert plan.converged
    off = [np.abs(plan.plan.sum(axis) - 1 / n).sum() for axis in (0, 1)]
    assert sum(off) <= tolerance


@pytest.mark.parametrize("cost", ["geodesic_bridge", "knn"])
def test_other_costs_of_paths(cost):
    options = {"form": "path"} if cost == "knn" else {}
    ours, theirs = both(getattr(bv.costs, cost)(*spaces(), metric="sqeuclidean", **options), epsilon=0.02)
    assert distance(ours, theirs) < 1e-3


@pytest.mark.parametrize("tau", TAUS, ids=str)
def test_merged_rows_and_weights(tau):
    x, y, pairs = spaces()
    cost = bridge(np.concatenate([x, x[:20]]), np.concatenate([y, y[:10], y[:10]]), pairs)
    rng = np.random.default_rng(1)
    weights = rng.random(170) ** 4, rng.random(140) * (rng.random(140) > 0.2)
    for given in (None, weights):
        ours, theirs = both(cost, epsilon=0.02, tau=tau, weights=given)
        assert ours.merged
        assert distance(ours, theirs) < 2e-3
        if given is not None:
            assert not ours.marginals()[1][weights[1] == 0].any()


@pytest.mark.parametrize("tau", TAUS, ids=str)
def test_a_sample_of_rows_and_columns_is_enough_to_start_from(tau, monkeypatch):
    monkeypatch.setattr(guesses, "SAMPLE", 30)
    monkeypatch.setattr(engine, "ROWS", 40)
    cost = bridge()
    ours, theirs = both(cost, epsilon=0.01, tau=tau, scale_cost=cost.mean())
    assert distance(ours, theirs) < 2e-3
    assert "+-" in ours.why
    guessed = linear(cost, method="sparse", epsilon=0.01, tau=tau)
    assert "the mean of the cost as estimated from 30 rows and 30 columns" in guessed.why


def test_the_mean_from_a_sample_has_the_error_that_it_says(monkeypatch):
    monkeypatch.setattr(guesses, "SAMPLE", 30)
    errors = []
    for seed in range(20):
        cost = bridge(*spaces(seed=seed))
        source, target = guesses.sides(cost, engine.support(cost, (1.0, 1.0), "test"), (1.0, 1.0))
        mean, error = guesses.sampled(source, target).mean(source.mass, target.mass)
        assert abs(mean / cost.mean() - 1) < 0.02
        errors.append((mean - cost.mean()) / error)
    assert 0.5 < np.std(errors) < 2


def test_the_search_finds_all_entries_below_their_limits():
    rng = np.random.default_rng(0)
    a, b = rng.random((40, 7)), rng.random((30, 7))
    offsets, limits = rng.random(40), rng.random(40)
    expected = (a[:, None] + b).min(-1) / 0.5 - offsets[:, None]
    found = near_entries(Legs(a, 0.5, offsets), Legs(b, 0.5, np.zeros(30)), limits, most=10_000)
    wanted = expected <= limits[:, None]
    assert 10 < wanted.sum() < 1000
    np.testing.assert_array_equal(found.astype(bool).toarray(), wanted)
    np.testing.assert_allclose(found.toarray()[wanted], expected[wanted], atol=1e-6)
    assert near_entries(Legs(a, 0.5, offsets), Legs(b, 0.5, np.zeros(30)), limits, most=10) is None


def test_bad_potentials_are_noticed_and_entries_are_chosen_again(monkeypatch):
    cost, right, calls = bridge(), engine.potentials, []

    def wrong(*arguments):
        f, g, rows = right(*arguments)
        g = g + np.where(np.arange(len(g)) % 2, 15.0, -15.0)
        return f, g, rows

    def counted(*arguments):
        calls.append(1)
        return chosen(*arguments)

    chosen = engine.chosen
    monkeypatch.setattr(engine, "potentials", wrong)
    monkeypatch.setattr(engine, "chosen", counted)
    ours, theirs = both(cost, epsilon=0.005)
    assert len(calls) > 1
    assert distance(ours, theirs) < 1e-3


def test_what_is_missed_is_said(monkeypatch):
    monkeypatch.setattr(engine, "LEFT_OUT", 5.0)
    monkeypatch.setattr(engine, "ROUNDS", 1)
    options = {"epsilon": 0.02, "tau": (0.9, 0.9)}
    plan = linear(bridge(), method="sparse", **options)
    assert not plan.converged
    assert "after 1 choice of entries: try a larger epsilon (now 0.02), or the method 'dense'" in plan.advice
    share = float(plan.advice.split("would have ")[1].split()[0])
    whole = linear(bridge(), method="dense", **options)
    truth = whole.plan[plan.plan.toarray() == 0].sum() / whole.mass
    assert truth > 0.1
    assert truth < share < 3 * truth  # the others carry what these would have carried


def test_it_is_taken_where_the_matrix_exceeds_the_memory(monkeypatch):
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", str(500_000 / 2**30))
    cost = bridge()
    plan = linear(cost)
    assert plan.method == "sparse"
    assert plan.why.startswith("a matrix of 150 x 120 atoms exceeds the memory, and few entries of bridge carry mass; ")
    for other, options in ((cost, {"epsilon": 1.0}), (cost.forbid([[0, 1]]), {})):
        with pytest.raises(bv.costs.TooLarge, match="150 x 120 atoms by the method 'dense'"):
            linear(other, **options)
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", str(20_000 / 2**30))
    with pytest.raises(bv.costs.TooLarge, match="plan of 150 x 120 atoms with more than 1,000 entries"):
        linear(cost)


def test_what_has_no_paths_is_refused():
    x, y, pairs = spaces()
    with pytest.raises(InputError, match=r"'method' of linear\(\) .*'dense' or 'ott' for knn"):
        linear(bv.costs.knn(x, y, pairs), method="sparse")
    with pytest.raises(InputError, match="where matches are forbidden"):
        linear(bridge().forbid([[0, 1]]), method="sparse")


def test_large_legs_are_single_and_give_the_same_plan(monkeypatch):
    double = bridge()
    monkeypatch.setattr("bridgeviz.costs._legs.LARGE", 100)
    single = bridge()
    assert single.source_factor.dtype == single.target_factor.dtype == np.float32
    np.testing.assert_allclose(single.on_atoms, double.on_atoms, rtol=1e-5, atol=1e-6)
    assert single.on_atoms.dtype == np.float64
    assert distance(*(linear(cost, method="sparse", epsilon=0.01) for cost in (single, double))) < 1e-3


def test_what_large_legs_take_is_counted_as_it_is(monkeypatch):
    numbers = (150 + 120) * 12
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", str(8 * numbers / 2**30))
    assert bridge().source_factor.dtype == np.float64
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", str(7.9 * numbers / 2**30))
    with pytest.raises(bv.costs.TooLarge, match="The factors of bridge"):
        bridge()
    monkeypatch.setattr("bridgeviz.costs._legs.LARGE", 100)
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", str(4.5 * numbers / 2**30))
    assert bridge().source_factor.dtype == np.float32


def test_too_few_iterations_are_said():
    short = linear(bridge(), method="sparse", epsilon=0.005, tolerance=1e-12, max_iterations=40)
    assert not short.converged
    assert short.iterations == 40
    assert "more Sinkhorn iterations" in short.advice


def test_it_tells_its_progress():
    told = []
    plan = Linear(method="sparse", epsilon=0.01, tolerance=1e-6).solve(
        bridge(), on_step=lambda *step: told.append(step)
    )
    numbers = [number for number, _ in told]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == plan.iterations
    assert told[-1][1] <= 1e-6
