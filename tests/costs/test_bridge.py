"""The bridge cost (Eq. 6) against three nested loops, and its properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from bridgeviz import costs
from bridgeviz.costs import _fill

SCIPY = {"cosine": "cosine", "sqeuclidean": "sqeuclidean", "pearson": "correlation"}


def by_loops(x, y, pairs, metric):
    """Eq. 6 as printed, each intra-space cost divided by its mean (H.4)."""
    c_x, c_y = (cdist(s, s, SCIPY[metric]) for s in (x, y))
    c_x, c_y = c_x / c_x.mean(), c_y / c_y.mean()
    out = np.full((len(x), len(y)), np.inf)
    for i in range(len(x)):
        for j in range(len(y)):
            for a, b in pairs:
                out[i, j] = min(out[i, j], c_x[i, a] + c_y[b, j])
    return out


@pytest.mark.parametrize("metric", SCIPY)
@pytest.mark.parametrize(
    ("n", "m", "p", "q", "l"), [(3, 2, 3, 4, 1), (12, 9, 3, 5, 4), (20, 20, 8, 3, 20), (5, 30, 4, 4, 7)]
)
def test_agrees_with_three_loops(metric, n, m, p, q, l, spaces):  # noqa: E741
    x, y, pairs = spaces(n + m, n, m, p, q, l)
    np.testing.assert_allclose(
        costs.bridge(x, y, pairs, metric=metric).dense(), by_loops(x, y, pairs, metric), rtol=1e-9, atol=1e-9
    )


def test_agrees_with_three_loops_where_rows_and_anchors_repeat(spaces):
    x, y, _ = spaces(3, 8, 6, 3, 4, 1)
    x, y = x[[0, 1, 2, 3, 0, 1, 4, 5]], y[[0, 1, 0, 2, 2, 0]]
    pairs = np.array([[0, 0], [4, 2], [2, 5], [6, 3], [6, 4]])  # several pairs on one target atom, one source atom
    cost = costs.bridge(x, y, pairs)
    assert cost.atom_shape == (6, 3)
    np.testing.assert_allclose(cost.dense(), by_loops(x, y, pairs, "cosine"), atol=1e-9)


@given(seed=st.integers(0, 10**6), n=st.integers(2, 12), m=st.integers(2, 12), l=st.integers(1, 6))
def test_zero_on_pairs_and_never_above_a_single_bridge(seed, n, m, l, spaces):  # noqa: E741
    x, y, pairs = spaces(seed, n, m, 3, 4, l)
    together = costs.bridge(x, y, pairs).dense()
    assert (together[pairs[:, 0], pairs[:, 1]] == 0).all()
    assert together.min() >= 0
    alone = np.stack([costs.bridge(x, y, pairs[[p]]).dense() for p in range(len(pairs))])
    assert (together <= alone + 1e-12).all()
    np.testing.assert_allclose(together, alone.min(0), atol=1e-12)


@given(seed=st.integers(0, 10**6), n=st.integers(2, 10), m=st.integers(2, 10), l=st.integers(1, 5))
def test_symmetries(seed, n, m, l, spaces):  # noqa: E741
    x, y, pairs = spaces(seed, n, m, 3, 4, l)
    cost = costs.bridge(x, y, pairs).dense()
    np.testing.assert_allclose(costs.bridge(y, x, pairs[:, ::-1]).dense(), cost.T, atol=1e-12)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(n), rng.permutation(m)
    moved = np.stack([np.argsort(rows)[pairs[:, 0]], np.argsort(columns)[pairs[:, 1]]], axis=1)
    shuffled = costs.bridge(x[rows], y[columns], moved[rng.permutation(len(pairs))]).dense()
    np.testing.assert_allclose(shuffled, cost[np.ix_(rows, columns)], atol=1e-12)


@given(seed=st.integers(0, 10**6), by=st.floats(1e-3, 1e3))
def test_the_unit_of_a_space_does_not_matter(seed, by, spaces):
    x, y, pairs = spaces(seed, 9, 7, 3, 4, 3)
    plain = costs.bridge(x, y, pairs, metric="sqeuclidean").dense()
    np.testing.assert_allclose(
        costs.bridge(by * x, y, pairs, metric="sqeuclidean").dense(), plain, rtol=1e-7, atol=1e-9
    )


@pytest.mark.parametrize("build", [costs.bridge, costs.diffusion_bridge])
def test_blocks_mean_and_merging_agree_with_the_whole(build, spaces, monkeypatch):
    x, y, pairs = spaces(0, 40, 30, 3, 4, 6)
    x[30:], y[20:] = x[:10], y[[3] * 10]
    cost = build(x, y, pairs, **({"k": 15} if build is costs.diffusion_bridge else {}))
    dense = cost.dense()
    assert dense.shape == cost.shape == (40, 30)
    assert cost.atom_shape == (30, 20)
    assert cost.nbytes_dense == dense.nbytes
    rng = np.random.default_rng(1)
    rows, columns = rng.integers(0, 40, 25), rng.integers(0, 30, 11)
    np.testing.assert_allclose(cost.block(rows, columns), dense[np.ix_(rows, columns)], atol=1e-12)
    np.testing.assert_allclose(cost.mean(), dense.mean(), rtol=1e-12)
    plain = cost.unmerged()
    assert plain.atom_shape == (40, 30)
    np.testing.assert_allclose(plain.dense(), dense, atol=1e-12)
    monkeypatch.setattr(_fill, "BLOCK_BYTES", 8 * 20 * 7)  # blocks of seven rows
    np.testing.assert_allclose(
        build(x, y, pairs, **({"k": 15} if build is costs.diffusion_bridge else {})).dense(), dense, atol=1e-12
    )


@pytest.mark.parametrize("metric", SCIPY)
def test_legs_add_up_to_the_cost(metric, spaces):
    x, y, pairs = spaces(5, 15, 11, 4, 3, 5)
    dense = costs.bridge(x, y, pairs, metric=metric).dense()
    for i, j in [(0, 0), (14, 10), (7, 3), tuple(pairs[2])]:
        route = costs.legs(x, y, pairs, i, j, metric=metric)
        assert route.cost == pytest.approx(dense[i, j], abs=1e-9)
        assert route.leg_x + route.leg_y == route.cost
        assert (route.way_x[0], route.way_y[-1]) == (i, j)
        assert [route.way_x[-1], route.way_y[0]] == pairs[route.pair].tolist()
        assert costs.bridge(x, y, pairs, metric=metric).route(i, j) == route
        alone = costs.bridge(x, y, pairs[[route.pair]], metric=metric).dense()
        assert alone[i, j] == pytest.approx(dense[i, j], abs=1e-9)


def test_a_plain_matrix_is_a_cost():
    matrix = np.random.default_rng(0).random((4, 6))
    cost = costs.as_cost(matrix, "test")
    np.testing.assert_allclose(cost.dense(), matrix)
    np.testing.assert_allclose(cost.block([2, 0], [5]), matrix[[2, 0]][:, [5]])
    assert costs.as_cost(cost, "test") is cost
