"""The diffusion bridge against a dense solve in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import bridgeviz as bv
from bridgeviz import costs
from bridgeviz.costs import METRICS, _diffusion, every_row, find_atoms
from bridgeviz.costs._diffusion import affinities
from bridgeviz.costs._graph import neighbours


def affinity_graph(x, atoms, *, metric, k):
    return affinities(neighbours(x, atoms, metric=METRICS[metric], k=k), atoms, k=k)


def dense_graph(x, k):
    """S of the docstring, by loops, for distinct rows (with squared distances: every factor cancels)."""
    d = cdist(x, x, "sqeuclidean")
    np.fill_diagonal(d, np.inf)
    order = np.argsort(d, axis=1)[:, :k]
    s = np.array([d[i, order[i, -1]] for i in range(len(x))])
    w = np.zeros_like(d)
    for i in range(len(x)):
        for j in order[i]:
            w[i, j] = w[j, i] = np.exp(-(d[i, j] ** 2) / (s[i] * s[j]))
    root = 1 / np.sqrt(w.sum(1))
    return root[:, None] * w * root


def dense_cost(x, y, pairs, k, a):
    factors = []
    for side, points in enumerate((x, y)):
        e = np.zeros((len(points), len(pairs)))
        e[pairs[:, side], np.arange(len(pairs))] = 1
        factors.append((1 - a) * np.linalg.solve(np.eye(len(points)) - a * dense_graph(points, k), e))
    kernel = factors[0] @ factors[1].T
    return -np.log(np.maximum(kernel / kernel.sum(1, keepdims=True), 1e-12))


@pytest.mark.parametrize(("n", "k"), [(12, 3), (50, 10), (30, 29)])
def test_the_graph_agrees_with_loops(n, k):
    x = np.random.default_rng(n).normal(size=(n, 3))
    graph = affinity_graph(x, every_row(n), metric="sqeuclidean", k=k).toarray()
    np.testing.assert_allclose(graph, dense_graph(x, k), atol=1e-12)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(
        affinity_graph(x, every_row(n), metric="cosine", k=k).toarray(), dense_graph(unit, k), atol=1e-12
    )


@given(seed=st.integers(0, 10**6), n=st.integers(2, 30), k=st.integers(1, 12))
def test_the_graph_is_symmetric_with_its_spectrum_in_the_unit_interval(seed, n, k):
    x = np.random.default_rng(seed).normal(size=(n, 2))
    x[n // 2 :: 2] = x[0]
    atoms = find_atoms(x)
    s = affinity_graph(x, atoms, metric="sqeuclidean", k=k).toarray()
    np.testing.assert_allclose(s, s.T, rtol=1e-14)
    assert np.abs(np.linalg.eigvalsh(s)).max() <= 1 + 1e-12


@pytest.mark.parametrize(("n", "m", "l", "a"), [(25, 18, 3, 0.9), (40, 40, 10, 0.99), (20, 50, 1, 0.5)])
def test_agrees_with_the_dense_formula(n, m, l, a, spaces):  # noqa: E741
    x, y, pairs = spaces(n, n, m, 3, 2, l)
    ours = costs.diffusion_bridge(x, y, pairs, metric="sqeuclidean", k=6, a=a).dense()
    theirs = dense_cost(x, y, pairs, 6, a)
    # Entries near the floor 1e-12 depend on the last digits of the solve.
    np.testing.assert_allclose(np.exp(-ours), np.exp(-theirs), atol=1e-7)
    reached = theirs < 12
    assert reached.mean() > 0.5
    np.testing.assert_allclose(ours[reached], theirs[reached], atol=1e-3)


def test_range_row_sums_and_permuted_rows(spaces):
    x, y, pairs = spaces(2, 60, 50, 3, 4, 8)
    dense = costs.diffusion_bridge(x, y, pairs).dense()
    assert dense.min() >= 0
    assert dense.max() <= -np.log(1e-12) + 1e-9
    np.testing.assert_allclose(np.exp(-dense).sum(1), 1, atol=1e-9)
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(60), rng.permutation(50)
    moved = np.stack([np.argsort(rows)[pairs[:, 0]], np.argsort(columns)[pairs[:, 1]]], axis=1)
    again = costs.diffusion_bridge(x[rows], y[columns], moved).dense()
    np.testing.assert_allclose(np.exp(-again), np.exp(-dense[np.ix_(rows, columns)]), atol=1e-8)


def test_a_row_with_more_than_k_copies_is_an_island(spaces):
    _, y, _ = spaces(4, 30, 30, 3, 3, 1)
    y = np.concatenate([np.repeat(y[:2], 8, axis=0), y[2:]])  # two atoms with 8 copies each, 28 lone rows
    atoms = find_atoms(y)
    s = affinity_graph(y, atoms, metric="sqeuclidean", k=5).toarray()
    reachable = [set(np.flatnonzero(row)) for row in s]
    assert sum(len(atoms_near) for atoms_near in reachable[2:]) > 0
    # The copies have no edges to other atoms; only a lone row may have the island among its neighbours.
    island = affinity_graph(
        np.repeat(y[:2], 8, axis=0), find_atoms(np.repeat(y[:2], 8, axis=0)), metric="sqeuclidean", k=5
    )
    assert island.nnz == 0 or np.abs(island.toarray()).max() == 0


def test_merged_label_codes_diffuse_as_unmerged_rows_do():
    """Four distinct codes with 12 copies each, k = 5: each code is its own island, so K needs no graph in Y."""
    rng = np.random.default_rng(0)
    codes, labels = rng.normal(size=(4, 3)), np.arange(48) % 4
    x, y = rng.normal(size=(48, 3)), codes[labels]
    pairs = np.array([[0, 0], [1, 1], [2, 2], [3, 3], [9, 9]])
    cost = costs.diffusion_bridge(x, y, pairs, metric="sqeuclidean", k=5, a=0.9)
    assert cost.atom_shape == (48, 4)
    e_x = np.zeros((48, 5))
    e_x[pairs[:, 0], np.arange(5)] = 1
    f_x = 0.1 * np.linalg.solve(np.eye(48) - 0.9 * dense_graph(x, 5), e_x)
    # Within an island of equal rows all distances are 0: mass stays in the island and spreads over it evenly.
    f_y = (labels[:, None] == labels[pairs[:, 1]]).astype(float)
    kernel = f_x @ f_y.T
    np.testing.assert_allclose(np.exp(-cost.dense()), kernel / kernel.sum(1, keepdims=True), atol=1e-7)


def test_beats_the_bridge_on_digits(digits):
    pairs = digits.sample_pairs(0.03, seed=0)
    accuracy = {}
    for name in ("bridge", "diffusion_bridge"):
        plan = bv.couplings.linear(costs.COSTS[name]()(digits.source.x, digits.target.x, pairs))
        accuracy[name] = bv.metrics.matching_accuracy(plan, digits.source.labels, digits.target.labels)
    assert accuracy["bridge"] > 0.6
    assert accuracy["diffusion_bridge"] > accuracy["bridge"] + 0.05


def dense_factors(x, y, pairs, k, a):
    out = []
    for side, points in enumerate((x, y)):
        e = np.zeros((len(points), len(pairs)))
        e[pairs[:, side], np.arange(len(pairs))] = 1
        out.append((1 - a) * np.linalg.solve(np.eye(len(points)) - a * dense_graph(points, k), e))
    return out


def test_profiles_are_cosines_of_centred_logarithms(spaces):
    x, y, _ = spaces(3, 30, 30, 3, 2, 1)
    pairs = np.stack([np.arange(8), np.arange(8)[::-1] * 3], axis=1)
    cost = costs.diffusion_bridge(x, y, pairs, metric="sqeuclidean", k=6, a=0.9, form="profile")
    logs = [np.log(np.maximum(f, 1e-12 * f.max())) for f in dense_factors(x, y, pairs, 6, 0.9)]
    theirs = cdist(*(log - log.mean(0) for log in logs), "cosine")
    np.testing.assert_allclose(cost.dense(), theirs, atol=1e-5)
    assert cost.source_factor.shape == (30, 8)  # low rank: no (n, m) matrix is formed
    assert cost.facts["form"] == "profile"


@pytest.mark.parametrize("keep", [1, 3, 10, 300])
def test_the_strongest_anchors_and_the_mass_that_is_dropped(keep, monkeypatch):
    monkeypatch.setattr(_diffusion, "_BLOCK", 7)  # 25 anchors make several blocks, the last one smaller
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), rng.normal(size=(50, 2))
    pairs = np.stack([rng.permutation(60)[:25], rng.permutation(50)[:25]], axis=1)
    cost = costs.diffusion_bridge(x, y, pairs, metric="sqeuclidean", k=6, a=0.9, strongest=keep)
    whole = dense_factors(x, y, pairs, 6, 0.9)
    truncated = []
    for letter, f in zip("xy", whole, strict=True):
        top = np.sort(f, axis=1)[:, ::-1][:, :keep]
        assert cost.facts[f"dropped_{letter}"] == pytest.approx(1 - top.sum() / f.sum(), abs=1e-6)
        truncated.append(np.where(f >= top[:, -1:] * (1 - 1e-9), f, 0))
    kernel = truncated[0] @ truncated[1].T
    share = np.divide(kernel, kernel.sum(1, keepdims=True), out=np.zeros_like(kernel), where=kernel > 0)
    np.testing.assert_allclose(np.exp(-cost.dense()), np.maximum(share, 1e-12), atol=1e-6)
    if keep < 25:
        assert cost.source_factor.nnz <= 60 * keep  # sparse: dropped mass takes no memory
        assert cost.nbytes_factors <= 16 * (cost.source_factor.nnz + cost.target_factor.nnz)
        assert 0 < cost.facts["dropped_x"] < 1
    rows, columns = [3, 1, 59], [0, 49]
    np.testing.assert_allclose(cost.block(rows, columns), cost.dense()[np.ix_(rows, columns)], atol=1e-12)


def test_islands_without_a_pair_are_counted_and_reported():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(20, 2)), 100 + rng.normal(size=(11, 2))])
    cost = costs.diffusion_bridge(x, x, [[0, 0]], metric="sqeuclidean", k=5)
    assert (cost.facts["islands_x"], cost.facts["stranded_x"]) == (2, 11)
    assert "11 source rows lie on islands of the neighbour graph without a pair" in cost.advice
    assert cost.dense()[25].min() == pytest.approx(-np.log(1e-12))
    assert costs.diffusion_bridge(x, x, [[0, 0], [25, 25]], metric="sqeuclidean", k=5).advice == ""


def test_factors_with_few_anchors_per_row_fit_where_others_do_not(monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    pairs = np.stack([np.arange(200)] * 2, axis=1)
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", str(800 * 150 * 8 / 2**30))
    with pytest.raises(costs.TooLarge, match="The factors of diffusion_bridge"):
        costs.diffusion_bridge(x, x + 0.1, pairs)
    assert costs.diffusion_bridge(x, x + 0.1, pairs, strongest=100).nbytes_factors <= 800 * 100 * 12
