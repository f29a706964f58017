"""The metric within the spaces is that of the run, on both sides."""

from __future__ import annotations

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.costs import Within
from bridgeviz.couplings import FGW, Global


@pytest.mark.parametrize("metric", ["cosine", "sqeuclidean"])
def test_fgw_compares_both_spaces_by_the_metric(metric, blobs):
    pairs = blobs.sample_pairs(0.2, seed=0)
    cost = bv.costs.bridge(blobs.source.x, blobs.target.x, pairs)
    plan = Global(solver=FGW(epsilon=0.1)).couple(blobs, pairs, cost, metric=metric)
    within = [Within(space.x, metric=metric) for space in (blobs.source, blobs.target)]
    np.testing.assert_array_equal(plan.dense(), bv.couplings.fgw(cost, *within, epsilon=0.1).dense())
