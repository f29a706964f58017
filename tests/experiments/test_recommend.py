"""The choice of a cost by held-out pairs."""

from __future__ import annotations

import json

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.experiments import _recommend as module
from bridgeviz.experiments._recommend import EPSILONS, FALLBACK, TAUS, candidates


@pytest.fixture(scope="module")
def found(blobs):
    told = []
    result = bv.recommend(blobs, blobs.sample_pairs(0.3, seed=0), on_step=lambda *step: told.append(step))
    return result, told


def test_the_table_holds_every_candidate_and_the_best_comes_first(found):
    result, told = found
    table = result.table
    assert len(table) == len(candidates()) + len(EPSILONS) * len(TAUS) - 1
    assert set(table.cost) == set(bv.costs.COSTS)
    assert (np.diff(table.score) <= 0).all()
    assert ((table.low <= table.score) & (table.score <= table.high)).all()
    assert table.score.between(0, 1).all()
    assert table.foscttm.between(0, 0.5).all()  # every cost is better than chance on blobs
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1] == (len(table) * 5,) * 2
    json.dumps(result.as_dict(), allow_nan=False)


def test_scores_are_those_of_a_plan_made_without_the_hidden_pairs(blobs):
    """One fold by hand: hide five pairs, couple from the rest, read the hidden rows off the dense plan."""
    pairs = np.asarray(blobs.sample_pairs(0.2, seed=1))
    part = np.array([0, 3, 7, 8, 11])
    spaces = bv.Problem(bv.Space(blobs.source.x), bv.Space(blobs.target.x))
    ours, _ = module._held_out(spaces, pairs, part, module.Candidate(bv.costs.Bridge()))
    kept = np.delete(pairs, part, axis=0)
    cost = bv.costs.bridge(blobs.source.x, blobs.target.x, kept)
    plan = bv.couplings.linear(cost, tolerance=1e-2, max_iterations=500).dense()
    block = plan[pairs[part, 0]][:, pairs[part, 1]]
    np.testing.assert_allclose(ours, np.diag(block) / block.sum(1), rtol=1e-9)


def test_it_says_when_the_pairs_are_too_few(blobs):
    few = bv.recommend(blobs, blobs.sample_pairs(count=9, seed=0))
    assert (few.cost, few.cost_options, few.decided) == (FALLBACK, {}, False)
    assert len(few.table) == 0
    assert "9 pairs are too few to hold any out" in few.reason
    assert json.loads(json.dumps(few.as_dict(), allow_nan=False))["score"] is None


def fake(scores):
    """Candidates with given scores per pair, as `_decide` takes them."""
    names = [FALLBACK, "bridge", "kcca"]
    return [
        (
            module.Candidate(bv.costs.COSTS[name]()),
            module._Scores(np.asarray(one, float), np.zeros(len(one)), converged=[True]),
        )
        for name, one in zip(names, scores, strict=True)
    ]


def test_a_gain_that_chance_explains_is_not_taken():
    rng = np.random.default_rng(0)
    base = rng.random(40) < 0.5
    clear, noise = np.ones(40), np.where(np.arange(40) < 2, ~base, base)
    told = module._decide(fake([base, clear, noise]), 40, False, np.random.default_rng(1))
    assert (told.cost, told.decided) == ("bridge", True)
    assert told.interval == (1.0, 1.0)
    assert "bridge finds 100.0% of partners" in told.reason
    lucky = base.copy()
    lucky[np.flatnonzero(~base)[:2]] = True  # two pairs more than the fallback
    told = module._decide(fake([base, lucky, base * 0]), 40, False, np.random.default_rng(1))
    assert (told.cost, told.decided) == (FALLBACK, False)
    assert "can't be distinguished from the fallback" in told.reason
    # The best is noisy, the second best is sure: the sure one is taken.
    sure = np.clip(base + 0.1, 0, 1)
    wild = base.astype(float)
    wild[np.flatnonzero(~base)[:8]], wild[np.flatnonzero(base)[:4]] = 1.0, 0.0
    told = module._decide(fake([base, wild, sure]), 40, False, np.random.default_rng(1))
    assert wild.mean() > sure.mean() > base.mean()
    assert (told.cost, told.decided) == ("kcca", True)
    told = module._decide(fake([np.ones(40), base, base]), 40, True, np.random.default_rng(1))
    assert "is the best itself" in told.reason
    assert "and a sample of 2,000 rows per side" in told.reason


def test_large_problems_are_judged_on_a_sample(monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 50)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 3)), rng.normal(size=(120, 2))
    problem = bv.Problem(bv.Space(x), bv.Space(y))
    pairs = np.stack([rng.permutation(200)[:20], rng.permutation(120)[:20]], axis=1)
    part, moved, sampled = module.sample_rows(problem, pairs, rng)
    a, b = part.source.x, part.target.x
    assert sampled
    assert (len(a), len(b)) == (50, 50)
    np.testing.assert_array_equal(a[moved[:, 0]], x[pairs[:, 0]])
    np.testing.assert_array_equal(b[moved[:, 1]], y[pairs[:, 1]])


def test_cost_auto_is_replaced_by_the_choice(blobs):
    config = bv.RunConfig(dataset="yours", cost="auto", steps=50, tau=(1.0, 0.9))
    run = bv.run(config, problem=blobs, pairs=blobs.sample_pairs(count=8, seed=0))
    assert run.config.cost.name == FALLBACK
    assert run.config.tau == (1.0, 0.9)
    assert run.recommendation is not None
    assert "too few" in run.recommendation.reason
    assert run.cost.name == FALLBACK
    assert "recommend" in run.seconds


def test_a_run_tells_how_far_the_choice_is(blobs, monkeypatch):
    first = candidates()[:1]
    monkeypatch.setattr(module, "candidates", lambda metric=None: first)
    monkeypatch.setattr(module, "TAUS", module.TAUS[:1])
    told = []
    config = bv.RunConfig(dataset="yours", cost="auto", steps=20)
    bv.run(config, problem=blobs, pairs=blobs.sample_pairs(0.1, seed=0), on_recommend=lambda *step: told.append(step))
    assert told[-1] == (len(told), 5 * (1 + len(module.EPSILONS) - 1))


def test_the_seed_decides_and_a_stop_is_passed_on(blobs):
    pairs = blobs.sample_pairs(0.1, seed=0)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bv.recommend(blobs, pairs, on_step=stop)
    with pytest.raises(bv.InputError, match=r"'problem' of recommend\(\) must be a Problem"):
        bv.recommend("digits", pairs)
    with pytest.raises(bv.InputError, match="at least 1 pair"):
        bv.recommend(blobs, np.zeros((0, 2), int))
