"""Many points are transported block by block, with the numbers that a transport of all of them has."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz._files import write_rows
from bridgeviz.flows import _flow, _transport, save_transported
from bridgeviz.flows._noise import noise

STEPS = 2


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(_transport, "BLOCK", 16)
    monkeypatch.setattr(_transport, "BLOCK_ON_ACCELERATOR", 16)


@pytest.mark.parametrize("columns", [1, 3])
def test_noise_is_that_of_jax_whatever_the_block(columns):
    whole = np.asarray(jax.random.normal(jax.random.key(7), (48, columns), np.float32))
    parts = [noise(7, first, 16, columns) for first in range(0, 48, 16)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (np.asarray(noise(8, 0, 16, columns)) != whole[:16]).all()


def test_noise_beyond_four_billion_numbers_is_new():
    assert (np.asarray(noise(7, 2**32, 16, 1)) != np.asarray(noise(7, 0, 16, 1))).all()


def test_the_numbers_do_not_depend_on_the_block(trained, square, monkeypatch):
    x = square.source.x
    whole = trained.transport(x, seed=3, steps=STEPS)
    monkeypatch.setattr(_transport, "BLOCK", 16)
    parts = list(trained.transport_in_blocks(x, seed=3, ts=(0.0, 1.0), steps=STEPS))
    assert [part.shape[1] for part in parts[:-1]] == [16] * (len(x) // 16)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole.states, rtol=1e-5, atol=1e-5)


def test_several_draws_carry_every_point_again(trained, square, small_blocks):
    x = square.source.x[:10]
    parts = np.concatenate(list(trained.transport_in_blocks(x, samples=3, steps=STEPS)), axis=1)[0]
    tiled = trained.transport(np.tile(x, (3, 1)), steps=STEPS).states[-1]
    np.testing.assert_array_equal(parts, tiled)
    np.testing.assert_array_equal(trained.draws(x, samples=3, steps=STEPS).points, tiled.reshape(3, 10, -1))


def test_arguments_are_checked_before_the_first_block(trained, square, monkeypatch):
    monkeypatch.setattr(_flow, "_ROWS", 4)
    x = square.source.x[:9].copy()
    x[6] = 1e12
    with pytest.raises(bv.InputError, match="row 6, "):
        trained.transport_in_blocks(x)
    for wrong in ({"samples": 0}, {"seed": -1}, {"ts": (2.0,)}, {"solver": "euler"}):
        with pytest.raises(bv.InputError, match=r"of transport\(\)"):
            trained.transport_in_blocks(square.source.x, **wrong)


@pytest.mark.parametrize("samples", [None, 2])
def test_a_file_is_that_of_numpy(trained, square, tmp_path, small_blocks, samples):
    x = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, square.source.x.shape)
    x[:] = square.source.x
    told = []
    shape = save_transported(
        trained, x, tmp_path / "y.npy", samples=samples, on_progress=lambda *part: told.append(part), seed=5,
        steps=STEPS,
    )  # fmt: skip
    if samples is None:
        expected = trained.transport(x, seed=5, steps=STEPS).states[-1]
    else:
        expected = trained.draws(x, samples=samples, seed=5, steps=STEPS).points
    np.save(tmp_path / "expected.npy", expected.astype(trained.target.dtype))
    assert shape == expected.shape
    assert (tmp_path / "y.npy").read_bytes() == (tmp_path / "expected.npy").read_bytes()
    total = len(x) * (samples or 1)
    assert told[0] == (0, total)
    assert told[-1] == (total, total)
    assert len(told) == 1 + -(-total // 16)


def test_a_file_must_get_all_of_its_rows(tmp_path):
    for rows in (1, 3):
        with pytest.raises(ValueError, match=r"not those of shape \(2, 4\)"):
            write_rows(tmp_path / "x.npy", [np.zeros((rows, 4))], shape=(2, 4), dtype=np.dtype(np.float32))


def test_one_draw_is_no_draws(trained, square, tmp_path):
    with pytest.raises(bv.InputError, match=r"'samples' of draws\(\) must be an integer >= 2"):
        save_transported(trained, square.source.x, tmp_path / "y.npy", samples=1)
    assert not list(tmp_path.iterdir())


def test_a_transport_that_fails_half_way_leaves_nothing(trained, square, tmp_path, small_blocks, monkeypatch, capsys):
    from bridgeviz.cli import main

    trained.save(tmp_path / "run" / "flow")
    np.save(tmp_path / "x.npy", square.source.x[:40])
    monkeypatch.setattr(_transport, "noise", lambda *place: noise(*place) * (np.inf if place[1] == 32 else 1))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SystemExit) as ended:
        main(["transport", str(tmp_path / "run"), str(tmp_path / "x.npy"), "--out", str(tmp_path / "y.npy")])
    assert ended.value.code == 2
    assert "could not follow the flow to t = 1" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before
