"""`(I - S)^-1 E` against a dense solve."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from bridgeviz.costs._resolvent import resolvent


def symmetric(n, seed=0):
    """A sparse symmetric non-negative matrix of spectral radius 1."""
    rng = np.random.default_rng(seed)
    w = np.where(rng.random((n, n)) < 0.1, rng.random((n, n)), 0)
    w = w + w.T
    return w / np.abs(np.linalg.eigvalsh(w)).max()


@pytest.mark.parametrize("bound", [0.05, 0.5, 0.51, 0.9, 0.99, 0.999])
def test_agrees_with_a_dense_solve(bound):
    s = bound * symmetric(60)
    e = np.random.default_rng(1).random((60, 4))
    solution = resolvent(sparse.csr_array(s), e, bound=bound)
    np.testing.assert_allclose(solution, np.linalg.solve(np.eye(60) - s, e), rtol=1e-9)


def test_small_entries_keep_their_digits():
    """Along a chain of 150 nodes the exact entries fall to 1e-300; a solve to an absolute accuracy would lose them."""
    n, weight = 150, 0.005
    s = sparse.csr_array(sparse.diags_array([np.full(n - 1, weight)] * 2, offsets=[-1, 1]))
    e = np.zeros((n, 1))
    e[0] = 1
    solution = resolvent(s, e, bound=2 * weight)[:, 0]
    root = (1 - np.sqrt(1 - 4 * weight**2)) / (2 * weight)  # u_k = root^k / (1 - weight root), far from the end
    exact = root ** np.arange(n) / (1 - weight * root)
    assert exact[130] < 1e-298
    np.testing.assert_allclose(solution[:120], exact[:120], rtol=1e-10)
