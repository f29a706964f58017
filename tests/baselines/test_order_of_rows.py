"""The order of the rows says nothing: only the pairs do."""

from __future__ import annotations

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.baselines import BASELINES


@pytest.mark.parametrize("name", BASELINES)
def test_shuffled_targets_with_their_pairs_give_the_same_map(name, blobs):
    pairs = np.asarray(blobs.sample_pairs(0.2, seed=0))
    order = np.random.default_rng(0).permutation(len(blobs.target))
    place = np.argsort(order)
    shuffled = bv.Problem(blobs.source, blobs.target.take(order))
    moved = np.stack([pairs[:, 0], place[pairs[:, 1]]], axis=1)
    expected = BASELINES[name]().fit(blobs, pairs).transport(blobs.test.source.x)
    result = BASELINES[name]().fit(shuffled, moved).transport(blobs.test.source.x)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)
