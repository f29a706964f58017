"""The Procrustes bridge on spaces whose answer is known, and its parts against their definitions."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import quadratic_assignment
from scipy.stats import ortho_group

import bridgeviz as bv
from bridgeviz import costs
from bridgeviz._scaling import scale_kernel
from bridgeviz._sinkhorn import solve_linear
from bridgeviz.costs import _restarts
from bridgeviz.costs._alternation import agreement, judge, linear_cka, spectral
from bridgeviz.costs._geometric_start import geometric_start, match_geometries
from bridgeviz.costs._sides import Sides, centred, unit
from bridgeviz.costs._similarity_start import similarity_start
from bridgeviz.couplings._solver_options import finish


def cloud(n=120, p=5, seed=0):
    """A skewed cloud with principal directions of different lengths, which has no symmetry."""
    rng = np.random.default_rng(seed)
    return rng.gamma(1.0, size=(n, p)) * np.arange(1, p + 1)


def rotated(x, q, seed=1):
    """The same points in q >= p dimensions, after a random rotation and a shift."""
    turn = ortho_group.rvs(max(q, x.shape[1]), random_state=seed)[: x.shape[1], :q]
    return x @ turn + np.arange(q)


def sides(x, y, pairs=()):
    a, b = (np.full(len(points), 1 / len(points)) for points in (x, y))
    x, y = centred(x, a), centred(y, b)
    i, j = np.asarray(pairs, int).reshape(-1, 2).T
    return Sides(x=x, y=y, a=a.astype(np.float32), b=b.astype(np.float32), x_pairs=x[i], y_pairs=y[j])


def same(count):
    return np.stack([np.arange(count)] * 2, axis=1)


@pytest.mark.parametrize(("q", "kept", "pairs"), [(5, 120, 0), (8, 120, 0), (5, 100, 0), (8, 100, 5)])
def test_a_rotation_is_found_exactly(q, kept, pairs):
    x = cloud()
    y = rotated(x, q)[:kept]
    cost = costs.procrustes_bridge(x, y, same(pairs))
    assert cost.shape == (120, kept)
    np.testing.assert_array_equal(cost.dense()[:, :kept].argmin(0), np.arange(kept))
    if kept == 120:
        np.testing.assert_allclose(cost.dense().diagonal(), 0, atol=1e-5)
    assert cost.facts["lead"] is None or cost.facts["lead"] > 0.3
    assert cost.facts["cka"] > 0.9


def test_from_more_dimensions_to_fewer():
    y = cloud()
    cost = costs.procrustes_bridge(rotated(y, 9), y, [])
    np.testing.assert_array_equal(cost.dense().argmin(1), np.arange(len(y)))


def test_a_noisy_linear_map_is_found_with_few_pairs():
    x = cloud(150)
    rng = np.random.default_rng(3)
    y = x @ (ortho_group.rvs(5, random_state=2) * np.array([1.0, 1.2, 0.8, 1.1, 0.9])) + 0.3 * rng.normal(size=x.shape)
    known, truth = same(6), same(150)[6:]
    cost = costs.procrustes_bridge(x, y, known)
    assert bv.metrics.foscttm(cost, truth) < 0.01
    assert cost.facts["held_out"] > 0.5
    assert cost.advice == ""
    ridge = costs.procrustes_bridge(x, y, known, map="ridge")
    assert bv.metrics.foscttm(ridge, truth) < 0.03
    assert ridge.facts["map"] == "ridge"
    assert not np.allclose(ridge.dense(), cost.dense(), atol=1e-3)


def test_the_ridge_map_may_stretch_where_a_rotation_may_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(150, 4))
    y = x @ np.diag([5.0, 1.0, 0.2, 0.0]) @ ortho_group.rvs(4, random_state=0) + 0.3 * rng.normal(size=(150, 4))
    truth = same(150)[100:]
    errors = {
        name: bv.metrics.foscttm(costs.procrustes_bridge(x, y, same(100), map=name), truth)
        for name in ("orthogonal", "ridge")
    }
    assert errors["ridge"] < errors["orthogonal"] - 0.01


@pytest.mark.parametrize("pairs", [0, 30])
def test_no_relation_is_called_one(pairs):
    """Two clouds that have nothing to do with each other."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(150, 6)) * np.arange(1, 7), rng.normal(size=(140, 6)) * np.arange(2, 8)
    known = np.stack([rng.permutation(140)[:pairs], rng.permutation(140)[:pairs]], axis=1)
    cost = costs.procrustes_bridge(x, y, known)
    if pairs:
        assert abs(cost.facts["held_out"]) < 0.2
        assert "Held-out pairs are no nearer than chance" in cost.advice
    else:
        assert cost.facts["agreement"] < 0.6
        assert cost.facts["lead"] < 0.1
        assert cost.facts["held_out"] is None
        assert "don't rely on it without more known pairs" in cost.advice


def test_without_pairs_the_advice_says_how_far_to_trust_it():
    x = cloud(150, 8)
    cost = costs.procrustes_bridge(x, rotated(x, 8), [])
    assert "Found with no pairs: the agreement of the restarts is" in cost.advice
    assert cost.advice.endswith("Confirm it with some known pairs.")


def test_merged_atoms_are_rows_with_their_mass():
    """Rows that occur several times change nothing but the masses; the merged problem is the whole one."""
    x = cloud(60)
    y = rotated(x, 5)
    times = np.random.default_rng(0).integers(1, 4, len(x))
    copies = np.repeat(np.arange(len(x)), times)
    cost = costs.procrustes_bridge(x[copies], y[copies], [])
    assert cost.atom_shape == (60, 60)
    np.testing.assert_array_equal(cost.on_atoms.argmin(1), np.arange(60))
    weighted = bv.Problem(bv.Space(x, weights=times), bv.Space(y, weights=times))
    again = costs.ProcrustesBridge().build_for(weighted, [])
    np.testing.assert_allclose(again.dense(), cost.on_atoms, atol=1e-4)


def test_rows_without_weight_do_not_take_part():
    x = cloud(80)
    y = rotated(x, 5)
    junk = 50 + 100 * np.random.default_rng(0).normal(size=(40, 5))
    weights = np.repeat([1.0, 0.0], [80, 40])
    problem = bv.Problem(bv.Space(np.vstack([x, junk]), weights=weights), bv.Space(y))
    cost = costs.ProcrustesBridge().build_for(problem, [])
    np.testing.assert_array_equal(cost.dense()[:80].argmin(1), np.arange(80))
    alone = costs.procrustes_bridge(x, y, []).facts
    assert cost.facts["agreement"] == pytest.approx(alone["agreement"], abs=1e-3)
    assert cost.facts["transport"] == pytest.approx(alone["transport"], abs=1e-3)
    plan = bv.couplings.Global().couple(problem, bv.problem.Pairs([], shape=problem.shape), cost)
    assert plan.dense()[80:].sum() == 0


def test_soft_pairs_rebuild_the_map():
    x = cloud(60)
    y = rotated(x, 5)
    cost = costs.procrustes_bridge(x, np.random.default_rng(0).permutation(y), [])
    assert cost.rebuild is not None
    everything = np.ones(60)
    soft = costs.SoftPairs(known=same(0), guesses=same(60), shares=everything, weights=1e6 * everything)
    wrong = costs.procrustes_bridge(x, y, [])
    assert wrong.rebuild is not None
    np.testing.assert_array_equal(wrong.rebuild(soft).dense().argmin(1), np.arange(60))


@pytest.mark.parametrize("kind", ["one row", "constant", "one dimension", "many dimensions"])
def test_degenerate_spaces_give_a_finite_cost(kind, monkeypatch):
    monkeypatch.setattr("bridgeviz.costs._sides.DIMENSIONS", 20)
    rng = np.random.default_rng(0)
    x = {
        "one row": np.ones((2, 3)), "constant": np.ones((9, 3)), "one dimension": rng.normal(size=(30, 1)),
        "many dimensions": rng.normal(size=(30, 60)),
    }[kind]  # fmt: skip
    cost = costs.procrustes_bridge(x, rng.normal(size=(12, 4)), [[0, 0]])
    assert np.isfinite(cost.dense()).all()
    assert cost.dense().min() >= -1e-6
    assert cost.dense().max() <= 2 + 1e-6


def test_large_sides_are_fitted_on_batches(monkeypatch):
    x = cloud(400)
    y = rotated(x, 5)[np.random.default_rng(0).permutation(400)]
    monkeypatch.setattr("bridgeviz.costs._restarts.BATCH", 300)
    monkeypatch.setattr("bridgeviz.costs._restarts._ROWS", 200)
    monkeypatch.setattr("bridgeviz.costs._alternation.last_rounds.__kwdefaults__", {"batch": 300})
    order = np.random.default_rng(0).permutation(400)
    cost = costs.procrustes_bridge(x, y, [])
    assert (order[cost.dense().argmin(1)] == np.arange(400)).mean() > 0.9


def test_wrong_arguments_are_refused():
    x = cloud(20)
    with pytest.raises(bv.InputError, match=r"'map' of procrustes_bridge\(\) must be one of 'orthogonal', 'ridge'"):
        costs.procrustes_bridge(x, x, [], map="affine")
    with pytest.raises(bv.InputError, match=r"'penalty' of procrustes_bridge\(\) must be a float > 0"):
        costs.procrustes_bridge(x, x, [], penalty=0)
    with pytest.raises(bv.InputError, match=r"'pairs' of procrustes_bridge\(\) must be row numbers from 0 to 19"):
        costs.procrustes_bridge(x, x, [[0, 20]])
    with pytest.raises(bv.InputError, match="finite everywhere"):
        costs.procrustes_bridge(np.where(x > 20, np.nan, x), x, [])


def test_scaling_agrees_with_sinkhorn_in_the_log_domain():
    rng = np.random.default_rng(0)
    cost, a, b = rng.random((7, 9)), rng.dirichlet(np.ones(7)), rng.dirichlet(np.ones(9))
    exact = solve_linear(cost, a, b, epsilon=0.05, tau=(1.0, 1.0), tolerance=1e-9, max_iterations=5000)
    exact = finish(exact).plan
    scaled = scale_kernel(cost, a, b, epsilon=0.05, tolerance=1e-9, max_iterations=5000)
    np.testing.assert_allclose(scaled.plan, exact, atol=1e-8)
    assert scaled.error <= 1e-9
    rough = scale_kernel(cost, a, b, epsilon=0.05, tolerance=1e-9, max_iterations=3)
    again = scale_kernel(cost, a, b, epsilon=0.05, tolerance=1e-9, max_iterations=3, start=scaled.scale)
    assert again.error < 1e-6 < rough.error
    single = scale_kernel(cost.astype(np.float32), a.astype(np.float32), b.astype(np.float32), epsilon=0.05)
    assert single.plan.dtype == np.float32


@pytest.mark.parametrize("seed", range(3))
def test_geometries_are_matched_as_well_as_by_trying_all(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    a, b, linear = x @ x.T, y @ y.T, rng.normal(size=(6, 6))

    def value(order):
        return (a * b[np.ix_(order, order)]).sum() + 2 * linear[np.arange(6), order].sum()

    best = max(value(list(order)) for order in itertools.permutations(range(6)))
    assert value(match_geometries(a, b, linear, rng, tries=40)) > 0.95 * best
    nothing = np.zeros((6, 6))
    theirs = quadratic_assignment(a, b, options={"maximize": True, "rng": rng}).col_ind
    ours = match_geometries(a, b, nothing, rng, tries=40)
    assert (a * b[np.ix_(ours, ours)]).sum() >= (a * b[np.ix_(theirs, theirs)]).sum() - 1e-9
    order = rng.permutation(6)
    np.testing.assert_array_equal(order[match_geometries(a, a[np.ix_(order, order)], nothing, rng)], np.arange(6))
    alone = match_geometries(nothing, nothing, linear, rng)
    assert linear[np.arange(6), alone].sum() == pytest.approx(max(
        linear[np.arange(6), list(order)].sum() for order in itertools.permutations(range(6))
    ))  # fmt: skip


def test_both_starts_find_a_rotation_and_use_pairs():
    x = cloud(150, 4)
    y = rotated(x, 4)
    truth = ortho_group.rvs(4, random_state=1)
    near = [
        agreement(sides(x, y), spectral(moment), truth.astype(np.float32))
        for moment in (
            similarity_start(sides(x, y)), similarity_start(sides(x, y), whitening=0.5),
            geometric_start(sides(x, y, same(10)), np.random.default_rng(0), restarts=3),
        )
    ]  # fmt: skip
    assert min(near) > 0.9
    rng = np.random.default_rng(0)  # round clouds with other rows, which have no profile to go by
    seen, other = rng.normal(size=(150, 4)), rng.normal(size=(150, 4))
    other[:20] = seen[:20]
    with_pairs, without = (  # of the plan alone, without the moment of the pairs
        agreement(given, spectral(similarity_start(given) - given.pairs), np.eye(4, dtype=np.float32))
        for given in (sides(seen, other, same(20)), sides(seen, other))
    )
    assert with_pairs > 0.9
    assert without < 0.8


def test_cka_and_cost_against_their_definitions():
    x = cloud(50)
    masses = np.full(50, 1 / 50)
    assert linear_cka(x, rotated(3 * x, 7), masses) == pytest.approx(1)
    assert linear_cka(x, np.ones((50, 2)), masses) == pytest.approx(0)
    y = np.random.default_rng(0).normal(size=(50, 3))
    k, l = ((z - z.mean(0)) @ (z - z.mean(0)).T for z in (x, y))  # noqa: E741
    hsic = (k * l).sum() / np.sqrt((k * k).sum() * (l * l).sum())
    assert linear_cka(x, y, masses) == pytest.approx(hsic)
    judged = judge(sides(x, rotated(x, 5), same(4)), ortho_group.rvs(5, random_state=1).astype(np.float32))
    assert judged.pairs == pytest.approx(0, abs=1e-5)
    assert judged.transport < 0.05
    assert judged.cka > 0.9
    np.testing.assert_allclose(np.linalg.norm(unit(x), axis=1), 1)


def test_other_options_fit_the_same_map_once(monkeypatch):
    calls = []
    real = _restarts.best_of_restarts
    monkeypatch.setattr(_restarts, "_cache", OrderedDict())
    monkeypatch.setattr(_restarts, "best_of_restarts", lambda *arguments: calls.append(1) or real(*arguments))
    x = cloud(40)
    y = rotated(x, 5)
    one, other = (costs.procrustes_bridge(x, y, same(5), map=kind) for kind in ("orthogonal", "ridge"))
    assert one.facts["transport"] == other.facts["transport"]
    assert len(calls) == 1
    costs.procrustes_bridge(x, y, same(6))
    costs.procrustes_bridge(2 * x[::-1], y, same(5))
    assert len(calls) == 3


def test_a_part_has_the_masses_of_its_rows():
    whole = replace(sides(cloud(20), cloud(30)), a=np.arange(20, dtype=np.float32) / 190)
    part = whole.part(np.random.default_rng(0), 10)
    assert (len(part.x), len(part.y)) == (10, 10)
    assert part.a.sum() == pytest.approx(1)
    assert part.b.sum() == pytest.approx(1)
    rows = [int(np.flatnonzero((whole.x == row).all(1))[0]) for row in part.x]
    np.testing.assert_allclose(part.a, whole.a[rows] / whole.a[rows].sum(), rtol=1e-6)
    half = whole.part(np.random.default_rng(0), 100, share=0.5)
    assert (len(half.x), len(half.y)) == (10, 15)
