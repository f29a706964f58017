"""The linear map under a flow: leave-one-out predictions, what it explains, and what it leaves at the mean."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import bridgeviz as bv
from bridgeviz.flows import _linear_map
from bridgeviz.flows._linear_map import fit_linear_map, fit_to_plan
from bridgeviz.flows._row_means import row_means

RNG = np.random.default_rng(0)


def fitted(x, y, mass=None, **changes):
    mass = np.full(len(x), 1 / len(x)) if mass is None else mass
    options = {"within": np.zeros(y.shape[1]), "units": np.ones(x.shape[1]), "basis": np.eye(y.shape[1])}
    return fit_linear_map(x, y, mass, **options | changes)


@pytest.mark.parametrize("rows", [30, 6])
def test_left_out_predictions_are_those_of_maps_fitted_without_the_row(monkeypatch, rows):
    """Against scikit-learn, for more rows than dimensions and for fewer, with unequal mass."""
    x, mass = RNG.normal(size=(rows, 8)), RNG.uniform(0.5, 2.0, rows)
    mass /= mass.sum()
    y = x @ RNG.normal(size=(8, 3)) + RNG.normal(size=(rows, 3)) + 5
    monkeypatch.setattr(_linear_map, "PENALTIES", np.array([0.7]))
    error, weights, left_out = _linear_map._ridge(x, y, mass)
    centred = (x - mass @ x) * np.sqrt(mass)[:, None]
    values = np.linalg.svd(centred, compute_uv=False) ** 2
    penalty = 0.7 * values[values > 1e-10 * values[0]].mean()
    whole = Ridge(alpha=penalty, solver="svd").fit(x, y, sample_weight=mass)
    np.testing.assert_allclose(weights, whole.coef_.T, rtol=1e-6)
    for row in range(rows):
        rest = np.arange(rows) != row
        expected = Ridge(alpha=penalty, solver="svd").fit(x[rest], y[rest], sample_weight=mass[rest]).predict(x[[row]])
        np.testing.assert_allclose(left_out[row], expected[0], rtol=1e-5)
    assert error == pytest.approx(float(mass @ ((y - left_out) ** 2).mean(1)))


def test_a_linear_relation_is_found_and_the_scale_is_that_of_the_noise():
    x = RNG.normal(size=(400, 4))
    truth = RNG.normal(size=(4, 2))
    y = x @ truth + 3 + RNG.normal(size=(400, 2)) * [0.1, 0.5]
    found = fitted(x, y).map
    np.testing.assert_allclose(found.weights, truth, atol=0.08)
    np.testing.assert_allclose(found.bias, 3, atol=0.08)
    np.testing.assert_allclose(found.scale, [0.1, 0.5], rtol=0.1)
    np.testing.assert_allclose(found(x), x @ found.weights + found.bias)


def test_components_that_the_source_does_not_predict_stay_at_the_mean():
    """One direction of the target follows the source, and twenty are noise: ridge alone predicts them badly."""
    basis = np.linalg.qr(RNG.normal(size=(21, 21)))[0]
    x = RNG.normal(size=(60, 30))
    signal = np.zeros((60, 21))
    signal[:, 0] = 3 * x[:, 0]
    y = (signal + RNG.normal(size=(60, 21))) @ basis.T
    x_new = RNG.normal(size=(2000, 30))
    best = (x_new[:, :1] * 3) @ basis[:, :1].T
    shrunk = fitted(x, y, basis=basis).map(x_new)
    plain = fitted(x, y, basis=np.eye(21)).map(x_new)
    assert ((shrunk - best) ** 2).sum() < 0.8 * ((plain - best) ** 2).sum()


def test_without_a_relation_the_map_is_the_mean_of_the_target():
    x, y = RNG.normal(size=(200, 5)), RNG.normal(size=(200, 3)) + 4
    found = fitted(x, y).map
    assert np.std(found(x) - y.mean(0)) < 0.1
    np.testing.assert_allclose(found.scale, y.std(0), rtol=0.05)


def test_dimensions_may_keep_the_units_of_their_space():
    """The source's first dimension is large and holds everything; the other fifty are small noise."""
    units = np.array([10.0] + [0.1] * 50)
    x = RNG.normal(size=(40, 51))
    y = x[:, :1] + 0.3 * RNG.normal(size=(40, 1))
    new = RNG.normal(size=(500, 51))
    error = {
        k: np.mean((fitted(x, y, units=u).map(new) - new[:, :1]) ** 2)
        for k, u in (("own", units), ("one", np.ones(51)))
    }
    assert error["own"] < 0.1 * error["one"]


def test_the_mean_targets_of_a_plan(square):
    rng = np.random.default_rng(1)
    cost = rng.uniform(size=(60, 60))
    plan = bv.couplings.linear(cost, epsilon=0.3, tau=(0.9, 0.9))
    means, dense, y = row_means(plan, square.target.x), plan.dense(), square.target.x
    np.testing.assert_allclose(means.means, dense @ y / dense.sum(1, keepdims=True))
    np.testing.assert_allclose(means.mass, dense.sum(1) / dense.sum())
    within = (dense[:, :, None] * (y[None] - means.means[:, None]) ** 2).sum((0, 1)) / dense.sum()
    np.testing.assert_allclose(means.within, within)
    few = row_means(bv.couplings.true([[3, 1], [3, 5], [7, 0]], shape=(60, 60)), y)
    assert few.rows.tolist() == [3, 7]
    np.testing.assert_allclose(few.means, [(y[1] + y[5]) / 2, y[0]])
    np.testing.assert_allclose(few.mass, [2 / 3, 1 / 3])


def test_of_many_rows_a_sample_is_fitted_and_all_are_predicted(monkeypatch, square, square_plan):
    monkeypatch.setattr(_linear_map, "MOST_ROWS", 20)
    x, y = square.source.x, square.source.x @ RNG.normal(size=(3, 3))
    found, predictions = fit_to_plan(row_means(square_plan, y), x, y, units=np.ones(3), seed=0)
    np.testing.assert_allclose(predictions, y, atol=0.02)
    assert (predictions != found(x)).any(1).sum() == 20
