"""Runs towards neurons: what they report, and the figure that compares strategies by it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

import bridgeviz as bv
from bridgeviz._options import Choice, Flag, option
from bridgeviz.baselines import Ridge
from bridgeviz.datasets import DatasetOptions
from bridgeviz.experiments import figures
from bridgeviz.experiments.benchmarks._neural_errors import NeuralErrors, Recorded

pytestmark = pytest.mark.usefixtures("small_networks")


@dataclass(frozen=True, kw_only=True)
class Line(DatasetOptions):
    """Twelve neurons that respond linearly to six features, with noise, in four categories."""

    name = "line"
    held_out: str = option(Choice(("test", "validation")), "test", help="What the test split is.")
    categories: bool = option(Flag(), True, help="Whether the rows have labels.")

    def load(self):
        rng = np.random.default_rng(0)
        weights, centres = rng.normal(size=(6, 12)), 2 * rng.normal(size=(4, 6))

        def problem(rows, test):
            labels = np.arange(rows) % 4
            x = centres[labels] + rng.normal(size=(rows, 6))
            y = x @ weights + rng.normal(size=(rows, 12))
            about = {"labels": labels} if self.categories else {}
            truth = np.stack([np.arange(rows)] * 2, axis=1)
            spaces = bv.Space(x, **about), bv.Space(y, neurons=True, **about)
            return bv.Problem(*spaces, truth=truth, test=test, name=self.name)

        parts = {name: problem(60, None) for name in ("test", "validation")}
        return problem(120, parts[self.held_out])


def test_a_run_towards_neurons_reports_their_prediction():
    config = bv.RunConfig(strategy="true", fraction=1.0, steps=100, learning_rate=3e-3)
    run = bv.run(config, problem=Line(categories=False).load())
    test = run.problem.test
    predicted = run.flow.mean(test.source.x, draws=64)
    assert run.metrics["test_prediction_error"] == bv.metrics.prediction_error(predicted, test.target.x)
    correlation = bv.metrics.neuron_correlation(predicted, test.target.x)
    assert run.metrics["test_neuron_correlation"] == pytest.approx(correlation.mean())
    assert run.metrics["test_prediction_error"] < 0.5
    # Rows of the test split belong together by its known pairs, not by their numbers.
    shuffled = bv.Problem(
        test.source, test.target.take(np.arange(60)[::-1]), truth=np.stack([np.arange(60), np.arange(60)[::-1]], axis=1)
    )
    numbers = bv.experiments._neural.neural_metrics(shuffled, run.flow)
    assert numbers["test_prediction_error"] == run.metrics["test_prediction_error"]


def test_other_runs_do_not_report_neurons(blobs):
    problem = Line().load()
    numbers = bv.run(bv.RunConfig(strategy="true", fraction=1.0, steps=2), problem=problem.reversed()).metrics
    assert not {"test_prediction_error", "test_neuron_correlation"} & set(numbers)
    flow = bv.run(bv.RunConfig(strategy="true", fraction=0.5, steps=2), problem=problem).flow
    silent = bv.Space(np.ones((60, 12)), neurons=True)
    for target, truth in ((problem.test.target, None), (silent, problem.test.truth)):
        assert bv.experiments._neural.neural_metrics(bv.Problem(problem.test.source, target, truth=truth), flow) == {}


def test_figure_10_measures_both_strategies_and_resumes(tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text("<!-- bench figure-10-11-line -->\n<!-- end of bench figure-10-11-line -->\n")
    figure = NeuralErrors(dataset=Line(), fractions=(0.2,), steps=(50, 100), strategies=("global", "true"))
    measured = figure.measure(seeds=1, folder=tmp_path, documents=[document])
    lines = [next(measured) for _ in range(2)]
    measured.close()
    rest = list(figure.measure(seeds=1, folder=tmp_path, documents=[document]))
    assert len(lines) + len(rest) == 3 + 1  # every case, and the table
    rows = pd.read_parquet(tmp_path / "figure_10_11_line.parquet")
    assert rows.groupby("case").size().to_dict() == {"ridge": 1, "global": 2, "true": 2}
    assert (rows.test_error < 1).all()
    assert (rows.error_of_one_draw > rows.test_error)[rows.case != "ridge"].all()
    errors = rows.set_index(["case", "steps"]).test_error
    text = document.read_text()
    assert f"| ridge | {errors['ridge', 0]:.3f} ({errors['ridge', 0]:.3f} to" in text
    assert f"| true, 100 steps | {errors['true', 100]:.3f} (" in text
    assert "categories decoded from predictions" in text
    assert "Global against true after 100 steps: p 1.000." in text
    assert list(figure.measure(seeds=1, folder=tmp_path, documents=[document])) == [rest[-1]]
    other = NeuralErrors(dataset=Line(categories=False), fractions=(0.2,), steps=(50,))
    assert other.ledger(tmp_path).rows == []  # another data set under the same name is measured again


def test_the_plans_of_figure_10_differ_in_the_mass_of_paired_rows():
    """Unbalanced, nearly all the mass is on the paired rows; balanced, they have only their share."""
    data = Recorded(Line())
    paired = data.problem.sample_pairs(0.2, seed=0).source
    plans = {strategy: data.plan(strategy, 0.2, 0) for strategy in ("global", "global, balanced", "true", "local")}
    mass = {name: p.marginals()[0][paired].sum() / p.mass for name, p in plans.items() if p.whole is not None}
    assert mass["true"] == pytest.approx(1)
    assert mass["global, balanced"] == pytest.approx(0.2, abs=0.01)
    assert 0.3 < mass["global"] < 1
    assert plans["global"].tau == plans["local"].tau == (0.99, 0.99)
    assert plans["global"].epsilon == plans["local"].epsilon == 1e-3


def test_the_scores_are_those_of_the_predicted_responses():
    data = Recorded(Line())
    figure = NeuralErrors(dataset=Line(), fractions=(0.8,), steps=(50,))
    (row,) = figure._ridge(data, 0.8, 0)
    fitted = Ridge().fit(data.problem, data.problem.sample_pairs(0.8, seed=0))
    for part, problem in data.held_out.items():
        predicted = fitted.transport(problem.source.x)
        assert row[f"{part}_error"] == round(bv.metrics.prediction_error(predicted, problem.target.x), 4)
        decoder = bv.metrics.fit_category_decoder(data.problem.target.x, data.problem.target.labels)
        assert row[f"{part}_categories"] == round(decoder.accuracy(predicted, problem.target.labels), 4)
    assert row["test_error"] != row["validation_error"]


def test_figures_10_and_11_take_recordings_only(tmp_path):
    with pytest.raises(bv.InputError, match=r"'dataset' of figure\(\) must be one of 'v4-cowley', 'majaj2015'"):
        next(figures.measure(10, dataset="mnist"))
    for wrong in (bv.datasets.Blobs(n=60), bv.datasets.Digits()):
        with pytest.raises(bv.InputError, match=r"'dataset' of figure\(\) must be one with neurons"):
            next(figures.measure(11, dataset=wrong, folder=tmp_path, documents=[]))
