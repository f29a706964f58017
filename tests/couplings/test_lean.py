"""The dense transport at the sizes where memory decides: what is streamed equals what is stored."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz import _kernel_cost, _kernel_sinkhorn
from bridgeviz.costs import _cost, _legs
from bridgeviz.couplings import _entries

TAUS = [(1.0, 1.0), (0.9, 0.7)]


@pytest.fixture
def everything_is_large(monkeypatch):
    """No matrix of a cost is kept, and plans keep the type of their kernel."""
    monkeypatch.setattr(_cost, "SMALL", 0)
    monkeypatch.setattr(_entries, "SMALL", 0)


@pytest.fixture
def everything_is_huge(everything_is_large, monkeypatch):
    """Legs are not stored, and the last kernel takes the place of the cost, which is written in some pieces."""
    monkeypatch.setattr(_legs, "HUGE", 0)
    monkeypatch.setattr(_kernel_sinkhorn, "HUGE", 0)
    monkeypatch.setattr(_kernel_sinkhorn, "ENTRIES", 200)  # blocks of a few rows
    monkeypatch.setattr(_kernel_sinkhorn, "UNCUT_ENTRIES", 0)  # and iterations on blocks
    monkeypatch.setattr(_kernel_cost, "STREAMED", 900)


def problem(seed: int = 0):
    """A bridge cost with equal rows on both sides, weights, rows of weight zero and forbidden matches."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(60, 5))[np.r_[:60, :20]], rng.normal(size=(40, 4))[np.r_[:40, :15]]
    pairs = np.stack([np.arange(12), np.arange(12)], axis=1)
    mask = rng.random((80, 55)) < 0.2
    mask[pairs[:, 0], pairs[:, 1]] = False
    weights = rng.random(80) + 0.1, rng.random(55) + 0.1
    weights[0][[3, 70]] = 0
    return bv.costs.bridge(x, y, pairs).weighted(*weights).forbid(mask)


def both(cost_of, **options):
    dense, ott = (
        bv.couplings.linear(cost_of(), method=method, max_iterations=50_000, **options) for method in ("dense", "ott")
    )
    assert dense.converged
    assert ott.converged
    return dense, ott


@pytest.mark.parametrize("tau", TAUS, ids=str)
@pytest.mark.parametrize("scale_cost", [None, 0.7])
def test_what_is_streamed_is_the_plan_of_ott(everything_is_large, tau, scale_cost):
    dense, ott = both(problem, epsilon=0.02, tau=tau, scale_cost=scale_cost, tolerance=1e-9)
    assert np.abs(dense.dense() - ott.dense()).sum() < 1e-6 * ott.mass


@pytest.mark.parametrize("tau", TAUS, ids=str)
def test_the_last_kernel_takes_the_place_of_the_cost(everything_is_huge, tau):
    dense, ott = both(problem, epsilon=0.02, tau=tau, tolerance=1e-9)
    assert np.abs(dense.dense() - ott.dense()).sum() < 1e-6 * ott.mass


def test_a_cost_that_was_replaced_is_written_again(everything_is_huge, monkeypatch):
    monkeypatch.setattr("bridgeviz._kernel_sinkhorn.WIDEST", 1.0)  # scalings are absorbed again and again
    written = []
    write = bv.costs.Cost.write
    monkeypatch.setattr(
        bv.costs.Cost, "write", lambda *arguments, **options: written.append(write(*arguments, **options))
    )
    dense = bv.couplings.linear(problem(), epsilon=0.01, method="dense", tolerance=1e-6)
    assert len(written) > 5 * 60 * 40 / 900
    monkeypatch.undo()
    stored = bv.couplings.linear(problem(), epsilon=0.01, method="dense", tolerance=1e-6)
    assert np.abs(dense.dense() - stored.dense()).sum() < 1e-5


def test_a_float32_plan_is_read_in_float64(everything_is_large):
    plan = bv.couplings.linear(problem(), epsilon=0.05, method="dense")
    assert plan.plan.dtype == np.float32
    double = bv.couplings.linear(problem(), epsilon=0.05, method="ott", tolerance=1e-9)
    assert isinstance(plan.mass, float)
    assert plan.mass == pytest.approx(plan.dense().sum(), rel=1e-12)
    for mine, theirs in zip(plan.marginals(), double.marginals(), strict=True):
        assert mine.dtype == np.float64
        np.testing.assert_allclose(mine, theirs, atol=1e-3)
    ones = np.ones((len(plan.target_atoms), 1))
    for read in (plan.dense(), plan.row(5), plan.block([1, 2], [3]), plan.sparse()[0], plan.times(ones)):
        assert read.dtype == np.float64
    assert bv.couplings.distance(plan, double) < 5e-3
    groups = np.arange(80) % 3, np.arange(55) % 3
    np.testing.assert_allclose(plan.between(*groups, (3, 3)), double.between(*groups, (3, 3)), atol=2e-3)


def test_draws_from_a_dense_plan_follow_its_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    plan = rng.random((30, 20)) * (rng.random((30, 20)) < 0.3)
    plan[[0, -1]] = 0
    whole = _entries.draw_entries(plan, np.random.default_rng(1), 5000)
    monkeypatch.setattr(_entries, "BLOCK_BYTES", 8 * 20 * 4)
    parts = _entries.draw_entries(plan.astype(np.float32), np.random.default_rng(1), 5000)
    assert (plan[parts] > 0).all()
    assert np.mean(np.stack(whole) == np.stack(parts)) > 0.999
    counts = np.zeros((30, 20))
    np.add.at(counts, parts, 1 / 5000)
    assert np.abs(counts - plan / plan.sum()).sum() < 0.25


def test_negative_entries_are_refused_before_anything_is_solved(everything_is_large):
    cost = np.random.default_rng(0).random((50, 40))
    cost[7, 9] = -0.5
    for method in ("dense", "ott"):
        with pytest.raises(bv.InputError, match=r"nowhere negative.*-0\.5"):
            bv.couplings.linear(cost, method=method)
    assert bv.couplings.linear(cost, method="dense", scale_cost=1.0, epsilon=0.1).converged


def test_the_matrix_of_a_large_cost_is_not_kept(everything_is_large):
    cost = problem()
    bv.couplings.linear(cost, method="dense", epsilon=0.05)
    assert "on_atoms" not in vars(cost)
    mean = cost.mean()
    assert "on_atoms" not in vars(cost)
    stored = problem().on_atoms
    mu, nu = cost.source_atoms.mass, cost.target_atoms.mass
    finite = np.isfinite(stored)
    assert mean == pytest.approx(mu @ np.where(finite, stored, 0) @ nu / (mu @ finite @ nu), rel=1e-12)


PEAK = """
import numpy as np
import bridgeviz as bv

def peak():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) / 2**20

def solve(n):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 8)), rng.normal(size=(n, 6))
    return bv.couplings.linear(bv.costs.bridge(x, y, [[i, i] for i in range(20)]), epsilon=0.2, method="dense")

solve(600)
before = peak()
plan = solve(3000)
plan.sample(0, 1000)
plan.marginals()
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_two_matrices_and_little_else():
    env = os.environ | {"BRIDGEVIZ_MEMORY_GB": "4"}
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PEAK], capture_output=True, text=True, env=env, check=False
    )
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) < 0.27  # 0.19; the four copies of the matrix that there were took 0.37
