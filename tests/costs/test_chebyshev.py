"""The large solve against the small one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from bridgeviz.costs import _chebyshev as engine
from bridgeviz.costs._resolvent import resolvent


def graph(n: int) -> sparse.csr_array:
    """A sparse symmetric matrix >= 0 of spectral radius 1."""
    rng = np.random.default_rng(0)
    w = np.where(rng.random((n, n)) < 0.05, rng.random((n, n)), 0)
    w = w + w.T
    return sparse.csr_array(w / np.abs(np.linalg.eigvalsh(w)).max())


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, engine.TOLERANCE), (np.float64, 1e-10)])
@pytest.mark.parametrize("bound", [0.1, 0.9, 0.99])
def test_it_is_the_exact_solution_up_to_its_tolerance(bound, dtype, tolerance, monkeypatch):
    monkeypatch.setattr(engine, "COLUMNS", 5)  # several blocks, the last one smaller
    s = sparse.csr_array(bound * graph(120))
    rng = np.random.default_rng(1)
    e = sparse.csr_array((rng.random(14), (rng.permutation(120)[:14], rng.integers(0, 12, 14))), (120, 12))
    exact = resolvent(s, e.toarray(), bound=bound)
    solved = np.zeros((120, 12))
    for columns, block in engine.resolvent_blocks(s, e, bound=bound, tolerance=tolerance, dtype=dtype):
        assert block.dtype == dtype
        solved[:, columns] = block
    assert np.linalg.norm(solved - exact) < 2 * tolerance * np.linalg.norm(exact)


def test_the_steps_follow_from_the_bound():
    """`T_k(1 / bound)`, by its recurrence, is at least 1 / tolerance after k steps and not before."""
    for bound, tolerance in ((0.9, 1e-3), (0.99, 1e-5), (0.5, 1e-6)):
        k, values = engine.steps(bound, tolerance), [1.0, 1 / bound]
        while len(values) <= k:
            values.append(2 / bound * values[-1] - values[-2])
        assert values[k] >= 1 / tolerance > values[k - 1]
