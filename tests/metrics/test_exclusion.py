"""Excluded ratio and aes against draws, and the shapes of Eq. 29 and 30."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridgeviz as bv
from bridgeviz.costs import every_row


def coupling(plan):
    return bv.couplings.Coupling(plan, every_row(len(plan)), every_row(plan.shape[1]), "test")


def ratio_by_draws(plan, size, divide_by, seed):
    """Eq. 29 as printed: distinct rows among draws from each marginal."""
    rng = np.random.default_rng(seed)
    distinct = 0
    for mass in (plan.sum(1), plan.sum(0)):
        distinct += len(np.unique(rng.choice(len(mass), size, p=mass / mass.sum())))
    return 1 - distinct / divide_by


@pytest.mark.parametrize("concentrated", [0.0, 3.0])
def test_the_expectation_is_that_of_draws(concentrated):
    rng = np.random.default_rng(0)
    plan = np.exp(concentrated * rng.normal(size=(40, 1))) * rng.random((40, 30))
    for form, size in (("corrected", 70), ("paper", 35)):
        average = np.mean([ratio_by_draws(plan, size, size, seed) for seed in range(400)])
        assert bv.metrics.excluded_ratio(coupling(plan), form=form) == pytest.approx(average, abs=0.01)


@given(seed=st.integers(0, 10**6), n=st.integers(2, 40), m=st.integers(2, 40))
def test_ranges(seed, n, m):
    rng = np.random.default_rng(seed)
    plan = coupling(rng.random((n, m)) ** 4)
    assert 0 <= bv.metrics.excluded_ratio(plan) < 1
    assert -1 < bv.metrics.excluded_ratio(plan, form="paper") < 1


def test_leaving_points_out_raises_the_ratio_and_the_paper_form_can_be_negative():
    full, half = np.eye(200) / 200, np.diag(np.r_[np.ones(100), np.zeros(100)]) / 100
    ratios = [bv.metrics.excluded_ratio(coupling(plan)) for plan in (full, half)]
    assert ratios[0] == pytest.approx(np.exp(-2), abs=0.01)
    assert ratios[1] == pytest.approx(0.5 + 0.5 * np.exp(-4), abs=0.01)
    assert bv.metrics.excluded_ratio(coupling(full), form="paper") < 0
    single = np.zeros((200, 200))
    single[3, 5] = 1
    assert bv.metrics.excluded_ratio(coupling(single)) == pytest.approx(1 - 2 / 400)


def test_aes_is_accuracy_over_exclusion(blobs):
    pairs = blobs.sample_pairs(0.1, seed=0)
    cost = bv.costs.bridge(blobs.source.x, blobs.target.x, pairs)
    labels = blobs.source.labels, blobs.target.labels
    for plan in (bv.couplings.linear(cost, tau=(0.9, 0.9)), bv.couplings.local(cost, epsilon=0.1, batch_size=32)):
        for form in ("corrected", "paper"):
            expected = bv.metrics.matching_accuracy(plan, *labels) / bv.metrics.excluded_ratio(plan, form=form)
            assert bv.metrics.aes(plan, *labels, form=form) == pytest.approx(expected)
    with pytest.raises(bv.InputError, match="'corrected', 'paper'"):
        bv.metrics.aes(bv.couplings.linear(cost), *labels, form="printed")
