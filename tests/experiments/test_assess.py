"""Can this be aligned?"""

from __future__ import annotations

import json

import numpy as np
import pytest

import bridgeviz as bv


@pytest.fixture(scope="module")
def found(blobs):
    told = []
    result = bv.assess(blobs, blobs.sample_pairs(0.3, seed=0), on_step=lambda *step: told.append(step))
    return result, told


def test_alike_spaces_can_be_aligned(found):
    result, told = found
    assert result.verdict == "yes"
    assert set(result.table.cost) == {*bv.costs.COSTS, "linear map (ridge)"}
    assert (np.diff(result.table.foscttm) >= 0).all()
    assert ((result.table.low <= result.table.foscttm) & (result.table.foscttm <= result.table.high)).all()
    assert result.cost == next(name for name in result.table.cost if name in bv.costs.COSTS)
    assert told[-1] == (5 * len(result.table),) * 2
    json.dumps(result.as_dict(), allow_nan=False)


def test_held_out_pairs_are_ranked_by_a_cost_that_never_saw_them(blobs, found):
    """The five folds by hand, for one cost."""
    pairs = np.asarray(blobs.sample_pairs(0.3, seed=0))
    folds = np.array_split(np.random.default_rng(0).permutation(len(pairs)), 5)
    values = []
    for fold in folds:
        cost = bv.costs.bridge(blobs.source.x, blobs.target.x, np.delete(pairs, fold, axis=0))
        free = [
            np.setdiff1d(np.arange(size), np.delete(pairs, fold, axis=0)[:, k]) for k, size in enumerate(cost.shape)
        ]
        places = np.stack([np.searchsorted(free[k], pairs[fold, k]) for k in (0, 1)], axis=1)
        values.append(bv.metrics.foscttm(cost.block(*free), places) * len(fold))
    row = found[0].table.set_index("cost").loc["bridge"]
    assert row.foscttm == pytest.approx(sum(values) / len(pairs))


def test_unrelated_spaces_can_not():
    rng = np.random.default_rng(0)
    problem = bv.Problem(
        bv.Space(rng.normal(size=(120, 6))), bv.Space(rng.normal(size=(120, 5))), truth=np.stack([np.arange(60)] * 2, 1)
    )
    result = bv.assess(problem)
    assert result.verdict == "no"
    assert "No. On 60 held-out pairs" in result.text
    assert result.cka.p > 0.02
    assert result.neighbours.p > 0.02


def test_wrong_pairs_are_not_called_alignable(blobs):
    pairs = np.asarray(blobs.sample_pairs(0.5, seed=0))
    pairs[:, 1] = np.random.default_rng(1).permutation(pairs[:, 1])
    assert bv.assess(blobs, pairs).verdict in ("no", "unsure")


def test_few_pairs_say_so(blobs):
    result = bv.assess(blobs, blobs.truth[:9])
    assert result.verdict == "unsure"
    assert "9 pairs are too few" in result.text
    assert len(result.table) == 0
    assert result.cost == result.fallback == "blend"
    assert bv.assess(blobs, blobs.truth[:2]).cka is None


def test_no_pairs_at_all_are_an_error(blobs):
    with pytest.raises(bv.InputError, match="pairs"):
        bv.assess(bv.Problem(blobs.source, blobs.target))
    with pytest.raises(bv.InputError, match="must be a Problem"):
        bv.assess(blobs.source, [[0, 0]])
