"""The run as a transformer of scikit-learn."""

from __future__ import annotations

import pickle

import jax
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import bridgeviz as bv
from bridgeviz.experiments import _pipeline
from bridgeviz.flows import VELOCITIES, AdaLN, Flow, Progress, Scaling, init_velocity

SMALL = {"cost": "bridge", "velocity": "one-block", "steps": 40, "batch_size": 32, "learning_rate": 1e-2}
PAIRS = np.stack([np.arange(40, 60), np.arange(40, 60)], axis=1)


@pytest.fixture(autouse=True, scope="module")
def one_block():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(VELOCITIES, "one-block", AdaLN(d=16, blocks=1))
        yield


@pytest.fixture(scope="module")
def spaces() -> tuple[np.ndarray, np.ndarray]:
    """Two views of the same 60 points of a plane, row by row, in three and four dimensions."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 2))
    return points @ rng.normal(size=(2, 3)) + 0.02 * rng.normal(size=(60, 3)), points @ rng.normal(size=(2, 4)) + 1


@pytest.fixture(scope="module")
def fitted(spaces, one_block) -> bv.Aligner:
    return bv.Aligner(**SMALL).fit(*spaces, pairs=PAIRS)


@pytest.fixture
def untrained(monkeypatch):
    """Networks keep their initial weights where a test asks nothing about them: each shape takes seconds to compile."""

    def fit(problem, plan, config, **_):
        (x, y), key = (problem.source.x, problem.target.x), jax.random.key(config.seed)
        graph, params = init_velocity(config.velocity, x.shape[1], y.shape[1], key)
        flow = Flow(config, graph, params, Scaling.of(x), Scaling.of(y))
        yield Progress(step=config.steps, losses=np.zeros(config.steps), flow=flow)

    monkeypatch.setattr(_pipeline, "fit", fit)


def like(aligner: bv.Aligner, **params) -> bv.Aligner:
    """The same fitted aligner with other parameters, which only `transform` reads."""
    return pickle.loads(pickle.dumps(aligner)).set_params(**params)


def test_its_defaults_are_those_of_a_run_but_for_the_cost():
    assert bv.Aligner()._config() == bv.RunConfig(dataset="yours", cost="auto")


PARAMS = {
    "cost": "knn", "cost_options": {"k": 5}, "metric": "sqeuclidean", "strategy": "local", "solver": "fgw",
    "alpha": 0.25, "epsilon": 0.1, "tau": (0.9, 1.0), "velocity": "adaln-medium", "steps": 7, "batch_size": 8,
    "learning_rate": 0.1, "n_draws": 3, "seed": 5, "settings": {"ema": 0.9},
}  # fmt: skip


def test_every_parameter_is_kept_and_reaches_the_run():
    aligner = bv.Aligner(**PARAMS)
    assert aligner.get_params() == PARAMS
    assert clone(aligner).get_params() == PARAMS
    assert bv.Aligner().set_params(**PARAMS).get_params() == PARAMS
    config, expected = aligner._config(), {k: v for k, v in PARAMS.items() if k not in ("n_draws", "settings")}
    assert config == bv.RunConfig(dataset="yours", **expected, ema=0.9)
    assert (config.solver, config.alpha, config.cost.k, config.seed) == ("fgw", 0.25, 5, 5)


def test_objects_keep_their_own_options():
    cost, solver = bv.costs.KNN(k=3, metric="pearson"), bv.couplings.FGW(alpha=0.75, epsilon=0.5, tau=(0.9, 0.8))
    aligner = clone(bv.Aligner(cost=cost, solver=solver))
    assert aligner._config().cost == cost
    assert aligner._config().coupling.solver == solver
    assert aligner.set_params(alpha=0.5)._config().coupling.solver.alpha == 0.5
    strategy = bv.couplings.Global(solver=solver)
    assert bv.Aligner(strategy=strategy)._config().coupling == strategy


def test_it_is_the_run(spaces, fitted):
    problem = bv.Problem(source=bv.Space(spaces[0]), target=bv.Space(spaces[1]))
    run = bv.run(bv.RunConfig(dataset="yours", **SMALL), problem=problem, pairs=PAIRS)
    x = spaces[0][:7]
    np.testing.assert_array_equal(fitted.plan_.dense(), run.plan.dense())
    np.testing.assert_array_equal(fitted.cost_.dense(), run.cost.dense())
    np.testing.assert_array_equal(fitted.run_.losses, run.losses)
    np.testing.assert_array_equal(fitted.pairs_, PAIRS)
    np.testing.assert_array_equal(fitted.transform(x), run.flow.mean(x))
    np.testing.assert_array_equal(like(fitted, n_draws=1).transform(x), run.flow.transport(x).states[-1])
    np.testing.assert_array_equal(like(fitted, n_draws=4).transform(x), run.flow.draws(x, samples=4).mean)
    report, of_run = fitted.report_, bv.experiments.report(run)
    assert {**report, "seconds": 0} == {**of_run, "seconds": 0}
    assert (fitted.n_features_in_, fitted.flow_ is fitted.run_.flow) == (3, True)


def test_the_same_seed_gives_the_same_result_and_another_one_another(spaces, fitted):
    again, other = (clone(fitted).set_params(seed=seed).fit(*spaces, pairs=PAIRS) for seed in (0, 1))
    x = spaces[0][:7]
    np.testing.assert_array_equal(again.transform(x), fitted.transform(x))
    assert (other.transform(x) != fitted.transform(x)).all()
    assert (like(other, n_draws=1).transform(x) != like(other, n_draws=1, seed=9).transform(x)).sum() == 0  # of fit


def test_a_row_is_carried_to_the_same_place_whatever_comes_with_it(spaces, fitted):
    np.testing.assert_allclose(fitted.transform(spaces[0])[50:53], fitted.transform(spaces[0][50:53]), atol=1e-5)


def test_paired_matrices_are_pairs_of_rows(spaces, fitted):
    (x, y), new = spaces, slice(40, 60)
    stacked = clone(fitted).fit(x[:40], y[:40], paired_x=x[new], paired_y=y[new])
    np.testing.assert_array_equal(stacked.pairs_, PAIRS)
    np.testing.assert_array_equal(stacked.transform(x), fitted.transform(x))
    both = clone(fitted).fit(x[:50], y[:50], pairs=PAIRS[:10], paired_x=x[50:], paired_y=y[50:])
    np.testing.assert_array_equal(both.transform(x), fitted.transform(x))


def test_paired_matrices_lie_below_both_spaces(spaces, untrained):
    x, y = spaces
    aligner = bv.Aligner(**SMALL).fit(x[:30], y[:40], pairs=[[3, 4]], paired_x=x[:2], paired_y=y[:2])
    assert aligner.pairs_.tolist() == [[3, 4], [30, 40], [31, 41]]
    assert aligner.plan_.shape == (32, 42)
    np.testing.assert_array_equal(aligner.run_.problem.target.x[40:], y[:2])


def test_paired_matrices_alone(spaces, fitted):
    x, y = spaces
    alone = clone(fitted)
    carried = alone.fit_transform(None, paired_x=x, paired_y=y)
    np.testing.assert_array_equal(alone.pairs_, np.stack([np.arange(60)] * 2, axis=1))
    np.testing.assert_array_equal(carried, alone.transform(x))
    np.testing.assert_array_equal(clone(fitted).fit_transform(x, y, pairs=PAIRS), fitted.transform(x))


def test_partners_are_found_better_than_by_chance(spaces, fitted):
    scores = fitted.similarity(spaces[0][:40])
    assert scores.shape == (40, 60)
    assert np.abs(scores).max() <= 1 + 1e-9
    truth = np.stack([np.arange(40)] * 2, axis=1)
    assert bv.metrics.foscttm(-scores, truth) < 0.2  # chance is 0.5
    np.testing.assert_array_equal(fitted.similarity(spaces[0][:40], spaces[1]), scores)
    ends, y = fitted.transform(spaces[0][:1])[0], spaces[1][5]
    assert scores[0, 5] == pytest.approx(ends @ y / np.linalg.norm(ends) / np.linalg.norm(y), abs=1e-6)


def test_weights_and_forbidden_matches_refer_to_the_stacked_rows(spaces, untrained):
    x, y = spaces
    a, b = np.r_[np.zeros(5), np.arange(1.0, 56.0)], np.r_[np.full(59, 1.0), 3.0]
    mask = np.zeros((60, 60), bool)
    mask[10:20, 30:], mask[50, 51] = True, True
    aligner = bv.Aligner(**SMALL).set_params(epsilon=0.5)
    aligner.fit(
        x[:40], y[:40], paired_x=x[40:], paired_y=y[40:], source_weights=a, target_weights=b, forbidden=mask
    )  # fmt: skip
    marginals = aligner.plan_.marginals()
    np.testing.assert_allclose(marginals[0], a / a.sum(), atol=2e-3)
    np.testing.assert_allclose(marginals[1], b / b.sum(), atol=2e-3)
    assert not aligner.plan_.dense()[mask].any()
    assert aligner.report_["weights"]["source"]["rows"] == 55
    assert aligner.report_["forbidden"] == pytest.approx(mask.mean())


def test_a_series_of_weights_is_joined_to_the_index_of_a_table(spaces, untrained):
    x, y = spaces
    table, order = pd.DataFrame(x, index=[f"r{k}" for k in range(60)]), np.random.default_rng(0).permutation(60)
    series = pd.Series(1.0 + order, index=[f"r{k}" for k in order])
    aligner = bv.Aligner(**SMALL).fit(table.set_axis(list("abc"), axis=1), y, pairs=PAIRS, source_weights=series)
    np.testing.assert_allclose(aligner.run_.problem.source.weights, np.arange(1, 61) / np.arange(1, 61).sum())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source_weights": np.ones(59)}, r"'source_weights' of fit\(\) must be a vector of length 60"),
        ({"target_weights": -np.ones(60)}, r"'target_weights' of fit\(\) must be nowhere negative"),
        ({"target_weights": "heavy"}, r"'target_weights' of fit\(\) must be"),
        ({"forbidden": np.ones((3, 3), bool)}, r"'forbidden' of fit\(\) must be a mask of shape \(60, 60\)"),
        ({"forbidden": [[0, 60]]}, r"'forbidden' of fit\(\) must be row numbers"),
        ({"forbidden": [[45, 45]]}, r"'forbidden' of fit\(\) must be free of the pairs, which match"),
    ],
)
def test_wrong_weights_and_forbidden_matches_are_refused(spaces, arguments, message):
    with pytest.raises(bv.InputError, match=message):
        bv.Aligner(**SMALL).fit(*spaces, pairs=PAIRS, **arguments)


def test_in_two_dimensions_the_similarity_is_minus_a_distance(spaces, untrained):
    x, y = spaces[0], spaces[1][:, :2]
    aligner = bv.Aligner(**SMALL).fit(x, y, pairs=PAIRS)
    distances = ((aligner.transform(x)[:, None] - y) ** 2).sum(-1)
    np.testing.assert_allclose(aligner.similarity(x), -distances, rtol=1e-5, atol=1e-5)


def test_it_survives_pickling(spaces, fitted):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.transform(spaces[0]), fitted.transform(spaces[0]))
    np.testing.assert_array_equal(again.plan_.dense(), fitted.plan_.dense())
    assert again.cost_.route(0, 1) == fitted.cost_.route(0, 1)
    assert again.report_ == fitted.report_


@pytest.mark.parametrize("metric", bv.costs.METRICS)
@pytest.mark.parametrize("cost", bv.costs.COSTS)
def test_every_cost_survives_pickling(spaces, cost, metric):
    made = bv.costs.COSTS[cost](metric=metric).build(*spaces, PAIRS)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(made)).dense(), made.dense())


def test_tables_have_names_in_and_out(spaces):
    x, y = pd.DataFrame(spaces[0], columns=list("abc")), pd.DataFrame(spaces[1], columns=list("pqrs"))
    table = pd.DataFrame(PAIRS[:, ::-1], columns=["target", "source"])
    aligner = bv.Aligner(**SMALL).set_output(transform="pandas").fit(x, y, pairs=table)
    assert aligner.feature_names_in_.tolist() == ["a", "b", "c"]
    assert aligner.get_feature_names_out().tolist() == ["p", "q", "r", "s"]
    carried = aligner.transform(x.iloc[3:5])
    assert carried.columns.tolist() == ["p", "q", "r", "s"]
    assert carried.index.tolist() == [3, 4]
    plain = bv.Aligner(**SMALL).fit(*spaces, pairs=PAIRS)
    np.testing.assert_array_equal(carried, plain.transform(spaces[0][3:5]))
    assert plain.get_feature_names_out().tolist() == ["aligner0", "aligner1", "aligner2", "aligner3"]
    assert aligner.similarity(x, y[["p", "q", "r", "s"]]).shape == (60, 60)
    wrong = (x[["b", "a", "c"]], "'b'"), (x.rename(columns={"c": "d"}), "'d'"), (x[["a", "b"]], "'nothing'")
    for frame, got in wrong:
        with pytest.raises(bv.InputError, match=rf"'X' of transform\(\) must be a table with column .* Got {got}"):
            aligner.transform(frame)
    with pytest.raises(bv.InputError, match=r"'Y' of similarity\(\) must be a table with column 0 named 'p'. Got 's'"):
        aligner.similarity(x, y[list("srqp")])
    with pytest.raises(bv.InputError, match=r"'paired_x' of fit\(\) must be a table with column 0 named 'a'. Got 'c'"):
        aligner.fit(x, y, paired_x=x[list("cba")], paired_y=y)
    assert not hasattr(aligner.fit(*spaces, pairs=PAIRS), "feature_names_in_")


def test_the_result_has_the_precision_of_the_target(spaces):
    x, y = sparse.csr_array(spaces[0]), spaces[1].astype(np.float32)
    aligner = bv.Aligner(**SMALL).fit(x, y, pairs=PAIRS)
    assert aligner.transform(x).dtype == np.float32


def test_the_last_step_of_a_pipeline(spaces):
    x, y = spaces
    pipeline = make_pipeline(StandardScaler(), bv.Aligner(**SMALL))
    carried = pipeline.fit_transform(x, y, aligner__pairs=PAIRS)
    scaled = StandardScaler().fit_transform(x)
    np.testing.assert_array_equal(carried, bv.Aligner(**SMALL).fit_transform(scaled, y, pairs=PAIRS))
    np.testing.assert_array_equal(pipeline.transform(x), carried)
    assert pipeline[:-1].transform(x).shape == x.shape


def test_a_coupling_that_did_not_converge_warns(spaces, untrained):
    aligner = bv.Aligner(**SMALL, settings={"max_iterations": 1}, epsilon=1e-3)
    with pytest.warns(ConvergenceWarning, match="try a larger epsilon"):
        aligner.fit(*spaces, pairs=PAIRS)
    assert not aligner.plan_.converged


@pytest.mark.parametrize("method", ["transform", "similarity", "get_feature_names_out", "report_"])
def test_before_fit(method):
    with pytest.raises(NotFittedError, match="This Aligner instance is not fitted yet"):
        getattr(bv.Aligner(), method)(np.zeros((2, 3)))


WRONG_PARAMETERS = {
    "cost": ("bride", r"'cost' of Aligner\(\) must be one of 'bridge', .*'auto'.* Did you mean 'bridge'\?"),
    "cost_options": ({"r": 1}, r"bridge\(\) has no option 'r'"),
    "metric": ("cosin", r"'metric' of Aligner\(\) must be one of"),
    "strategy": ("all", r"'strategy' of Aligner\(\) must be one of"),
    "solver": ("sinkhorn", r"'solver' of Aligner\(\) must be one of 'linear', 'fgw'"),
    "alpha": (2, r"'alpha' of Aligner\(\) must be a float in \[0, 1\]. Got 2"),
    "epsilon": (-1, r"'epsilon' of Aligner\(\) must be a float > 0. Got -1"),
    "tau": (0.5, r"'tau' of Aligner\(\) must be two floats"),
    "velocity": ("unet", r"'velocity' of Aligner\(\) must be one of"),
    "steps": (0, r"'steps' of Aligner\(\) must be an integer >= 1"),
    "n_draws": (0, r"'n_draws' of Aligner\(\) must be an integer >= 1"),
    "seed": (-1, r"'seed' of Aligner\(\) must be an integer from 0"),
    "settings": ([1], r"'settings' of Aligner\(\) must be a dict of settings of RunConfig. Got \[1\]"),
}


@pytest.mark.parametrize("name", WRONG_PARAMETERS)
def test_wrong_parameters_are_refused_by_fit(spaces, name):
    value, message = WRONG_PARAMETERS[name]
    aligner = bv.Aligner(**SMALL).set_params(**{name: value})
    with pytest.raises(bv.InputError, match=message):
        aligner.fit(*spaces, pairs=PAIRS)
    assert not hasattr(aligner, "run_")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"epsilon": 0.1},
            r"must be free of parameters of Aligner\(\). Got 'epsilon'.*by its own name",
        ),
        ({"emma": 0.9}, r"Aligner\(\) has no option 'emma'.* Did you mean 'ema'\?"),
        ({"fraction": 0.9}, r"Aligner\(\) has no option 'fraction'"),
        ({"reverse": True}, r"Aligner\(\) has no option 'reverse'"),
        ({"options": {}}, r"Aligner\(\) has no option 'options'"),
        ({1: 2}, r"Aligner\(\) has no option '1'"),
        ({"ema": 2.0}, r"'ema' of Aligner\(\) must be"),
    ],
)
def test_wrong_settings_are_refused(spaces, settings, message):
    with pytest.raises(bv.InputError, match=message):
        bv.Aligner(**SMALL, settings=settings).fit(*spaces, pairs=PAIRS)


def test_wrong_arguments_of_fit(spaces):
    x, y = spaces
    fit = bv.Aligner(**SMALL).fit
    for arguments, message in (
        ({"X": x, "Y": y}, r"fit\(\) needs paired samples. Got none. Pass row numbers, fit\(X, Y, pairs=...\)"),
        ({}, r"fit\(\) needs paired samples"),
        ({"X": x, "pairs": PAIRS}, r"'Y' of fit\(\) must be a matrix where 'pairs' are given.* Got None"),
        ({"Y": y, "pairs": PAIRS}, r"'X' of fit\(\) must be a matrix where 'pairs' are given.* Got None"),
        (
            {"X": x, "Y": y, "paired_x": x},
            r"'paired_y' of fit\(\) must be a matrix with one row for each of 'paired_x'",
        ),
        ({"paired_y": y}, r"'paired_x' of fit\(\) must be a matrix with one row for each of 'paired_y'"),
        ({"paired_x": x, "paired_y": y[:9]}, r"'paired_y' of fit\(\) must be a matrix with 60 rows.* Got 9 rows"),
        ({"X": x, "Y": y, "paired_x": y, "paired_y": y}, r"'paired_x' of fit\(\) must be a matrix with 3 columns"),
        ({"paired_x": x[:1], "paired_y": y[:1]}, r"'paired_x' of fit\(\) must be a matrix with at least 2 rows"),
        ({"X": x, "Y": y, "pairs": [[60, 0]]}, r"'pairs' of fit\(\) must be row numbers from 0 to 59 for the source"),
        ({"X": x, "Y": y, "pairs": []}, r"'pairs' of fit\(\) must be at least 1 pair"),
        ({"X": x * np.nan, "Y": y, "pairs": PAIRS}, r"'X' of fit\(\) must be finite everywhere"),
        ({"X": x, "Y": y[:, 0], "pairs": PAIRS}, r"'Y' of fit\(\) must be a matrix with one row per sample"),
        ({"X": "x.npy", "Y": y, "pairs": PAIRS}, r"'X' of fit\(\) must be a real matrix"),
    ):
        with pytest.raises(bv.InputError, match=message):
            fit(**arguments)


def test_wrong_arguments_after_fit(fitted, spaces):
    for call, message in (
        (
            lambda: fitted.transform(spaces[1]),
            r"'X' of transform\(\) must be a matrix with 3 columns. Got shape \(60, 4\)",
        ),
        (lambda: fitted.transform(spaces[0][0]), r"'X' of transform\(\) must be a matrix with one row per sample"),
        (lambda: fitted.transform([[1, 2, np.inf]]), r"'X' of transform\(\) must be finite everywhere"),
        (lambda: fitted.similarity(*spaces[::-1]), r"'Y' of similarity\(\) must be a matrix with 4 columns"),
        (lambda: like(fitted, n_draws=1.5).transform(spaces[0]), r"'n_draws' of Aligner\(\) must be an integer >= 1"),
    ):
        with pytest.raises(bv.InputError, match=message):
            call()


class RowByRow(bv.Aligner):
    """An aligner of X with itself, row by row: scikit-learn's checks pass no pairs."""

    def fit(self, X, y=None):
        rows = X.shape[0] if sparse.issparse(X) else len(np.asarray(X))
        return super().fit(X, X, pairs=np.stack([np.arange(rows)] * 2, axis=1))

    def fit_transform(self, X, y=None):
        return self.fit(X).transform(X)


OUR_WORDS = {
    "check_n_features_in_after_fitting", "check_complex_data", "check_dtype_object", "check_fit2d_1sample",
    "check_estimators_empty_data_messages", "check_estimators_nan_inf", "check_fit2d_predict1d",
}  # fmt: skip
"""Checks of the wording of errors, or of their type (TypeError): ours are in our words, and ValueErrors."""

CHECKS = [
    check
    for _, check in estimator_checks_generator(RowByRow())
    if check.func.__name__ not in OUR_WORDS | {"check_array_api_input"}  # of the arrays in it, NumPy's
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.func.__name__)
def test_the_conventions_of_scikit_learn(check, untrained):
    check(RowByRow(strategy="true", metric="sqeuclidean", velocity="one-block", steps=2, batch_size=4))


def test_the_other_conventions_are_named_as_they_are():
    assert {check.func.__name__ for _, check in estimator_checks_generator(RowByRow())} >= OUR_WORDS
