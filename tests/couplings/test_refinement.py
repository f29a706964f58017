"""Refined plans on problems whose answer is known, and what refinement must not do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bridgeviz as bv
from bridgeviz import costs
from bridgeviz.costs import Atoms, SoftPairs, every_row, find_atoms
from bridgeviz.couplings import FGW, Coupling, Global, Linear
from bridgeviz.couplings._guesses import LEAST_SHARE, Guesser
from bridgeviz.couplings._refinement import Refiner, _best


def problem_of(x, y, labels=None, **more):
    target = labels if labels is None or len(labels) == len(y) else None
    return bv.Problem(
        bv.Space(x, labels=labels), bv.Space(y, labels=target), truth=[[i, i] for i in range(len(x))], **more
    )


def moons(seed=0, *, rows=60, noise=0.12):
    """Two interleaved half circles, and a point for each on the other side."""
    rng = np.random.default_rng(seed)
    angle = np.pi * rng.random(2 * rows)
    label = np.repeat([0, 1], rows)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x[label == 1] = [1, 0.5] - x[label == 1]
    return x + noise * rng.normal(size=x.shape), np.eye(2)[label], label


def clouds(seed=0, *, rows=(60, 60, 60), spread=1.0):
    """Clouds of several sizes around the corners of a simplex, and a point for each on the other side."""
    rng = np.random.default_rng(seed)
    label = np.repeat(np.arange(len(rows)), rows)
    x = 3 * np.eye(len(rows))[label] + spread * rng.normal(size=(len(label), len(rows)))
    return x, np.eye(len(rows))[label], label


def one_each(label):
    return np.stack([np.unique(label, return_index=True)[1]] * 2, axis=1)


def accuracy(plan, label):
    return bv.metrics.matching_accuracy(plan, label, label)


def couple(problem, pairs, options, **more):
    cost = options.build(problem.source.x, problem.target.x, pairs)
    return Global(**more).couple(problem, bv.problem.Pairs(pairs, shape=problem.shape), cost)


DIFFUSION = costs.DiffusionBridge(metric="sqeuclidean", k=8)
DISCRIMINANT = costs.DiscriminantBridge(metric="sqeuclidean")


def test_two_moons_with_a_pair_each_stay_apart():
    x, y, label = moons(noise=0.08)
    refined = couple(problem_of(x, y, label), one_each(label), DIFFUSION, refine=5)
    assert accuracy(refined, label) > 0.999
    assert refined.refinement.rounds >= 1
    assert not refined.refinement.held_out
    assert "too few pairs could be held out to confirm" in refined.verdict.text


def test_digits_with_a_pair_each_are_matched_better():
    problem = bv.load("mnist", n=1000)
    pairs = problem.sample_pairs(count=10, cover_classes=True, seed=2)
    label = problem.source.labels
    first, refined = (couple(problem, pairs, costs.DiffusionBridge(), refine=rounds) for rounds in (0, 5))
    assert accuracy(first, label) < 0.83
    assert accuracy(refined, label) > 0.88


def test_clouds_with_a_pair_each_reach_what_their_true_means_reach():
    x, y, label = clouds(1)
    problem, pairs = problem_of(x, y, label), one_each(label)
    first, refined = (couple(problem, pairs, DISCRIMINANT, refine=rounds) for rounds in (0, 10))
    nearest_true_mean = np.mean((x @ np.eye(3)).argmax(1) == label)
    assert accuracy(first, label) < nearest_true_mean - 0.05
    assert accuracy(refined, label) > nearest_true_mean - 0.03


def test_classes_of_other_sizes_keep_them_where_the_target_may():
    x, _, label = clouds(2, rows=(120, 50, 20), spread=0.6)
    target = np.repeat(np.arange(3), 60)  # which says that they are of one size
    problem = bv.Problem(bv.Space(x, labels=label), bv.Space(np.eye(3)[target], labels=target))
    pairs = np.stack([np.unique(label, return_index=True)[1], np.unique(target, return_index=True)[1]], axis=1)
    plans = [couple(problem, pairs, DISCRIMINANT, solver=Linear(tau=(1.0, tau)), refine=8) for tau in (1.0, 0.3)]
    balanced, free = (bv.metrics.matching_accuracy(plan, label, target) for plan in plans)
    assert balanced < 0.85  # 60 rows of the large class must go elsewhere
    assert free > 0.93


def test_without_a_relation_nothing_is_refined_and_the_report_says_so():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(150, 5)), rng.normal(size=(150, 4))
    pairs = np.stack([np.arange(75)] * 2, axis=1)
    problem = problem_of(x, y)
    plan = couple(problem, pairs, costs.DiffusionBridge(), refine=2)
    assert plan.refinement.rounds == 0
    assert plan.refinement.held_out == 15
    assert "15 held-out pairs do not confirm that this helps" in plan.verdict.text
    np.testing.assert_array_equal(plan.plan, couple(problem, pairs, costs.DiffusionBridge()).plan)


def test_held_out_pairs_confirm_a_relation():
    x, y, label = clouds(0, rows=(50, 50, 50, 50), spread=1.2)
    pairs = np.stack([np.random.default_rng(0).permutation(200)[:60]] * 2, axis=1)
    report = couple(problem_of(x, y, label), pairs, DISCRIMINANT, refine=4).refinement
    assert report.held_out == 12
    assert report.rounds >= 1
    assert report.ranks[min(report.rounds, len(report.ranks) - 1)] == min(report.ranks) < report.ranks[0] < 0.1
    assert "12 held-out pairs found their partners at a mean rank of" in report.text


@pytest.mark.parametrize(
    ("means", "expected"),
    [((0.3, 0.2, 0.25), 1), ((0.3, 0.2, 0.2), 2), ((0.1, 0.2, 0.3), 0), ((0.5, 0.45, 0.42), 0)],
)
def test_the_best_number_of_rounds_is_the_last_of_equals_if_it_beats_chance(means, expected):
    assert _best([np.full(40, mean) for mean in means]) == expected  # by chance 0.5 +- 0.046


@pytest.mark.parametrize("solver", [Linear(), FGW(alpha=0.3)])
def test_zero_rounds_are_the_solver_alone(solver):
    x, y, label = clouds(5, rows=(12, 12))
    problem, pairs = problem_of(x, y, label), one_each(label)
    cost = DIFFUSION.build(x, y, pairs)
    within = (costs.Within(x), costs.Within(y)) if solver.needs_spaces else None
    plan = couple(problem, pairs, DIFFUSION, solver=solver)
    np.testing.assert_array_equal(plan.plan, solver.solve(cost, within).plan)
    assert plan.refinement is None
    assert "efined" not in plan.verdict.text


def test_the_truth_and_the_labels_are_not_read():
    x, y, label = moons(1, rows=40)
    pairs = one_each(label)
    wrong = np.random.default_rng(0).permutation(80)
    other = bv.Problem(bv.Space(x, labels=label[wrong]), bv.Space(y), truth=[[i, int(j)] for i, j in enumerate(wrong)])
    plans = [couple(problem, pairs, DIFFUSION, refine=2) for problem in (problem_of(x, y, label), other)]
    np.testing.assert_array_equal(plans[0].plan, plans[1].plan)


def test_weights_and_forbidden_matches_are_kept():
    x, y, label = clouds(6, rows=(20, 20, 20), spread=0.8)
    pairs = one_each(label)
    weights = np.where(np.arange(60) == 7, 0.0, 1.0)
    problem = bv.Problem(bv.Space(x, weights=weights), bv.Space(y))
    cost = DISCRIMINANT.build(x, y, pairs).forbid([[5, int(j)] for j in range(20)])
    plan = Global(refine=3).couple(problem, bv.problem.Pairs(pairs, shape=(60, 60)), cost)
    assert plan.refinement.rounds >= 1
    assert plan.marginals()[0][7] == 0
    assert plan.dense()[5, :20].sum() == 0
    assert plan.mass == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(plan.marginals()[0][np.arange(60) != 7], 1 / 59, atol=1e-4)


def test_each_round_is_built_on_the_known_pairs_and_guesses_for_all_other_rows():
    x, y, label = moons(2, rows=30)
    pairs, seen = one_each(label), []
    cost = DIFFUSION.build(x, y, pairs)

    def rebuild(soft):
        seen.append(soft)
        return cost.rebuild(soft)

    steps = Refiner(replace(cost, rebuild=rebuild), pairs, Linear(method="ott", tolerance=1e-3).steps, 3).steps()
    yielded = list(steps)
    assert [number for number, _ in yielded] == list(range(1, len(seen) + 1))
    assert all(0 <= moved <= 1 for _, moved in yielded)
    for soft in seen:
        np.testing.assert_array_equal(soft.known, pairs)
        assert set(soft.guesses[:, 0]) == set(range(60)) - set(pairs[:, 0])


@pytest.mark.parametrize("name", costs.COSTS)
def test_every_cost_and_a_solver_with_steps_can_be_refined(name):
    x, y, label = clouds(7, rows=(12, 12))
    problem, pairs = problem_of(x, y), np.array([[0, 0], [1, 1], [12, 12], [13, 13]])
    cost = costs.COSTS[name]().build(x, y, pairs)
    seen = []
    plan = Global(solver=FGW(alpha=0.2), refine=1).couple(
        problem, bv.problem.Pairs(pairs, shape=(24, 24)), cost, on_step=lambda *step: seen.append(step)
    )
    assert plan.refinement.rounds == 1
    assert len(seen) >= 3
    assert accuracy(plan, label) > 0.6


def test_a_matrix_of_costs_cannot_be_refined():
    problem = problem_of(np.eye(3), np.eye(3))
    with pytest.raises(bv.InputError, match=r"is not built on pairs\. Use refine=0\."):
        Global(refine=1).couple(problem, problem.sample_pairs(count=1), costs.as_cost(np.eye(3), "example"))


def test_it_is_a_setting_of_a_run():
    config = bv.RunConfig(dataset="swiss-roll", refine=3)
    assert config.coupling == Global(refine=3)
    with pytest.raises(bv.InputError, match=r"The 'refine' of RunConfig\(\) must be an integer >= 0"):
        bv.RunConfig(refine=-1)


# Guesses --------------------------------------------------------------------------------------------------------------


def plan_between(seed, n, m, copies):
    """A random plan between rows of which some are equal."""
    rng = np.random.default_rng(seed)
    sides: list[Atoms] = []
    for size in (n, m):
        sides.append(find_atoms(rng.integers(3, size=(size, 2)).astype(float)) if copies else every_row(size))
    mass = rng.random((len(sides[0]), len(sides[1]))) ** 4
    return Coupling(mass / mass.sum(), *sides, solver="linear")


@given(seed=st.integers(0, 10**6), n=st.integers(2, 12), m=st.integers(2, 12), copies=st.booleans())
@settings(max_examples=60)
def test_guesses_are_the_shares_of_the_larger_side(seed, n, m, copies):
    plan = plan_between(seed, n, m, copies)
    known = np.array([[0, 0]])
    soft = Guesser.of(plan).guesses(known)
    source = len(plan.source_atoms) >= len(plan.target_atoms)
    dense = plan.plan if source else plan.plan.T
    rows, partners = (plan.source_atoms, plan.target_atoms) if source else (plan.target_atoms, plan.source_atoms)
    expected = {}
    for u in range(len(rows)):
        for v in range(len(partners)):
            share = dense[u, v] / dense[u].sum()
            if share >= LEAST_SHARE and u != rows.index[0]:
                kept = min(1, dense[u].sum() / rows.mass[u])
                pair = (int(rows.rows[u]), int(partners.rows[v]))
                expected[pair if source else pair[::-1]] = (share, share * kept * rows.multiplicity[u])
    got = {
        tuple(pair): numbers for pair, *numbers in zip(soft.guesses.tolist(), soft.shares, soft.weights, strict=True)
    }
    assert got.keys() == expected.keys()
    for pair, numbers in expected.items():
        np.testing.assert_allclose(got[pair], numbers, rtol=1e-9)
    assert soft.pairs[0].tolist() == [0, 0]
    assert soft.counts[0] == 1


@given(seed=st.integers(0, 10**6), n=st.integers(2, 10), m=st.integers(2, 10), copies=st.booleans())
@settings(max_examples=60)
def test_ranks_count_the_partners_that_are_ahead(seed, n, m, copies):
    plan = plan_between(seed, n, m, copies)
    guesser = Guesser.of(plan)
    pairs = np.random.default_rng(seed).integers((n, m), size=(4, 2))
    known = np.array([[0, 0], [1, 0]])
    dense, atoms, column = plan.dense() / plan.source_atoms.shares[:, None], plan.target_atoms, 1
    if guesser.side:
        dense, atoms, column = plan.dense().T / plan.target_atoms.shares[:, None], plan.source_atoms, 0
    for pair, rank in zip(pairs, guesser.ranks(pairs, known), strict=True):
        other = atoms.index != atoms.index[pair[column]]
        other[known[:, column]] = False
        mass, own = dense[pair[1 - column]], dense[pair[1 - column], pair[column]]
        tied = np.isclose(mass, own, rtol=1e-12)
        ahead = np.sum(other & (mass > own) & ~tied) + np.sum(other & tied) / 2
        assert rank == pytest.approx(ahead / max(other.sum(), 1))


def test_of_many_guesses_the_largest_are_kept():
    mass = np.full((2, 80), 1.0)
    mass[0, :5] = 20
    soft = Guesser(mass, every_row(2), every_row(80), 0).guesses(np.array([[1, 0]]))
    assert soft.guesses.tolist() == [[0, j] for j in range(5)]


def test_confident_guesses_are_limited_and_spread_over_the_partners():
    n = 3000
    guesses = np.stack([np.arange(n), np.where(np.arange(n) < 2900, 0, 1)], axis=1)
    shares = np.linspace(0.4, 1, n)
    confident = SoftPairs(np.array([[n, 0]]), guesses, shares, shares).confident
    assert confident[0].tolist() == [n, 0]
    assert len(confident) == 1001
    assert (confident[1:, 1] == 1).sum() == 100
    assert confident[1:][confident[1:, 1] == 0, 0].tolist() == list(range(2000, 2900))


def test_the_diffusion_bridge_starts_at_guesses_as_much_as_they_count():
    x, y, label = moons(3, rows=15)
    pairs = one_each(label)
    cost = DIFFUSION.build(x, y, pairs)
    np.testing.assert_array_equal(cost.rebuild(SoftPairs(pairs)).on_atoms, cost.on_atoms)
    whole = np.concatenate([pairs, [[3, 3], [20, 20]]])
    soft = cost.rebuild(SoftPairs(pairs, whole[2:], np.ones(2), np.ones(2)))
    expected = replace(DIFFUSION, a=cost.facts["a"]).build(x, y, whole)
    np.testing.assert_allclose(soft.on_atoms, expected.on_atoms, atol=1e-9)
    np.testing.assert_array_equal(soft.anchors, pairs)
    half = cost.rebuild(SoftPairs(pairs, whole[2:], np.full(2, 0.5), np.full(2, 0.5)))
    kernels = [np.exp(-one.on_atoms) for one in (cost, half, soft)]
    assert not np.allclose(kernels[1], kernels[2])


def test_a_guess_is_confident_with_more_than_half_of_its_row():
    guesses, shares = np.array([[1, 0], [2, 1], [3, 1]]), np.array([0.3, 0.5, 0.51])
    assert SoftPairs(np.array([[0, 0]]), guesses, shares, shares).confident.tolist() == [[0, 0], [3, 1]]
