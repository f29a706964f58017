"""Geodesic bridge and KNN cost against networkx and dense linear algebra."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import bridgeviz as bv
from bridgeviz import costs
from bridgeviz.costs import find_atoms
from bridgeviz.costs._anchors import anchor

SCIPY = {"cosine": "cosine", "sqeuclidean": "sqeuclidean", "pearson": "correlation"}


def knn_graph(x, metric, k, power):
    """The symmetric kNN graph, by loops."""
    d = cdist(x, x, SCIPY[metric])
    g = nx.Graph()
    g.add_nodes_from(range(len(x)))
    for i in range(len(x)):
        near = [j for j in np.argsort(d[i], kind="stable") if j != i][:k]
        for j in near:
            g.add_edge(i, int(j), weight=d[i, j] ** power)
    return g, d**power


def connect(g, d):
    """Join every island to the rest by its shortest edge, until the graph is connected."""
    while nx.number_connected_components(g) > 1:
        parts = sorted(nx.connected_components(g), key=lambda part: (-len(part), min(part)))
        edges = []
        for part in parts[1:]:
            inside = sorted(part)
            outside = sorted(set(g) - part)
            i, j = np.unravel_index(d[np.ix_(inside, outside)].argmin(), (len(inside), len(outside)))
            edges.append((inside[i], outside[j], d[inside[i], outside[j]]))
        g.add_weighted_edges_from(edges)
    return g


def lengths(g, n):
    out = np.full((n, n), np.inf)
    for i, row in nx.all_pairs_dijkstra_path_length(g):
        for j, length in row.items():
            out[i, j] = length
    return out


@pytest.mark.parametrize("metric", SCIPY)
@pytest.mark.parametrize(("n", "m", "l", "k", "power"), [(12, 9, 3, 3, 1.0), (40, 30, 8, 5, 2.0), (25, 25, 1, 2, 0.5)])
def test_geodesics_agree_with_networkx(metric, n, m, l, k, power, spaces):  # noqa: E741
    x, y, pairs = spaces(n, n, m, 4, 3, l)
    x[n // 2 :] += 50  # at least two islands, unless k is large enough to join them
    cost = costs.geodesic_bridge(x, y, pairs, metric=metric, k=k, power=power)
    legs = []
    for side, points in enumerate((x, y)):
        legs.append(lengths(connect(*knn_graph(points, metric, k, power)), len(points))[:, pairs[:, side]])
    # Pairs that share a point are one group: the mean is over groups, each with its nearest member.
    theirs = (legs[0][:, None, :] / cost.facts["mean_x"] + legs[1][None] / cost.facts["mean_y"]).min(-1)
    np.testing.assert_allclose(cost.dense(), theirs, rtol=1e-9, atol=1e-9)
    assert cost.dense()[pairs[:, 0], pairs[:, 1]].max() == 0
    if len(np.unique(pairs[:, 0])) == len(np.unique(pairs[:, 1])) == len(pairs):
        assert cost.facts["mean_x"] == pytest.approx(legs[0].mean())
        assert cost.facts["mean_y"] == pytest.approx(legs[1].mean())


@pytest.mark.parametrize("metric", SCIPY)
@pytest.mark.parametrize(("n", "m", "l", "k"), [(12, 9, 3, 3), (40, 30, 8, 5), (25, 25, 2, 2)])
def test_exact_paths_agree_with_networkx_on_the_fused_graph(metric, n, m, l, k, spaces):  # noqa: E741
    x, y, pairs = spaces(n, n, m, 4, 3, l)
    cost = costs.knn(x, y, pairs, metric=metric, k=k, form="path")
    sides = []
    for points in (x, y):
        g = connect(*knn_graph(points, metric, k, 1))
        mean = cdist(points, points, SCIPY[metric]).mean()
        for *_, edge in g.edges(data=True):
            edge["weight"] /= mean
        sides.append(g)
    fused = nx.disjoint_union(*sides)
    fused.add_weighted_edges_from((int(i), n + int(j), 0.0) for i, j in pairs)
    np.testing.assert_allclose(cost.dense(), lengths(fused, n + m)[:n, n:], rtol=1e-9, atol=1e-12)


def test_a_path_may_cross_several_pairs():
    """x0 and x2 are far apart in X and close in Y: the shortest path from x2 crosses to Y and back."""
    x = np.array([[0.0], [1.0], [50.0], [51.0]])
    y = np.array([[0.0], [0.1], [0.2], [30.0]])
    pairs = [[1, 0], [2, 1]]
    fused = costs.knn(x, y, pairs, k=1, form="path").dense()
    near = costs.geodesic_bridge(x, y, pairs, metric="sqeuclidean", k=1, power=1.0)
    mean_x, mean_y = (cdist(side, side, "sqeuclidean").mean() for side in (x, y))
    assert fused[0, 2] == pytest.approx(1 / mean_x + (0.01 + 0.01) / mean_y)
    assert fused[3, 0] == pytest.approx(1 / mean_x + 0.01 / mean_y)
    assert near.facts["islands_x"] == 2


@pytest.mark.parametrize("t", [None, 1e-3, 0.05, 3.0, 100.0])
@pytest.mark.parametrize(("n", "m", "l", "k"), [(12, 9, 3, 3), (30, 40, 12, 5), (20, 20, 1, 4)])
def test_heat_agrees_with_a_dense_solve(n, m, l, k, t, spaces):  # noqa: E741
    x, y, pairs = spaces(n, n, m, 4, 3, l)
    cost = costs.knn(x, y, pairs, k=k, t=t)
    w = np.zeros((n + m, n + m))
    edges = []
    for start, points in ((0, x), (n, y)):
        g, d = knn_graph(points, "sqeuclidean", k, 1)
        for i, j, weight in g.edges(data="weight"):
            w[start + i, start + j] = w[start + j, start + i] = weight
        edges.append(np.sort(d, axis=1)[:, 1 : k + 1].ravel())
    w[pairs[:, 0], n + pairs[:, 1]] = w[n + pairs[:, 1], pairs[:, 0]] = 1
    assert t is not None or cost.facts["t"] == pytest.approx(np.sqrt(np.concatenate(edges)).mean() ** 2)
    laplacian = np.diag(w.sum(1)) - w
    heat = np.linalg.inv(np.eye(n + m) + cost.facts["t"] * laplacian)[:n, n:]
    reached = heat > 1e-9 * heat.max()  # a dense inverse has no correct digit of the others
    assert reached.mean() > 0.1
    np.testing.assert_allclose(cost.dense()[reached], -np.log(heat[reached]), rtol=1e-5, atol=1e-5)
    assert np.isfinite(cost.dense()).all()


def test_heat_below_the_range_of_float32_is_distinguished():
    x = np.linspace(0, 40, 41)[:, None]
    dense = costs.knn(x, x, [[0, 0]], k=2, t=1e-6).dense()
    assert dense.max() > 200  # e^-200; float32 ends at e^-87
    assert (np.diff(dense[20:-2, 0]) > 5).all()


def test_grouping_by_either_side_gives_the_same_cost(spaces):
    """Ten rows paired with copies of three atoms are grouped by the side with fewer atoms, whichever that is."""
    x, y, _ = spaces(0, 30, 24, 3, 4, 1)
    y = y[np.arange(24) % 3]
    pairs = np.stack([np.arange(10), np.arange(10) * 2], axis=1)
    for build, options in [
        (costs.bridge, {}), (costs.geodesic_bridge, {"k": 4}), (costs.diffusion_bridge, {"k": 12, "a": 0.9}),
        (costs.knn, {"k": 4}), (costs.knn, {"k": 4, "form": "path"}), (costs.kcca, {}),
    ]:  # fmt: skip
        forward = build(x, y, pairs, **options)
        backward = build(y, x, pairs[:, ::-1], **options)
        assert forward.source_factor.shape[1] <= 3
        if build is costs.diffusion_bridge:  # its rows are shares: equal up to row and column factors
            k = np.exp(-forward.dense()), np.exp(-backward.dense().T)
            ratio = k[0] / k[1]
            np.testing.assert_allclose(ratio * ratio[0, 0], ratio[:, :1] * ratio[:1], rtol=1e-5)
        else:
            np.testing.assert_allclose(forward.dense(), backward.dense().T, rtol=1e-8, atol=1e-8)


@given(seed=st.integers(0, 10**6), n=st.integers(4, 14), m=st.integers(4, 14), l=st.integers(2, 6))
def test_row_order_does_not_matter(seed, n, m, l, spaces):  # noqa: E741
    x, y, pairs = spaces(seed, n, m, 3, 4, l)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(n), rng.permutation(m)
    moved = np.stack([np.argsort(rows)[pairs[:, 0]], np.argsort(columns)[pairs[:, 1]]], axis=1)
    moved = moved[rng.permutation(len(pairs))]
    for build, options in [
        (costs.geodesic_bridge, {"k": 3}), (costs.knn, {"k": 3}), (costs.knn, {"k": 3, "form": "path"}),
    ]:  # fmt: skip
        dense = build(x, y, pairs, **options).dense()
        again = build(x[rows], y[columns], moved, **options).dense()
        np.testing.assert_allclose(again, dense[np.ix_(rows, columns)], rtol=1e-6, atol=1e-9)


@given(seed=st.integers(0, 10**6), by=st.floats(1e-2, 1e2))
def test_the_unit_of_a_space_does_not_matter_to_geodesics(seed, by, spaces):
    x, y, pairs = spaces(seed, 15, 12, 3, 4, 3)
    plain = costs.geodesic_bridge(x, y, pairs, metric="sqeuclidean", k=4).dense()
    scaled = costs.geodesic_bridge(by * x, y, pairs, metric="sqeuclidean", k=4).dense()
    np.testing.assert_allclose(scaled, plain, rtol=1e-6, atol=1e-9)


def test_merged_rows_are_one_node():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(6, 3))
    copies = y[np.arange(24) % 6]
    pairs = np.stack([np.arange(6), np.arange(6)], axis=1)
    for build in (costs.geodesic_bridge, costs.knn):
        distinct, repeated = build(x, y, pairs, k=4), build(x, copies, pairs, k=4)
        assert repeated.atom_shape == (20, 6)
        np.testing.assert_allclose(repeated.dense(), distinct.dense()[:, np.arange(24) % 6], rtol=1e-9)


def test_islands_are_joined_and_reported():
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(20, 2)), 100 + rng.normal(size=(11, 2)), 200 + rng.normal(size=(9, 2))])
    for cost in (
        costs.geodesic_bridge(x, x, [[0, 0], [35, 0]], metric="sqeuclidean", k=4),
        costs.knn(x, x, [[0, 0], [35, 0]], k=4, form="path"),
        costs.knn(x, x, [[0, 0], [35, 0]], k=4),
    ):
        assert cost.facts["islands_x"] == 3
        assert (cost.facts["stranded_x"], cost.facts["stranded_y"]) == (11, 20)
        assert np.isfinite(cost.dense()).all()
        assert cost.advice.startswith("11 source rows lie on islands of the neighbour graph without a pair (3 islands")
        assert "20 target rows" in cost.advice
    twice = np.concatenate([x, x[20:24]])  # equal rows are one atom but count as rows
    for cost in (
        costs.geodesic_bridge(twice, x, [[0, 0], [35, 0]], metric="sqeuclidean", k=4),
        costs.knn(twice, x, [[0, 0], [35, 0]], k=4),
    ):
        assert (cost.facts["stranded_x"], cost.facts["stranded_y"]) == (15, 20)


def test_copies_share_one_atom_and_one_leg():
    anchored = anchor(
        np.array([[0.0], [1.0], [0.0]]), np.array([[5.0], [6.0]]), [[0, 0], [2, 0], [1, 1]], "sqeuclidean", "test"
    )
    assert anchored.groups == 2
    assert len(find_atoms(anchored.x)) == 2
    product = anchored.incidence("source") @ anchored.incidence("target").T
    np.testing.assert_array_equal(product.toarray(), [[2, 0], [0, 1]])  # two pairs of rows between one pair of atoms


def test_geodesics_beat_straight_lines_on_a_swiss_roll():
    problem = bv.load("swiss-roll")
    pairs = problem.sample_pairs(0.01, seed=0)
    x, y = problem.source.x, problem.target.x
    accuracy = {}
    for name in ("bridge", "geodesic_bridge"):
        plan = bv.couplings.linear(costs.COSTS[name](metric="sqeuclidean")(x, y, pairs))
        accuracy[name] = bv.metrics.matching_accuracy(plan, problem.source.labels, problem.target.labels)
    assert accuracy["geodesic_bridge"] > accuracy["bridge"] + 0.05


def test_the_path_along_the_graph_adds_up_to_the_cost(spaces):
    x, y, _ = spaces(1, 50, 40, 3, 3, 1)
    y = y[np.arange(40) % 12]
    pairs = np.stack([np.arange(8), np.arange(8) * 3], axis=1)
    cost = costs.geodesic_bridge(x, y, pairs, metric="sqeuclidean", k=4, power=1.0)
    dense, steps = cost.dense(), 0
    for i, j in [(0, 0), (49, 39), (20, 7), (5, 15), (33, 21)]:
        route = cost.route(i, j)
        assert route.cost == pytest.approx(dense[i, j], abs=1e-9)
        assert (route.way_x[0], route.way_y[-1]) == (i, j)
        assert [route.way_x[-1], route.way_y[0]] == pairs[route.pair].tolist()
        for points, path, leg, letter in ((x, route.way_x, route.leg_x, "x"), (y, route.way_y, route.leg_y, "y")):
            length = sum(((points[a] - points[b]) ** 2).sum() for a, b in itertools.pairwise(path))
            assert length / cost.facts[f"mean_{letter}"] == pytest.approx(leg, abs=1e-9)
            steps += len(path) - 1
    assert steps > 10  # some paths have stops in between
    assert costs.kcca(x, y, pairs).route is None


def test_the_strongest_pair_of_a_diffusion_is_the_largest_term_of_its_sum(spaces):
    x, y, _ = spaces(2, 40, 30, 3, 3, 1)
    pairs = np.stack([np.arange(6), np.arange(6) * 2], axis=1)
    options = {"metric": "sqeuclidean", "k": 5, "a": 0.9}
    cost = costs.diffusion_bridge(x, y, pairs, **options)
    f_x, f_y = cost.source_factor, cost.target_factor
    for i, j in [(0, 0), (39, 29), (17, 4)]:
        terms = f_x[i] * f_y[j]
        route = cost.route(i, j)
        order = np.argsort(pairs[:, 1])  # groups are numbered by target atom, in the order of the rows here
        assert route.pair == order[terms.argmax()]
        assert route.share == pytest.approx(terms.max() / terms.sum(), abs=1e-6)
        assert route.leg_x == pytest.approx(f_x[i][terms.argmax()] / f_x[i].sum(), abs=1e-6)
        assert [route.way_x[-1], route.way_y[0]] == pairs[route.pair].tolist()


def coinciding(name):
    """Two spaces and pairs, with more rows than neighbours in one place as the metric sees it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 8))
    relu = np.maximum(rng.normal(size=(300, 6)) - 1.2, 0)
    near = np.concatenate([x[:20], np.repeat(x[20:21], 40, axis=0) * (1 + 1e-15 * np.arange(40))[:, None]])
    return {
        "two directions": (np.array([[1.0, 0], [2, 0], [4, 0], [0, 1], [0, 2], [0, 4]]), x, "cosine"),
        "one column": (x, rng.random((60, 1)) + 0.1, "cosine"),
        "two columns": (x, rng.normal(size=(60, 2)), "pearson"),
        "codes with one active unit": (relu[relu.sum(1) > 0], x, "cosine"),
        "near copies": (near, x, "sqeuclidean"),
        "one point": (np.ones((9, 3)), x, "sqeuclidean"),
        "one point each": (np.ones((9, 3)), np.ones((7, 2)), "sqeuclidean"),
    }[name]


COINCIDING = ["two directions", "one column", "two columns", "codes with one active unit", "near copies", "one point"]


@pytest.mark.parametrize("power", [2.0, 20.0])
@pytest.mark.parametrize("name", [*COINCIDING, "one point each"])
def test_rows_that_coincide_in_the_metric_cost_nothing_and_end(name, power):
    x, y, metric = coinciding(name)
    pairs = [[0, 0], [len(x) - 1, len(y) - 1]]
    tried = [
        costs.geodesic_bridge(x, y, pairs, metric=metric, k=1, power=power),
        costs.knn(x, y, pairs, metric=metric, form="path", k=1),
        costs.knn(x, y, pairs, metric=metric, k=1),
        costs.diffusion_bridge(x, y, pairs, metric=metric, k=1),
    ]
    for cost in tried:
        dense = cost.dense()
        assert np.isfinite(dense).all()
        if cost.name == "geodesic_bridge":
            assert dense[0, 0] < 1e-12
            lengths = costs.geodesic_bridge(x, y, pairs, metric=metric, k=1, power=0.5)  # none of which vanishes
            assert cost.facts["islands_x"] == lengths.facts["islands_x"]


def test_rows_that_a_metric_cannot_tell_apart_are_one_atom(spaces):
    x, y, pairs = spaces(0, 30, 20, 4, 3, 5)
    doubled = np.concatenate([x, 2 * x, 0.3 * x])  # the same directions
    cost = costs.geodesic_bridge(doubled, y, pairs, k=4)
    assert len(cost.source_atoms) == 30
    np.testing.assert_allclose(cost.dense()[:30], costs.geodesic_bridge(x, y, pairs, k=4).dense(), rtol=1e-9)
    np.testing.assert_array_equal(cost.dense()[:30], cost.dense()[60:])
    assert len(costs.geodesic_bridge(doubled, y, pairs, metric="sqeuclidean").source_atoms) == 90


def test_fused_gromov_wasserstein_merges_what_both_its_metrics_merge(spaces):
    x, y, pairs = spaces(0, 20, 15, 4, 3, 5)
    doubled = np.concatenate([x, 2 * x])
    cost = costs.bridge(doubled, y, pairs)
    for metric, merged in (("cosine", True), ("sqeuclidean", False)):
        within = costs.Within(doubled, metric=metric), costs.Within(y, metric=metric)
        assert bv.couplings.fgw(cost, *within, epsilon=0.1, max_iterations=1).merged == merged


@pytest.mark.parametrize("metric", ["sqeuclidean", "pearson"])
@pytest.mark.parametrize("build", [costs.geodesic_bridge, costs.diffusion_bridge, costs.knn, costs.bridge])
def test_an_offset_of_all_rows_changes_no_cost(build, metric, spaces):
    """scikit-learn's search expands squared distances, which drown in the rounding of a large offset."""
    x, y, pairs = spaces(1, 200, 60, 20, 3, 8)
    x, y = np.round(x, 3), np.round(y, 3)  # digits that survive the offset
    near = build(x, y, pairs, metric=metric).dense()
    for offset in (1e4, 1e7):
        far = build(x + offset, y, pairs, metric=metric).dense()
        np.testing.assert_allclose(far, near, rtol=1e-5, atol=1e-6 * near.max())


@pytest.mark.parametrize("unit", [1e-59, 1e-20, 1e20, 1e59])
@pytest.mark.parametrize("build", [costs.geodesic_bridge, costs.diffusion_bridge, costs.bridge, costs.kcca])
def test_the_unit_of_a_space_changes_no_cost(build, unit, spaces):
    x, y, pairs = spaces(2, 40, 30, 4, 3, 8)
    cost = build(unit * x, y, pairs, metric="sqeuclidean").dense()
    np.testing.assert_allclose(cost, build(x, y, pairs, metric="sqeuclidean").dense(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("unit", [1e-59, 1e59])
@pytest.mark.parametrize("form", ["heat", "path"])
def test_knn_is_finite_in_any_unit(form, unit, spaces):
    x, y, pairs = spaces(2, 40, 30, 4, 3, 8)
    assert np.isfinite(costs.knn(unit * x, unit * y, pairs, form=form).dense()).all()
    assert np.isfinite(costs.geodesic_bridge(unit * x, y, pairs, metric="sqeuclidean", power=20.0).dense()).all()
