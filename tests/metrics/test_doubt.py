"""Which rows to doubt."""

from __future__ import annotations

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.metrics import doubtful

N = 40


class Fan:
    """A flow whose ends spread by the first coordinate of the source, times the noise of the seed."""

    def transport(self, x, seed=0, steps=8):
        noise = np.random.default_rng(seed).normal(size=(1, 2))
        return type("Trajectory", (), {"states": [x[:, :1] * noise]})()


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    x = np.c_[rng.permutation(N), np.ones(N), np.ones(N)].astype(float)
    return bv.Problem(bv.Space(x), bv.Space(rng.normal(size=(N, 2))), truth=np.stack([np.arange(N)] * 2, 1))


def test_the_row_whose_ends_spread_most_comes_first(problem):
    plan = bv.couplings.true(problem.truth[:5], shape=problem.shape)
    table = doubtful(problem, plan, Fan(), problem.truth[:5], draws=64)
    np.testing.assert_array_equal(problem.source.x[table.row, 0], np.arange(N)[::-1])
    assert table.spread.iloc[-1] == 0
    unit = table.spread.iloc[0] / (N - 1) * np.sqrt(problem.target.x.var(0).sum())
    assert unit == pytest.approx(np.sqrt(2), rel=0.3)  # two coordinates of unit noise
    carrying = table.row < 5
    assert np.isnan(table.choices[~carrying]).all()
    assert (table.target[~carrying] == -1).all()
    np.testing.assert_allclose(table.choices[carrying], 1)
    np.testing.assert_array_equal(table.target[carrying], table.row[carrying])
    own = table[carrying]
    np.testing.assert_array_equal(own.pair, own.row)
    np.testing.assert_allclose(own.distance, 0, atol=1e-6)


def test_a_flat_plan_has_as_many_choices_as_targets(problem):
    plan = bv.couplings.linear(np.ones(problem.shape), epsilon=1.0)
    table = doubtful(problem, plan, Fan(), np.zeros((0, 2), int), draws=2, most=7)
    assert len(table) == 7
    np.testing.assert_allclose(table.choices, N, rtol=1e-6)
    assert table.distance.isna().all()
    assert (table.pair == -1).all()


def test_a_local_plan_has_no_choices(problem):
    plan = bv.couplings.local(np.ones(problem.shape), batch_size=8)
    assert doubtful(problem, plan, Fan(), problem.truth[:3], draws=2).choices.isna().all()
