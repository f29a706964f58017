"""Flows that do not overfit: held-out rows, early stopping, the residual of a linear map, and weight decay."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.baselines import Ridge
from bridgeviz.flows import genot_loss
from bridgeviz.flows._held_out import HeldOut
from bridgeviz.flows._row_means import row_means
from bridgeviz.flows._selection import Selection
from bridgeviz.flows._training import Training

SETTINGS = {
    "velocity": "tiny", "steps": 60, "batch_size": 32, "learning_rate": 3e-3, "chunk_size": 20, "holdout": 0.2,
    "base": "linear",
}  # fmt: skip


def begin(problem, plan, folder=None, **changes):
    return bv.flows.fit(problem, plan, bv.FlowConfig(**SETTINGS | changes), checkpoints=folder, every=1)


def train(*arguments, **changes):
    return list(begin(*arguments, **changes))


def one_to_one(x, y, rows=60):
    """Rows of which the first are paired, and the others are for testing."""
    test = bv.Problem(bv.Space(x[rows:]), bv.Space(y[rows:]))
    pairs = np.stack([np.arange(rows)] * 2, axis=1)
    problem = bv.Problem(bv.Space(x[:rows]), bv.Space(y[:rows]), truth=pairs, test=test)
    return problem, bv.couplings.true(pairs, shape=problem.shape)


def errors(problem, flow):
    """The error of the flow's mean on the test rows, and of ridge regression."""
    x, y = problem.test.source.x, problem.test.target.x
    ridge = Ridge().fit(problem, problem.truth).transport(x)
    return (((predicted - y) ** 2).mean(1) for predicted in (flow.mean(x), ridge))


def same(first: bv.Flow, second: bv.Flow) -> None:
    for one, other in zip(
        jax.tree.leaves((first.params, first.base)), jax.tree.leaves((second.params, second.base)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_linear_map_with_noise_is_predicted_no_worse_than_by_ridge():
    gains = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(460, 3))
        y = x @ rng.normal(size=(3, 3)) + 2 * rng.normal(size=(460, 3)) + 7
        problem, plan = one_to_one(x, y)
        ours, ridge = errors(problem, train(problem, plan)[-1].flow)
        gains.append((ridge - ours).mean() / y.var(0).mean())
        assert ours.mean() < 0.95 * y.var(0).mean()
    assert np.mean(gains) > -2 * np.std(gains, ddof=1) / 2 - 1e-3


def test_a_rotation_is_found_exactly():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(160, 3))
    y = 10 * x @ np.linalg.qr(rng.normal(size=(3, 3)))[0] - 3
    problem, plan = one_to_one(x, y)
    flow = train(problem, plan)[-1].flow
    x, y = problem.test.source.x, problem.test.target.x
    for ends in (flow.mean(x), flow.transport(x).states[-1]):
        assert ((ends - y) ** 2).mean() < 1e-4 * y.var()


def test_classes_that_no_linear_map_tells_apart():
    """An exclusive or: the residual of the map is everything."""
    rng = np.random.default_rng(2)
    corner = rng.integers(2, size=(160, 2))
    x = np.concatenate([2 * corner - 1, np.zeros((160, 1))], axis=1) + 0.1 * rng.normal(size=(160, 3))
    y = np.eye(3)[(corner[:, 0] != corner[:, 1]).astype(int)]
    problem, plan = one_to_one(x, y)
    flow = train(problem, plan, steps=400, learning_rate=1e-2)[-1].flow
    right = flow.mean(problem.test.source.x)[:, :2].argmax(1) == problem.test.target.x[:, :2].argmax(1)
    assert right.mean() > 0.95


@pytest.mark.parametrize("base", ["none", "linear"])
def test_without_a_relation_the_mean_is_that_of_the_target(square, square_plan, base):
    progress = train(square, square_plan, base=base, steps=200, learning_rate=1e-2)
    flow, y = progress[-1].flow, square.target.x
    assert progress[-1].held_out > 0.9
    new = np.random.default_rng(3).normal(size=(500, 3))
    fresh = 5 + 3 * np.random.default_rng(4).normal(size=(500, 3))
    assert ((flow.mean(new) - fresh) ** 2).mean() <= 1.02 * ((y.mean(0) - fresh) ** 2).mean()


def test_the_flow_that_is_kept_has_the_least_error_on_held_out_rows(square, square_plan):
    progress = train(square, square_plan, steps=200, learning_rate=1e-2)
    training = Training.of(square, square_plan, bv.FlowConfig(**SETTINGS), None)
    held = training.held_out
    graph = training.networks.graphs["velocity"]
    first = held.errors(graph, training.start()[0].params["velocity"]).sum()
    best = first
    for report in progress:
        error = held.errors(graph, report.flow.params).sum()
        best = min(best, error)
        assert error == best
    assert best < progress[-1].held_out


def test_a_flow_must_be_clearly_better_than_no_training():
    """A gain on one row of ten may be luck; a gain on all of them is not."""
    start = Selection.start(np.full(10, 0.1), {"velocity": "first"})
    lucky = start.then(np.array([0.0] + [0.1] * 9), {"velocity": "lucky"})
    assert lucky.best == {"velocity": "first"}
    sure = lucky.then(np.full(10, 0.095), {"velocity": "sure"})
    assert (sure.best, int(sure.at)) == ({"velocity": "sure"}, 2)
    assert sure.then(np.full(10, 0.096), {"velocity": "worse"}).best == {"velocity": "sure"}


def test_held_out_rows_are_not_learned_from(square, square_plan):
    training = Training.of(square, square_plan, bv.FlowConfig(**SETTINGS), None)
    kept = np.asarray(training.data().kept)
    assert np.flatnonzero(kept == 0).tolist() == sorted(training.held_out.rows)
    assert (kept == 0).sum() == 12
    x, y, z = (jnp.asarray(np.random.default_rng(k).normal(size=(6, 3))) for k in range(3))
    t, weights = jnp.linspace(0, 1, 6), jnp.array([1.0, 0, 1, 1, 0, 1])
    rows = np.flatnonzero(weights)
    velocity = lambda t, z, x: 0.5 * x + z  # noqa: E731
    masked = genot_loss(velocity, x, y, z, t, weights)
    np.testing.assert_allclose(masked, genot_loss(velocity, *(a[rows] for a in (x, y, z, t))), rtol=1e-6)
    whole = np.concatenate([p.losses for p in train(square, square_plan, holdout=0.0)])
    assert (np.concatenate([p.losses for p in train(square, square_plan)]) != whole).any()


def test_rows_that_the_plan_cannot_tell_apart_are_held_out_together():
    x = np.repeat(np.random.default_rng(5).normal(size=(20, 2)), 3, axis=0)
    plan = bv.couplings.linear(bv.costs.bridge(x, x, [[0, 0], [30, 30]], metric="sqeuclidean"), epsilon=0.1)
    means = row_means(plan, x)
    held = HeldOut.of(means, jnp.asarray(x), None, None, share=0.4, seed=0)
    assert len(held.rows) == 24
    assert not np.isin(x[:, 0][np.setdiff1d(np.arange(60), held.rows)], x[:, 0][held.rows]).any()


def test_too_few_rows_are_not_held_out(square):
    plan = bv.couplings.true(square.truth[:30], shape=square.shape)
    report = train(square, plan)[-1]
    assert report.held_out is None


def test_training_stops_when_the_error_no_longer_falls(square, square_plan):
    progress = train(square, square_plan, steps=5000, patience=120, learning_rate=1e-2)
    assert progress[-1].step < 1000
    assert [p.last for p in progress] == [False] * (len(progress) - 1) + [True]
    least = int(np.argmin([p.held_out for p in progress]))
    assert len(progress) - 1 - least <= 6
    same(progress[-1].flow, progress[least].flow)


@pytest.mark.parametrize("stopped_after", [1, 4])
def test_a_resumed_run_ends_like_an_uninterrupted_one(square, square_plan, tmp_path, stopped_after):
    changes = {"patience": 80, "steps": 400, "learning_rate": 1e-2}
    whole = train(square, square_plan, **changes)
    run = begin(square, square_plan, tmp_path / "kept", **changes)
    list(islice(run, stopped_after))
    run.close()
    resumed = train(square, square_plan, tmp_path / "kept", **changes)
    assert resumed[-1].step == whole[-1].step < 400
    assert resumed[-1].held_out == whole[-1].held_out
    np.testing.assert_array_equal(
        np.concatenate([p.losses for p in resumed]), np.concatenate([p.losses for p in whole])
    )
    same(resumed[-1].flow, whole[-1].flow)
    (again,) = train(square, square_plan, tmp_path / "kept", **changes)
    assert again.last
    same(again.flow, whole[-1].flow)


def test_the_map_is_saved_with_the_flow(square, square_plan, tmp_path):
    flow = train(square, square_plan)[-1].flow
    flow.save(tmp_path / "flow")
    loaded = bv.Flow.load(tmp_path / "flow")
    same(loaded, flow)
    assert loaded.base.weights.dtype == np.float64
    x = square.source.x[:5]
    np.testing.assert_array_equal(loaded.mean(x), flow.mean(x))
    np.testing.assert_array_equal(loaded.transport(x).states, flow.transport(x).states)
    broken = replace(flow, base=flow.base._replace(bias=flow.base.bias * np.nan))
    broken.save(tmp_path / "broken")
    with pytest.raises(bv.InputError, match="not finite"):
        bv.Flow.load(tmp_path / "broken")


def test_transport_adds_the_map_back(square, square_plan):
    flow = train(square, square_plan)[-1].flow
    x = square.source.x[:6]
    residual = replace(flow, base=None)
    scaled = flow.source.standardise(x).astype(np.float32)
    carried = flow.target.standardise(residual.transport(x, seed=3).states)
    expected = flow.base(scaled) + flow.base.scale * carried
    np.testing.assert_allclose(flow.target.standardise(flow.transport(x, seed=3).states), expected, rtol=1e-6)


def test_weight_decay_shrinks_matrices_and_leaves_biases(square, square_plan):
    """With the gradients of one step alike, what differs is the decay of the matrices."""
    plain, decayed = (
        begin(square, square_plan, steps=1, holdout=0.0, weight_decay=decay).__next__().flow.params
        for decay in (0.0, 5.0)
    )
    start = Training.of(square, square_plan, bv.FlowConfig(**SETTINGS), None).start()[0].params["velocity"]
    for first, one, other in zip(*(jax.tree.leaves(tree) for tree in (start, plain, decayed)), strict=True):
        expected = one - 3e-3 * 5.0 * first if first.ndim > 1 else one
        np.testing.assert_allclose(other, expected, atol=1e-6)


def test_other_data_of_the_same_shape_compiles_nothing(square, square_plan):
    train(square, square_plan)
    before = bv.flows.compilations()
    moved = replace(square, source=bv.Space(square.source.x[::-1] + 1))
    train(moved, square_plan, seed=5, weight_decay=0.1, patience=30)
    assert bv.flows.compilations() == before


def test_a_local_coupling_is_measured_by_draws(blobs):
    pairs = blobs.sample_pairs(0.5)
    cost = bv.costs.bridge(blobs.source.x, blobs.target.x, pairs)
    plan = bv.couplings.local(cost, epsilon=0.05, max_iterations=20)
    means = row_means(plan, blobs.target.x)
    assert means.means.shape == (len(means.rows), blobs.target.x.shape[1])
    assert means.mass.sum() == pytest.approx(1)
    assert (means.within > 0).all()


def test_auto_regularises_unless_many_rows_share_a_target(square, square_plan):
    config = bv.FlowConfig(**SETTINGS | {"base": "auto", "holdout": None})
    training = Training.of(square, square_plan, config, None)
    assert training.base is not None
    assert training.held_out is None  # 10 % of 60 rows are too few
    classes = replace(square, target=bv.Space(square.target.x[np.arange(60) % 20]))
    training = Training.of(classes, square_plan, config, None)
    assert training.base is training.held_out is training.offsets is None
    assert Training.of(classes, square_plan, bv.FlowConfig(**SETTINGS), None).base is not None


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [("base", "quadratic", "one of"), ("holdout", 0.9, "from 0 to 0.5"), ("patience", 0, ">= 1"),
     ("weight_decay", -1.0, "from 0 to 100")],
)  # fmt: skip
def test_wrong_settings(setting, value, expected):
    with pytest.raises(bv.InputError, match=rf"'{setting}' of FlowConfig\(\) must be .*{expected}"):
        bv.FlowConfig(**{setting: value})
