"""Transport, and flows on disk."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import bridgeviz as bv
from bridgeviz.flows import Scaling
from bridgeviz.flows._storage import ARRAYS, sealed


def noise(seed: int, n: int, q: int) -> np.ndarray:
    return np.asarray(jax.random.normal(jax.random.key(seed), (n, q), jnp.float32))


def by_heun(flow, x, z, steps=20):
    """The ODE of Eq. 12 by Heun's method in NumPy, from noise z in standardised units."""
    model = jax.jit(nnx.merge(flow.graph, flow.params))
    scaled = jnp.asarray(flow.source.standardise(x), jnp.float32)

    def velocity(t, state):
        return np.asarray(model(jnp.full(len(state), t, jnp.float32), jnp.asarray(state, jnp.float32), scaled))

    state, h = z, 1 / steps
    for k in range(steps):
        first = velocity(k * h, state)
        second = velocity((k + 1) * h, state + h * first)
        state = state + h / 2 * (first + second)
    return flow.target.restore(state)


@pytest.mark.parametrize("n", [1, 2, 5, 60])
def test_transport_agrees_with_heun_in_numpy_whatever_the_padding(trained, square, n):
    x = square.source.x[:n]
    path = trained.transport(x, seed=7)
    assert path.states.shape == (2, n, 3)
    np.testing.assert_array_equal(path.ts, [0, 1])
    np.testing.assert_allclose(path.states[0], trained.target.restore(noise(7, n, 3)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(path.states[1], by_heun(trained, x, noise(7, n, 3)), rtol=1e-3, atol=1e-3)


def test_more_than_one_block(trained):
    n = 8192 + 37
    x = np.random.default_rng(0).normal(size=(n, 3))
    path = trained.transport(x, seed=0, steps=4)
    assert path.states.shape == (2, n, 3)
    rows = np.r_[0:3, 8190:8195, n - 3 : n]
    np.testing.assert_allclose(
        path.states[1][rows], by_heun(trained, x[rows], noise(0, n, 3)[rows], steps=4), rtol=1e-3, atol=1e-3
    )


def test_the_two_solvers_agree(trained, square):
    heun = trained.transport(square.source.x, steps=100).states[-1]
    tsit5 = trained.transport(square.source.x, solver="tsit5", tolerance=1e-6).states[-1]
    assert np.abs((heun - tsit5) / square.target.x.std(0)).max() < 0.03


@pytest.mark.parametrize("options", [{"solver": "heun"}, {"solver": "tsit5", "tolerance": 1e-7}])
def test_times_between_noise_and_target(trained, square, options):
    x = square.source.x[:4]
    ends = trained.transport(x, **options)
    path = trained.transport(x, **options, ts=(0.0, 0.33, 0.5, 1.0))
    np.testing.assert_array_equal(path.ts, [0, 0.33, 0.5, 1])
    assert path.states.shape == (4, 4, 3)
    np.testing.assert_allclose(path.states[[0, 3]], ends.states, atol=1e-4)
    middle = trained.transport(x, **options, ts=[0.5])
    assert middle.states.shape == (1, 4, 3)
    np.testing.assert_allclose(middle.states[0], path.states[2], atol=1e-4)


def test_seeds_draw_the_noise(trained, square):
    first = trained.transport(square.source.x, seed=0).states
    np.testing.assert_array_equal(trained.transport(square.source.x, seed=0).states, first)
    assert (trained.transport(square.source.x, seed=1).states != first).all()


def test_a_loaded_flow_equals_the_saved_one(trained, square, tmp_path):
    trained.save(tmp_path / "deep" / "flow")
    loaded = bv.Flow.load(tmp_path / "deep" / "flow")
    assert loaded.config == trained.config
    x = square.source.x
    np.testing.assert_array_equal(loaded.transport(x, seed=3).states, trained.transport(x, seed=3).states)
    loaded.save(tmp_path / "deep" / "flow")  # over an existing one
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["flow"]
    np.testing.assert_array_equal(
        bv.Flow.load(str(tmp_path / "deep" / "flow")).transport(x).states, trained.transport(x).states
    )


def other(flow):
    return replace(flow, params=jax.tree.map(lambda leaf: leaf + 1, flow.params))


@pytest.mark.parametrize("broken", ["the disk", "the last move"])
def test_a_failed_save_leaves_the_old_flow(trained, square, tmp_path, monkeypatch, broken):
    path = tmp_path / "flow"
    trained.save(path)
    before = trained.transport(square.source.x).states

    def fail(*_, **__):
        raise OSError("the disk is full")

    if broken == "the disk":
        monkeypatch.setattr(Path, "write_bytes", fail)
    else:
        real = os.replace

        def last(source, target):
            if Path(target) == path and Path(source).name.startswith(".flow-"):
                fail()
            real(source, target)

        monkeypatch.setattr(os, "replace", last)
    with pytest.raises(OSError, match="disk is full"):
        other(trained).save(path)
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["flow"]
    np.testing.assert_array_equal(bv.Flow.load(path).transport(square.source.x).states, before)


@pytest.fixture
def saved(trained, tmp_path):
    trained.save(tmp_path / "flow")
    return tmp_path / "flow"


def edit(path: Path, change) -> None:
    about = json.loads((path / "flow.json").read_text())
    change(about)
    (path / "flow.json").write_text(json.dumps(sealed(about)))


DAMAGE = {
    "truncated json": lambda p: (p / "flow.json").write_text((p / "flow.json").read_text()[:40]),
    "another format": lambda p: edit(p, lambda a: a.update(format=99)),
    "no config": lambda p: edit(p, lambda a: a.pop("config")),
    "unknown velocity": lambda p: edit(p, lambda a: a["config"].update(velocity="none")),
    "unknown setting": lambda p: edit(p, lambda a: a["config"].update(extra=1)),
    "another velocity": lambda p: edit(p, lambda a: a["config"].update(velocity="adaln-small")),
    "fewer dimensions": lambda p: edit(p, lambda a: a["source"].update(mean=[0.0, 0.0], std=[1.0, 1.0])),
    "mean of another length": lambda p: edit(p, lambda a: a["target"].update(mean=[0.0])),
    "mean that is NaN": lambda p: edit(p, lambda a: a["target"].update(mean=[0.0, float("nan"), 0.0])),
    "deviation of zero": lambda p: edit(p, lambda a: a["source"].update(std=[1.0, 0.0, 1.0])),
    "json that is a list": lambda p: (p / "flow.json").write_text("[1, 2]"),
    "no weights": lambda p: (p / ARRAYS).unlink(),
    "weights that are a pipe": lambda p: ((p / ARRAYS).unlink(), os.mkfifo(p / ARRAYS)),
    "too many weights": lambda p: (p / ARRAYS).write_bytes((p / ARRAYS).read_bytes() + b"0"),
    "a scaling changed by hand": lambda p: (p / "flow.json").write_text(
        (p / "flow.json").read_text().replace('"mean": [', '"mean": [1', 1)
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_flow_is_refused_in_one_sentence(saved, damage):
    DAMAGE[damage](saved)
    with pytest.raises(bv.InputError, match=r"load\(\) can't read the flow at .*: it is damaged") as caught:
        bv.Flow.load(saved)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["flow.json", ARRAYS])
def test_one_flipped_bit_is_noticed_wherever_it_is(saved, name):
    content = (saved / name).read_bytes()
    for at in np.linspace(0, len(content) - 1, 40).astype(int):
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        with suppress(ValueError):
            if json.loads(changed) == json.loads(content):
                continue  # the last digit of a number, beyond its precision
        (saved / name).write_bytes(changed)
        with pytest.raises(bv.InputError, match=r"load\(\) (can't read the|found no) flow at"):
            bv.Flow.load(saved)


@pytest.mark.parametrize("name", ["study [1]", "a\\b", "50% *", "täßt", "two\nlines"])
def test_a_folder_may_have_any_name(trained, square, tmp_path, name):
    trained.save(tmp_path / name / "flow")
    loaded = bv.Flow.load(tmp_path / name / "flow")
    np.testing.assert_array_equal(loaded.transport(square.source.x).states, trained.transport(square.source.x).states)


def test_weights_that_are_not_finite_are_refused(trained, tmp_path):
    replace(trained, params=jax.tree.map(lambda leaf: leaf * jnp.nan, trained.params)).save(tmp_path / "flow")
    with pytest.raises(bv.InputError, match="not finite"):
        bv.Flow.load(tmp_path / "flow")


def test_a_missing_flow(tmp_path):
    with pytest.raises(bv.InputError, match="found no flow at"):
        bv.Flow.load(tmp_path / "nothing")


def test_a_tolerance_out_of_reach_is_reported(trained, square):
    with pytest.raises(bv.InputError, match="larger tolerance"):
        trained.transport(square.source.x[:4], solver="tsit5", tolerance=1e-14)


def test_the_units_of_a_space_do_not_matter():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    np.testing.assert_allclose(Scaling.of(1e-9 * x).std, 1e-9 * x.std(0))
    np.testing.assert_array_equal(Scaling.of(np.full((5, 2), 1e9)).std, 1.0)
