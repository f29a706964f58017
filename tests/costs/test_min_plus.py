"""The tiled (min, +) product that skips anchors, against the plain one: equal, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from bridgeviz import costs
from bridgeviz.costs import _combine, _min_plus

SHAPES = [(1, 1, 1), (1, 70, 9), (70, 1, 9), (33, 65, 1), (8, 32, 8), (9, 33, 7), (300, 200, 40), (257, 40, 150)]


def plain(a, b):
    return (a[:, None] + b[None]).min(-1)


def clustered(rng, rows, anchors):
    """Legs with structure, so that anchors are skipped."""
    points, ends = rng.integers(0, 6, rows) + 0.1 * rng.random(rows), rng.integers(0, 6, anchors) + 0.1
    return np.abs(points[:, None] - ends)


KINDS = {
    "random": lambda rng, n, g: rng.random((n, g)),
    "clustered": clustered,
    "ties": lambda rng, n, g: rng.integers(0, 3, (n, g)).astype(float),
    "zeros": lambda rng, n, g: np.zeros((n, g)),
    "duplicates": lambda rng, n, g: rng.random((3, g))[rng.integers(0, 3, n)],
    "infinite": lambda rng, n, g: np.where(rng.random((n, g)) < 0.5, np.inf, rng.random((n, g))),
    "wide": lambda rng, n, g: 10.0 ** rng.uniform(-30, 30, (n, g)) * rng.choice([-1, 1], (n, g)),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", KINDS)
def test_pruned_against_plain_equal(kind, dtype):
    for seed, (r, c, g) in enumerate(SHAPES):
        rng = np.random.default_rng(seed)
        a, b = (KINDS[kind](rng, n, g).astype(dtype) for n in (r, c))
        out = np.empty((r, c), dtype)
        _min_plus.tiled_min_plus(a, b, out)
        np.testing.assert_array_equal(out, plain(a, b))
        _min_plus.tiled_min_plus(np.asfortranarray(a), np.repeat(b, 2, axis=1)[:, ::2], out)
        np.testing.assert_array_equal(out, plain(a, b))


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_nan_and_minus_infinity_keep_the_plain_loop(bad, monkeypatch):
    rng = np.random.default_rng(0)
    a, b = rng.random((20, 5)), rng.random((30, 5))
    a[3, 2] = bad
    monkeypatch.setattr(_combine, "LARGE", 0)
    monkeypatch.setattr(_min_plus, "tiled_min_plus", None)
    np.testing.assert_array_equal(_combine.min_plus(a, b), plain(a, b))


def test_a_large_cost_is_computed_in_one_call(spaces, monkeypatch):
    x, y, pairs = spaces(0, 60, 50, 3, 4, 6)
    small = costs.bridge(x, y, pairs).dense()
    monkeypatch.setattr(_combine, "LARGE", 0)
    calls, tiled = [], _min_plus.tiled_min_plus
    monkeypatch.setattr(_min_plus, "tiled_min_plus", lambda *args: (calls.append(1), tiled(*args)))
    np.testing.assert_array_equal(costs.bridge(x, y, pairs).dense(), small)
    assert len(calls) == 1


def test_an_interrupt_drops_the_bands_that_wait(monkeypatch):
    done = []

    def interrupted(*args):
        done.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(_min_plus, "_fill_band", interrupted)
    monkeypatch.setattr(_min_plus, "BAND", 1)
    with pytest.raises(KeyboardInterrupt):
        _min_plus.tiled_min_plus(np.ones((5000, 2)), np.ones((3, 2)), np.empty((5000, 3)))
    assert len(done) < 5000
