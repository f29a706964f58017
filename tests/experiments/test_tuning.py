"""Tuning by aes: the rows, the regression against scikit-learn, the choice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import bridgeviz as bv
from bridgeviz.experiments import tuning
from bridgeviz.viz.tuning import aes_heatmap, aes_regression

SMALL = {"epsilons": (0.01, 0.1), "taus": (0.5, 1.0), "fractions": (0.1, 0.3)}


@pytest.fixture(scope="module")
def table(digits):
    return pd.DataFrame(tuning.tune(digits, bv.RunConfig(), **SMALL, validation=0.15))


def test_every_combination_is_solved_on_the_validation_set(table, digits):
    assert len(table) == 2 * 4 * 2
    assert not table.duplicated(["epsilon", "tau_x", "tau_y", "fraction"]).any()
    size = round(0.15 * len(digits.truth))
    np.testing.assert_allclose(table.paired, [p / (size - p) for p in np.round(table.fraction * size)])
    balanced = table[(table.tau_x == 1) & (table.tau_y == 1)]
    np.testing.assert_allclose(balanced.mass, 1, atol=1e-2)
    np.testing.assert_allclose(balanced.excluded_ratio, np.exp(-2), atol=0.01)
    np.testing.assert_allclose(table.aes, table.matching_accuracy / table.excluded_ratio)
    np.testing.assert_allclose(table.aes_paper, table.matching_accuracy / table.excluded_ratio_paper)
    assert table[table.fraction == 0.3].matching_accuracy.mean() > table[table.fraction == 0.1].matching_accuracy.mean()


def test_nothing_but_the_validation_set_is_coupled(digits, monkeypatch):
    seen = []
    build = bv.costs.Bridge.build

    def watch(self, x, y, pairs):
        seen.append(((len(x), len(y)), len(pairs)))
        return build(self, x, y, pairs)

    monkeypatch.setattr(bv.costs.Bridge, "build", watch)
    next(tuning.tune(digits, bv.RunConfig(), **SMALL, validation=0.1))
    size = round(0.1 * len(digits.truth))
    assert seen == [((size, size), round(0.1 * size))]


def test_low_taus_leave_points_out(table):
    low = table[(table.tau_x == 0.5) & (table.tau_y == 0.5) & (table.epsilon == 0.01)]
    balanced = table[(table.tau_x == 1) & (table.tau_y == 1) & (table.epsilon == 0.01)]
    assert low.excluded_ratio.mean() > balanced.excluded_ratio.mean() + 0.1
    assert tuning.best(table).aes == pytest.approx(table.groupby(["epsilon", "tau_x", "tau_y"]).aes.mean().max())


def test_the_regression_agrees_with_scikit_learn(table):
    ours = tuning.regress(table)
    x = table[list(tuning.VARIABLES)]
    theirs = LinearRegression().fit(x, table.aes)
    np.testing.assert_allclose(ours.predicted, theirs.predict(x), atol=1e-8)
    assert ours.r2 == pytest.approx(theirs.score(x, table.aes))
    assert ours.adjusted_r2 == pytest.approx(1 - (1 - ours.r2) * 15 / 11)
    assert ours.coefficients["intercept"] == pytest.approx(theirs.intercept_)
    np.testing.assert_allclose([ours.coefficients[name] for name in tuning.VARIABLES], theirs.coef_)
    with pytest.raises(bv.InputError, match="of more than 5 rows"):
        tuning.regress(table.iloc[[0, 3, 5, 10, 15]])


def test_the_figures_show_the_means_and_the_predictions(table):
    heat = aes_heatmap(table).data[0]
    assert (list(heat.x), list(heat.y)) == (["0.5", "1"], ["0.5", "1"])
    assert heat.z[0][1] == pytest.approx(table[(table.tau_x == 0.5) & (table.tau_y == 1)].aes.mean())
    found = tuning.regress(table)
    dots = aes_regression(table.aes.to_numpy(), found.predicted).data[1]
    np.testing.assert_allclose(dots.y, found.predicted, rtol=1e-6)


def test_what_can_not_be_tuned_is_refused(digits):
    with pytest.raises(bv.InputError, match="labels on both sides and known pairs"):
        next(tuning.tune(bv.Problem(bv.Space(np.eye(20)), bv.Space(np.eye(20))), bv.RunConfig()))
    with pytest.raises(bv.InputError, match="which solve a transport"):
        next(tuning.tune(digits, bv.RunConfig(strategy="true")))
    with pytest.raises(bv.InputError, match="large enough for ten pairs"):
        next(tuning.tune(digits, bv.RunConfig(), validation=0.001))
