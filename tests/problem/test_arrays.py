"""Arrays of every kind are taken as they are, or converted as documented, and never copied without need."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

import bridgeviz as bv

X = np.maximum(np.random.default_rng(0).normal(size=(6, 4)), 0)


def mapped(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


@pytest.mark.parametrize("dtype", ["<f8", "<f4"])
def test_a_memory_map_is_never_copied(tmp_path, dtype):
    x = mapped(tmp_path, X.astype(dtype))
    space = bv.Space(x)
    assert np.shares_memory(space.x, x)
    assert space.x.dtype == dtype
    np.testing.assert_array_equal(space.x, X.astype(dtype))


@pytest.mark.parametrize(
    ("dtype", "becomes"),
    [("f2", "f4"), (">f2", "f4"), (">f4", "f4"), (">f8", "f8"), ("g", "f8"), ("i1", "f8"), ("u8", "f8"), ("?", "f8")],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_other_types_and_orders_are_converted_once(tmp_path, dtype, becomes, order):
    array = np.asarray(4 * X, dtype, order=order)
    for x in (array, mapped(tmp_path, array)):
        found = bv.Space(x).x
        assert found.dtype == becomes
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, array.astype(becomes))


@pytest.mark.parametrize("kind", ["csr_array", "csc_array", "coo_array", "bsr_array", "dia_array", "lil_array"])
@pytest.mark.parametrize(("dtype", "becomes"), [("f8", "f8"), ("f4", "f4"), ("i4", "f8")])
def test_a_sparse_matrix_becomes_dense(kind, dtype, becomes):
    x = getattr(sparse, kind)((4 * X).astype(dtype))
    for value in (x, sparse.csr_matrix(x)):
        found = bv.Space(value).x
        assert found.dtype == becomes
        np.testing.assert_array_equal(found, (4 * X).astype(dtype))


def test_a_sparse_matrix_is_taken_wherever_a_matrix_is():
    np.testing.assert_array_equal(bv.costs.cosine(sparse.csr_array(X + 1), X + 1), bv.costs.cosine(X + 1, X + 1))


def test_a_sparse_matrix_beyond_the_memory_limit_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", "0.001")
    assert bv.Space(sparse.csr_array((100, 1_000), dtype=np.float64)).x.shape == (100, 1_000)
    with pytest.raises(bv.costs.TooLarge, match=r"'x' of Space\(\) as a dense 1,000 x 1,000 matrix would take 0.00745"):
        bv.Space(sparse.csr_array((1_000, 1_000), dtype=np.float64))
    with pytest.raises(bv.costs.TooLarge, match=r"0\.00149 GB"):
        bv.Space(sparse.csr_array((1_000, 400), dtype=np.float32))


def test_the_check_of_a_large_matrix_takes_little_memory():
    x = np.zeros((2**20, 16))
    x[0] = 1
    tracemalloc.start()
    try:
        assert np.shares_memory(bv.Space(x).x, x)
        assert tracemalloc.get_traced_memory()[1] < 2**23  # the matrix has 2^27 bytes
    finally:
        tracemalloc.stop()
    for row in (0, 700_000, 2**20 - 1):
        x[row, 3] = np.nan
        with pytest.raises(bv.InputError, match=f"nan at row {row}"):
            bv.Space(x)
        x[row, 3] = 0


@pytest.mark.parametrize("value", [-(2.0**70), 2.0**63, 1e300, -1.0])
def test_a_row_number_beyond_all_integers_is_out_of_range(value):
    with pytest.raises(bv.InputError, match="row numbers from 0 to 5 for the target"):
        bv.Pairs(np.array([[0.0, value]]), shape=(6, 6))
    with pytest.raises(bv.InputError, match="row numbers from 0 to 5 for the source"):
        bv.Pairs(np.array([[2**63, 0]], np.uint64), shape=(6, 6))


def test_what_overflows_float64_is_refused_as_infinite():
    with pytest.raises(bv.InputError, match="inf at row 1"):
        bv.Space(np.array([[1], [np.finfo(np.longdouble).max]], np.longdouble))
