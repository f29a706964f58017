"""Metrics of neural prediction, against second implementations and what they must be by construction."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.metrics import r2_score

import bridgeviz as bv
from bridgeviz import metrics


@pytest.fixture
def responses():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(60, 7)) * [0.01, 1, 5, 100, 1, 1, 1] + 3
    return y, y + rng.normal(size=y.shape) * y.std(0) * np.linspace(0.1, 2, 7)


def test_the_prediction_error_is_one_minus_r2_averaged_over_neurons(responses):
    y, predicted = responses
    expected = 1 - r2_score(y, predicted, multioutput="uniform_average")
    assert metrics.prediction_error(predicted, y) == pytest.approx(expected, rel=1e-9)
    assert metrics.prediction_error(np.tile(y.mean(0), (60, 1)), y) == pytest.approx(1)
    assert metrics.prediction_error(y, y) == 0


def test_the_prediction_error_does_not_depend_on_a_neurons_unit_and_skips_constant_ones(responses):
    y, predicted = responses
    scale = np.array([1e-3, 2, 1, 1, 7, 1, 1e4])
    before = metrics.prediction_error(predicted, y)
    assert metrics.prediction_error(predicted * scale, y * scale) == pytest.approx(before)
    silent = np.full((60, 1), 0.3)
    assert metrics.prediction_error(np.hstack([predicted, silent + 9]), np.hstack([y, silent])) == pytest.approx(before)
    with pytest.raises(bv.InputError, match=r"'y' of prediction_error\(\) must be responses that vary"):
        metrics.prediction_error(y, np.ones_like(y))
    with pytest.raises(bv.InputError, match=r"'predicted' of prediction_error\(\) must be one row per row of y, 60"):
        metrics.prediction_error(y[:-1], y)


def test_the_correlation_per_neuron_is_scipys(responses):
    y, predicted = responses
    expected = [stats.pearsonr(a, b).statistic for a, b in zip(predicted.T, y.T, strict=True)]
    np.testing.assert_allclose(metrics.neuron_correlation(predicted, y), expected, rtol=1e-9)
    predicted, y = predicted.copy(), y.copy()
    predicted[:, 1], y[:, 2] = 4.0, 0.1
    special = metrics.neuron_correlation(predicted, y)
    assert special[1] == 0
    assert np.isnan(special[2])


def test_the_rank_test_is_scipys_and_says_which_group_is_smaller():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=9), rng.normal(size=12) + 1
    test = metrics.rank_test(a, b)
    assert test.p == pytest.approx(stats.mannwhitneyu(a, b).pvalue)
    assert test.smaller == pytest.approx((a[:, None] < b).mean())
    assert metrics.rank_test(b, a).smaller == pytest.approx(1 - test.smaller)
    assert metrics.rank_test([1.0, 1.0], [1.0]).smaller == 0.5
    assert metrics.rank_test(range(5), range(5, 10)).p == pytest.approx(2 / 252)
    with pytest.raises(bv.InputError, match=r"'b' of rank_test\(\) must be at least one value"):
        metrics.rank_test([1.0], [])


@pytest.mark.parametrize(("noise", "repetitions"), [(0.5, 4), (1.0, 12), (2.0, 20)])
def test_the_noise_ceiling_finds_the_reliability_of_the_average(noise, repetitions):
    """Signal of variance 1 and noise of variance s^2 / R on the average of R: reliability 1 / (1 + s^2 / R)."""
    rng = np.random.default_rng(1)
    signal = rng.normal(size=(2000, 3, 1))
    repeats = signal + noise * rng.normal(size=(2000, 3, repetitions))
    ceiling = metrics.noise_ceiling(repeats)
    expected = 1 / (1 + noise**2 / repetitions)
    np.testing.assert_allclose(ceiling.reliability, expected, atol=0.02)
    # A model that knows the signal reaches the ceiling of the correlation with the average.
    reached = metrics.neuron_correlation(signal[..., 0], repeats.mean(2))
    np.testing.assert_allclose(ceiling.correlation, reached, atol=0.02)


def test_the_noise_ceiling_of_missing_repetitions_noise_and_silence():
    rng = np.random.default_rng(2)
    repeats = rng.normal(size=(400, 3, 1)) + rng.normal(size=(400, 3, 9))
    repeats[:, 1] = rng.normal(size=(400, 9))
    repeats[:, 2] = 4.0
    full = metrics.noise_ceiling(repeats)
    assert full.reliability[1] < 0.2
    assert np.isnan(full.reliability[2])
    padded = np.concatenate([repeats, np.full((400, 3, 5), np.nan)], axis=2)
    np.testing.assert_allclose(metrics.noise_ceiling(padded).reliability, full.reliability, atol=0.05)
    padded[7, 0, :8] = np.nan  # one neuron misses repetitions that the others have
    with pytest.raises(
        bv.InputError, match=r"at least two repetitions of each stimulus\. Got 1 of neuron 0 to stimulus 7"
    ):
        metrics.noise_ceiling(padded)
    padded[7, 0, 0] = 1.0
    np.testing.assert_allclose(metrics.noise_ceiling(padded).reliability[:2], full.reliability[:2], atol=0.06)
    with pytest.raises(
        bv.InputError, match=r"'repeats' of noise_ceiling\(\) must be an array of shape \(stimuli, neur"
    ):
        metrics.noise_ceiling(repeats[0])


def test_effective_dimensionality_is_that_of_the_eigenvalues():
    rng = np.random.default_rng(0)
    for shape in ((50, 9), (12, 40)):
        x = rng.normal(size=shape) @ np.diag(np.linspace(0.1, 3, shape[1])) + 5
        values = PCA().fit(x).explained_variance_
        assert metrics.effective_dimensionality(x) == pytest.approx(values.sum() ** 2 / (values**2).sum())
    with pytest.raises(bv.InputError, match="rows that differ"):
        metrics.effective_dimensionality(np.ones((4, 3)))


def test_rsa_is_the_rank_correlation_of_the_distances():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 25, 6))
    y += 0.7 * x
    distances = [(1 - np.corrcoef(one))[np.triu_indices(25, 1)] for one in (x, y)]
    assert metrics.rsa(x, y) == pytest.approx(stats.spearmanr(*distances).statistic, abs=1e-9)
    assert metrics.rsa(x, 3 * x - 1) == pytest.approx(1)
    with pytest.raises(bv.InputError, match="one row per row of y"):
        metrics.rsa(x[1:], y)
    with pytest.raises(bv.InputError, match="free of constant rows"):
        metrics.rsa(np.ones((25, 6)), y)


@pytest.mark.parametrize("method", ["pls", "ridge"])
def test_neural_predictivity_finds_a_linear_relation_on_held_out_rows_only(method):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 40))
    linear = x[:, :5] @ rng.normal(size=(5, 6))
    assert metrics.neural_predictivity(x, linear, method=method).median > 0.95
    noise = rng.normal(size=(120, 6))
    assert abs(metrics.neural_predictivity(x, noise, method=method).median) < 0.2
    mixed = metrics.neural_predictivity(x, np.hstack([linear[:, :1], noise[:, :1], np.ones((120, 1))]), method=method)
    assert mixed.by_neuron[0] > 0.95
    assert abs(mixed.by_neuron[1]) < 0.3
    assert np.isnan(mixed.by_neuron[2])
    constant = metrics.neural_predictivity(np.ones((30, 2)), noise[:30], method=method, folds=3)
    assert constant.median == 0


def test_neural_predictivity_refuses_what_it_cannot_divide():
    x = np.random.default_rng(0).normal(size=(12, 3))
    with pytest.raises(bv.InputError, match=r"'folds' of neural_predictivity\(\) must be an integer from 2 to 4"):
        metrics.neural_predictivity(x, x)
    with pytest.raises(bv.InputError, match="'method' of neural_predictivity"):
        metrics.neural_predictivity(x, x, method="lasso")


def test_layers_are_ranked_by_the_three_criteria():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(90, 4))
    flat = np.outer(rng.normal(size=90), np.ones(8)) + 0.01 * rng.normal(size=(90, 8))
    layers = {
        "flat": flat,
        "right": np.hstack([y, y]) + 0.1 * rng.normal(size=(90, 8)),
        "wrong": rng.normal(size=(90, 8)),
    }
    scores = metrics.rank_layers(layers, y, folds=5)
    assert scores[0].layer == "right"
    by_name = {score.layer: score for score in scores}
    assert by_name["right"].predictivity == metrics.neural_predictivity(layers["right"], y, folds=5).median
    assert by_name["right"].rsa == metrics.rsa(layers["right"], y)
    assert by_name["wrong"].dimensionality == metrics.effective_dimensionality(layers["wrong"])
    for score in scores:  # the highest number has rank 1
        ranks = [
            1 + sum(getattr(other, name) > getattr(score, name) for other in scores) for name in score._fields[1:4]
        ]
        assert score.rank == pytest.approx(np.mean(ranks))
    with pytest.raises(bv.InputError, match=r"'layers' of rank_layers\(\) must be features by name"):
        metrics.rank_layers({}, y)


def test_the_category_decoder_is_a_linear_machine_with_a_validated_penalty():
    rng = np.random.default_rng(0)
    labels = np.array(["animal", "boat", "car"])[np.arange(150) % 3]
    y = np.eye(3)[np.arange(150) % 3] @ rng.normal(size=(3, 20)) * 1.2 + rng.normal(size=(150, 20))
    decoder = metrics.fit_category_decoder(y[:100], labels[:100])
    accuracy = decoder.accuracy(y[100:], labels[100:])
    assert accuracy > 0.8
    assert accuracy == (decoder.predict(y[100:]) == labels[100:]).mean()
    assert decoder.validation == pytest.approx(accuracy, abs=0.15)
    machine = decoder.model[-1]
    assert (machine.kernel, machine.C) == ("linear", decoder.c)
    assert decoder.c < 1  # noisy responses need a soft margin
    # Labels that say nothing are decoded at chance, even from the rows of the folds.
    shuffled = metrics.fit_category_decoder(y[:100], rng.permutation(labels[:100]))
    assert shuffled.validation < 0.5
    with pytest.raises(bv.InputError, match=r"at least 5 rows of each category, one per fold\. Got 2 of boat"):
        metrics.fit_category_decoder(y[:6], ["car", "car", "car", "car", "boat", "boat"])
    with pytest.raises(bv.InputError, match="columns"):
        decoder.predict(y[:, :3])
