"""Pairs changed by hand, from their text to the run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridgeviz as bv
from bridgeviz import InputError
from bridgeviz._pair_edits import PairEdits, between, read_edits
from bridgeviz.experiments import Pipeline

PAIRS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), unique=True, max_size=8)


def test_edits_remove_and_then_add():
    drawn = np.array([[4, 20], [1, 1], [2, 2]])
    edits = read_edits(" -4:20, 3:17,1:1 ")
    assert edits == PairEdits(False, ((4, 20),), ((1, 1), (3, 17)))
    assert edits.of(drawn).tolist() == [[1, 1], [2, 2], [3, 17]]
    assert read_edits("-all,3:17").of(drawn).tolist() == [[3, 17]]
    assert read_edits("").of(drawn).tolist() == drawn.tolist()
    assert read_edits("3:17,-3:17").removed == ()  # what is added stays


@given(drawn=PAIRS, wanted=PAIRS)
def test_the_edits_between_two_sets_of_pairs_lead_from_one_to_the_other(drawn, wanted):
    edits = between(np.array(drawn).reshape(-1, 2), np.array(wanted).reshape(-1, 2))
    assert set(map(tuple, edits.of(np.array(drawn).reshape(-1, 2)).tolist())) == set(wanted)
    assert read_edits(edits.text) == edits


@pytest.mark.parametrize("text", ["3", "3:", "a:b", "-3", "3:4;5:6", "--3:4", "-ALL"])
def test_other_texts_are_refused(text):
    with pytest.raises(InputError, match=r"'edits' of RunConfig.* must be pairs to add and to remove"):
        bv.RunConfig(edits=text)


def pairs_of(**settings) -> np.ndarray:
    pipeline = Pipeline(bv.RunConfig(dataset="blobs", options={"n": 60}, **settings))
    for stage in ("load", "pairs"):
        for _ in pipeline.stage(stage):
            pass
    return np.asarray(pipeline.pairs)


def test_a_run_uses_the_pairs_that_were_changed():
    drawn = pairs_of(count=3)
    changed = pairs_of(count=3, edits=f"-{drawn[0, 0]}:{drawn[0, 1]},5:9")
    assert changed.tolist() == [*drawn[1:].tolist(), [5, 9]]
    assert pairs_of(count=0, cost="auto", edits="5:9").tolist() == [[5, 9]]
    assert pairs_of(count=0, edits="5:9").tolist() == [[5, 9]]  # the bridge needs a pair, and has one


def test_pairs_that_the_data_do_not_have_are_refused():
    with pytest.raises(InputError, match=r"'edits' of run.* must be row numbers from 0 to 59 .* Got source row 60"):
        pairs_of(count=3, edits="60:1")
    with pytest.raises(InputError, match=r"'edits' of run.* must be at least 1 pair"):
        pairs_of(count=3, edits="-all")


def test_pairs_can_be_added_where_none_is_known():
    problem = bv.load("blobs", n=60)
    unpaired = bv.Problem(problem.source, problem.target)
    run = bv.run(bv.RunConfig(edits="-all,1:1,7:7", steps=2, batch_size=16), problem=unpaired)
    assert np.asarray(run.pairs).tolist() == [[1, 1], [7, 7]]


def test_edits_come_after_own_pairs():
    problem = bv.load("blobs", n=60)
    config = bv.RunConfig(edits="-1:1", steps=2, batch_size=16)
    assert np.asarray(bv.run(config, problem=problem, pairs=[[1, 1], [2, 2]]).pairs).tolist() == [[2, 2]]
