"""The choice of a cost by held-out pairs."""

from __future__ import annotations

import json

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.experiments import _held_out as engine
from bridgeviz.experiments import _recommend as module
from bridgeviz.experiments._held_out import FOLDS, FOSCTTM, MATCHING, Candidate, Scores, resamples
from bridgeviz.experiments._recommend import EPSILONS, TAUS, candidates, decide


@pytest.fixture(scope="module")
def classes():
    return two_classes(noise=0.3)


def two_classes(noise):
    """Two clouds whose targets are one of two codes: many rows share a counterpart."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    x = rng.normal(size=(60, 4)) * noise + np.where(labels, 2.0, -2.0)[:, None]
    y = np.eye(3)[labels]
    return bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(60)] * 2, axis=1))


def recommended(problem, pairs, **options):
    told = []
    return bv.recommend(problem, pairs, on_step=lambda *step: told.append(step), **options), told


@pytest.fixture(scope="module")
def by_partners(blobs):
    return recommended(blobs, blobs.sample_pairs(0.3, seed=0))


@pytest.fixture(scope="module")
def by_classes(classes):
    return recommended(classes, classes.sample_pairs(0.3, seed=0))


def test_the_table_holds_every_candidate_and_the_best_comes_first(by_partners):
    result, told = by_partners
    table = result.table
    assert result.measure == "foscttm"
    assert len(table) == len(candidates(FOSCTTM))
    assert set(table.cost) == set(bv.costs.COSTS)
    assert (np.diff(table.score) >= 0).all()
    assert ((table.low <= table.score) & (table.score <= table.high)).all()
    assert table.score.between(0, 0.5).all()  # every cost is better than chance on blobs
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1] == (len(table) * FOLDS,) * 2
    json.dumps(result.as_dict(), allow_nan=False)


def test_where_rows_share_counterparts_the_plan_is_judged_and_its_settings_are_tried(by_classes):
    result, told = by_classes
    assert result.measure == "matching"
    assert len(result.table) == len(candidates(MATCHING)) + len(EPSILONS) * len(TAUS) - 1
    assert (np.diff(result.table.score) <= 0).all()
    assert told[-1] == (len(result.table) * FOLDS,) * 2
    assert result.score > 0.9
    assert "of a row's mass reaches its true counterpart" in result.reason


def test_only_the_counterparts_may_have_another_mass(classes, by_classes, few_costs):
    """In both directions: a plan that leaves rows out is judged by the rows that are left, and so would seem better."""
    assert set(by_classes[0].table.tau_y) == set(TAUS)
    assert set(by_classes[0].table.tau_x) == {1.0}
    back = bv.recommend(classes.reversed(), np.asarray(classes.sample_pairs(0.3, seed=0))[:, ::-1])
    assert set(back.table.tau_x) == set(TAUS)
    assert set(back.table.tau_y) == {1.0}


def test_what_is_measured_depends_on_the_rows_alone(blobs, classes):
    assert engine.measure_of(blobs) is FOSCTTM
    assert engine.measure_of(classes) is MATCHING
    assert engine.measure_of(classes.reversed()) is MATCHING
    unlabelled = bv.Problem(bv.Space(classes.source.x), bv.Space(classes.target.x))
    assert engine.measure_of(unlabelled) is MATCHING


def test_scores_are_made_without_the_hidden_pairs(blobs, classes):
    """One fold by hand, by both measures."""
    part = np.array([0, 3, 7])
    for problem, measure in ((blobs, FOSCTTM), (classes, MATCHING)):
        pairs = np.asarray(problem.sample_pairs(count=12, seed=1))
        trial = engine.Trial(problem, pairs, [part], measure)
        ours = finished(trial.scores(Candidate(bv.costs.Bridge()))).pairs
        cost = bv.costs.bridge(problem.source.x, problem.target.x, np.delete(pairs, part, axis=0))
        hidden = pairs[part]
        known = np.delete(pairs, part, axis=0)
        wanted = (
            _ranked(engine.by_plan(cost), known, hidden)
            if measure is FOSCTTM
            else _shares(cost, problem.target.x, hidden)
        )
        np.testing.assert_allclose(ours, wanted, rtol=1e-9)


def test_known_rows_count_by_their_share_of_the_whole_problem():
    """One fold by hand: a plan that finds hidden rows and misplaces known ones is no good plan of a problem in which
    most rows are known."""
    classes = two_classes(noise=5.0)  # clouds so wide that the plan splits the mass of many rows
    pairs = np.asarray(classes.sample_pairs(count=12, seed=1))
    part = np.array([0, 3, 7])
    known = np.delete(pairs, part, axis=0)
    cost = bv.costs.bridge(classes.source.x, classes.target.x, known)
    trial = engine.Trial(classes, pairs, [part], MATCHING, known=0.3)
    ours = finished(trial.scores(Candidate(bv.costs.Bridge()))).pairs
    hidden, kept = (_shares(cost, classes.target.x, rows) for rows in (pairs[part], known))
    assert abs(np.mean(hidden) - np.mean(kept)) > 0.01
    np.testing.assert_allclose(ours, 0.7 * np.asarray(hidden) + 0.3 * np.mean(kept), rtol=1e-9)
    assert engine.known_share(classes, pairs) == len(np.unique(pairs[:, 0])) / len(classes.source)
    assert engine.known_share(classes.reversed(), pairs[:, ::-1]) == engine.known_share(classes, pairs)
    assert (engine.counterparts(classes), engine.counterparts(classes.reversed())) == (1, 0)


def finished(steps):
    """What a generator returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_the_only_pair_of_a_class_is_never_hidden(blobs, classes, few_costs):
    rng = np.random.default_rng(0)
    pairs = np.asarray(classes.sample_pairs(count=15, seed=0))
    hidden = engine.Trial.of(classes, pairs, MATCHING, rng).hidden
    kept = np.setdiff1d(np.arange(15), hidden)
    assert sorted(classes.target.x[pairs[kept, 1]][:, 0]) == [0, 1]  # one pair of each of the two classes
    pairs = np.asarray(blobs.sample_pairs(count=15, seed=0))
    assert sorted(engine.Trial.of(blobs, pairs, FOSCTTM, rng).hidden) == list(range(15))
    one_each = classes.sample_pairs(count=12, seed=0)
    assert "10 pairs that could be held out" not in bv.recommend(classes, one_each).reason
    few = bv.recommend(classes, np.asarray(one_each)[:11])
    assert "9 pairs that could be held out are too few" in few.reason


@pytest.fixture(scope="module")
def sentences():
    """Twenty classes of twelve rows, which are a linear map of what describes their class."""
    rng = np.random.default_rng(1)
    described = rng.normal(size=(20, 3))
    y = np.repeat(described, 12, axis=0)
    x = y @ rng.normal(size=(3, 6)) + 0.05 * rng.normal(size=(240, 6))
    return bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(240)] * 2, axis=1))


def some_classes(count: int, each: int) -> np.ndarray:
    """Pairs of the first rows of the first classes of `sentences`."""
    rows = (12 * np.arange(count)[:, None] + np.arange(each)).reshape(-1)
    return np.stack([rows, rows], axis=1)


def test_where_some_counterparts_have_no_pair_any_pair_is_hidden(sentences):
    rng = np.random.default_rng(0)
    for count, hidden in ((20, 20), (15, 30)):  # all are covered: one of the two pairs of each is kept
        trial = engine.Trial.of(sentences, some_classes(count, 2), MATCHING, rng)
        assert (len(trial.hidden), trial.covered) == (hidden, count / 20)


def test_where_most_counterparts_have_no_pair_their_likeness_decides(sentences, few_costs):
    choice = bv.recommend(sentences, some_classes(9, 2))
    assert (choice.cost, choice.tau, choice.refine, choice.decided) == ("blend", (1.0, 0.95), 0, False)
    assert "Only 45% of the counterparts have a pair. Similar ones have similar rows" in choice.reason
    assert bv.recommend(sentences.reversed(), some_classes(9, 2)).tau == (0.95, 1.0)
    codes = bv.Problem(sentences.source, bv.Space(np.repeat(np.eye(20), 12, axis=0)))
    choice = bv.recommend(codes, some_classes(9, 2))  # the same rows, but codes that are all equally far
    assert (choice.cost, choice.tau, choice.refine) == ("diffusion_bridge", (1.0, 1.0), 20)
    assert "similar ones have no similar rows that show" in choice.reason
    assert len(bv.recommend(sentences, some_classes(12, 2)).table)  # most have a pair: costs are compared


def test_rows_stand_among_the_counterparts_without_a_pair(sentences):
    """By hand: each fold hides whole classes."""
    pairs, label = some_classes(8, 2), np.arange(240) // 12
    shares = engine.standing(sentences, pairs, bv.costs.Bridge(), np.random.default_rng(5))
    for classes in np.array_split(np.random.default_rng(5).permutation(8), FOLDS):
        hidden = np.isin(label[pairs[:, 0]], classes)
        matrix = bv.costs.bridge(sentences.source.x, sentences.target.x, pairs[~hidden]).dense()
        others = np.setdiff1d(np.arange(20), label[pairs[~hidden, 0]])
        for k in np.flatnonzero(hidden):
            row = pairs[k, 0]
            near, own = matrix[row, 12 * others], matrix[row, row]
            farther = (near > own).sum() + ((near == own).sum() - 1) / 2
            assert shares[k] == pytest.approx(farther / (len(others) - 1))


def test_the_parts_of_blends_are_built_once_for_each_fold(blobs, monkeypatch):
    built, build = [], bv.costs.DiffusionBridge.build_for
    monkeypatch.setattr(bv.costs.DiffusionBridge, "build_for", lambda *a: built.append(a[0]) or build(*a))
    pairs = np.asarray(blobs.sample_pairs(count=12, seed=0))
    trial = engine.Trial.of(blobs, pairs, FOSCTTM, np.random.default_rng(0))
    for share in (0.0, 0.2, 0.5):
        blended = finished(trial.scores(Candidate(bv.costs.Blend(second="bridge", share=share)))).pairs
    assert len(built) == FOLDS
    fold = trial.folds[0]
    alone = bv.costs.Blend(second="bridge", share=0.5).build_for(blobs, np.delete(pairs, trial.folds[0], axis=0))
    np.testing.assert_allclose(
        blended[: len(trial.folds[0])],
        engine.share_nearer(engine.by_plan(alone), pairs[fold], np.delete(pairs, fold, axis=0)),
    )


def test_partners_are_ranked_by_a_balanced_plan(spaces):
    """By the plan that `linear` finds, and unlike the cost where one column is near to every row."""
    x, y, pairs = spaces(0, 30, 25, 4, 4, 6)
    matrix = bv.costs.bridge(x, y, pairs).dense()
    matrix[:, 3] *= 0.2
    cost = bv.costs.as_cost(matrix, "test")
    plan = bv.couplings.linear(cost, epsilon=engine._SHARPEST, tolerance=1e-6).dense()
    ours = engine.by_plan(cost)
    assert (ours.argmin(1) == plan.argmax(1)).mean() > 0.9
    assert (matrix.argmin(1) == 3).mean() > 0.7
    assert (ours.argmin(1) == 3).mean() < 0.2
    weighted = engine.by_plan(cost.weighted(source=[0, 1] * 15))
    assert weighted[::2].min() > weighted[1::2].max()


def _ranked(matrix, known, hidden):
    """FOSCTTM of each hidden pair: the mean over its row and its column, without the rows of known pairs."""
    nearer = []
    for i, j in hidden:
        lines = (np.delete(matrix[i], known[:, 1]), np.delete(matrix[:, j], known[:, 0]))
        ranks = [
            ((line < matrix[i, j]).sum() + ((line == matrix[i, j]).sum() - 1) / 2) / (len(line) - 1) for line in lines
        ]
        nearer.append(np.mean(ranks))
    return nearer


def _shares(cost, y, hidden):
    """The share of each hidden row's mass on the rows that equal its target."""
    plan = bv.couplings.linear(cost, tolerance=1e-2, max_iterations=500).dense()
    code = np.unique(y, axis=0, return_inverse=True)[1].reshape(-1)
    return [plan[i][code == code[j]].sum() / plan[i].sum() for i, j in hidden]


def test_it_says_when_the_pairs_are_too_few(blobs, classes):
    few = bv.recommend(blobs, blobs.sample_pairs(count=9, seed=0))
    assert (few.cost, few.cost_options, few.decided) == ("blend", {}, False)
    assert bv.recommend(classes, classes.sample_pairs(count=9, seed=0)).cost == "diffusion_bridge"
    assert len(few.table) == 0
    assert "9 pairs that could be held out are too few" in few.reason
    assert json.loads(json.dumps(few.as_dict(), allow_nan=False))["score"] is None


def made_up(scores):
    """Candidates with given scores per pair, as `decide` takes them."""
    names = ["diffusion_bridge", "bridge", "kcca"]
    return [
        (Candidate(bv.costs.COSTS[name]()), Scores(np.asarray(one, float)))
        for name, one in zip(names, scores, strict=True)
    ]


def test_a_gain_that_chance_explains_is_not_taken():
    rng = np.random.default_rng(0)
    draws = resamples(40, rng)
    base = rng.random(40) < 0.5
    clear, noise = np.ones(40), np.where(np.arange(40) < 2, ~base, base)
    told = decide(made_up([base, clear, noise]), MATCHING, draws, "On 40 pairs")
    assert (told.cost, told.decided) == ("bridge", True)
    assert told.interval == (1.0, 1.0)
    assert "bridge is best: 100.0% of a row's mass" in told.reason
    lucky = base.copy()
    lucky[np.flatnonzero(~base)[:3]], lucky[np.flatnonzero(base)[:2]] = True, False  # one pair more, by chance
    told = decide(made_up([base, lucky, base * 0]), MATCHING, draws, "On 40 pairs")
    assert (told.cost, told.decided) == ("diffusion_bridge", False)
    assert "can't be distinguished from the fallback" in told.reason
    # The best is noisy, the second best is sure: the sure one is taken.
    sure, wild = np.clip(base + 0.1, 0, 1), base.astype(float)
    wild[np.flatnonzero(~base)[:12]], wild[np.flatnonzero(base)[:9]] = 1.0, 0.0
    told = decide(made_up([base, wild, sure]), MATCHING, draws, "On 40 pairs")
    assert wild.mean() > sure.mean() > base.mean()
    assert (told.cost, told.decided) == ("kcca", True)
    told = decide(made_up([np.ones(40), base, base]), MATCHING, draws, "On 40 pairs")
    assert "is the best itself" in told.reason


def test_less_is_better_by_foscttm():
    rng = np.random.default_rng(0)
    base = rng.random(30) * 0.4
    told = decide(made_up([base, base / 2, base + 0.1]), FOSCTTM, resamples(30, rng), "On 30 pairs")
    assert (told.cost, told.decided) == ("bridge", True)
    assert list(told.table.cost) == ["bridge", "diffusion_bridge", "kcca"]
    assert (told.table.gain.to_numpy() > 0).tolist() == [True, False, False]


def test_large_problems_are_judged_on_a_sample():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 3)), rng.normal(size=(120, 2))
    problem = bv.Problem(bv.Space(x), bv.Space(y))
    pairs = np.stack([rng.permutation(200)[:20], rng.permutation(120)[:20]], axis=1)
    part, moved, sampled = engine.sample_rows(problem, pairs, rng, most=50)
    a, b = part.source.x, part.target.x
    assert sampled
    assert (len(a), len(b)) == (50, 50)
    np.testing.assert_array_equal(a[moved[:, 0]], x[pairs[:, 0]])
    np.testing.assert_array_equal(b[moved[:, 1]], y[pairs[:, 1]])
    assert engine.sample_rows(problem, pairs, rng, most=200)[2] is False
    assert len(engine.sample_rows(problem, pairs, rng, most=30)[1]) == 15  # pairs never fill a sample


def test_cost_auto_is_replaced_by_the_choice(blobs, small_networks):
    config = bv.RunConfig(dataset="yours", cost="auto", steps=20, tau=(1.0, 0.9))
    run = bv.run(config, problem=blobs, pairs=blobs.sample_pairs(count=8, seed=0))
    assert run.config.cost.name == "blend"
    assert run.config.tau == (1.0, 0.9)
    assert run.recommendation is not None
    assert "too few" in run.recommendation.reason
    assert run.cost.name == "blend"
    assert "recommend" in run.seconds


def test_a_run_tells_how_far_the_choice_is(blobs, small_networks, monkeypatch):
    first = [Candidate(bv.costs.Bridge())]
    monkeypatch.setattr(module, "candidates", lambda measure, metric=None: first)
    told = []
    config = bv.RunConfig(dataset="yours", cost="auto", steps=20)
    bv.run(config, problem=blobs, pairs=blobs.sample_pairs(0.1, seed=0), on_recommend=lambda *step: told.append(step))
    assert told[-1] == (FOLDS, FOLDS)


def test_the_seed_decides_and_a_stop_is_passed_on(blobs):
    pairs = blobs.sample_pairs(0.1, seed=0)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bv.recommend(blobs, pairs, on_step=stop)
    with pytest.raises(bv.InputError, match=r"'problem' of recommend\(\) must be a Problem"):
        bv.recommend("digits", pairs)


def test_without_pairs_it_is_the_cost_that_needs_none(blobs, small_networks):
    choice = bv.recommend(blobs, np.zeros((0, 2), int))
    assert (choice.cost, choice.decided) == ("procrustes_bridge", False)
    assert "Without pairs" in choice.reason
    config = bv.RunConfig(dataset="yours", cost="auto", count=0, steps=5)
    assert bv.run(config, problem=blobs).cost.name == "procrustes_bridge"
