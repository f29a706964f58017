"""Checkpoints of a training: killed and resumed, refused, and disks that fail."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import jax
import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.flows import _checkpoints
from bridgeviz.flows._storage import ARRAYS

SETTINGS = {"velocity": "tiny", "steps": 60, "batch_size": 32, "learning_rate": 3e-3, "chunk_size": 5, "ema": 0.9}


def begin(problem, plan, folder=None, every=2, **changes):
    return bv.flows.fit(problem, plan, bv.FlowConfig(**SETTINGS | changes), checkpoints=folder, every=every)


def train(*arguments, **changes):
    return list(begin(*arguments, **changes))


def all_losses(progress) -> np.ndarray:
    return np.concatenate([p.losses for p in progress])


def same_weights(first: bv.Flow, second: bv.Flow) -> None:
    for weights, others in zip(jax.tree.leaves(first.params), jax.tree.leaves(second.params), strict=True):
        np.testing.assert_array_equal(weights, others)


@pytest.fixture(scope="module")
def whole(square, square_plan):
    """The training that was never interrupted."""
    return train(square, square_plan)


@pytest.mark.parametrize("stopped_after", [1, 2, 5, 11])
def test_a_resumed_run_ends_like_an_uninterrupted_one(square, square_plan, whole, tmp_path, stopped_after):
    run = begin(square, square_plan, tmp_path / "kept")
    list(islice(run, stopped_after))
    run.close()
    resumed = train(square, square_plan, tmp_path / "kept")
    np.testing.assert_array_equal(all_losses(resumed), all_losses(whole))
    same_weights(resumed[-1].flow, whole[-1].flow)
    newest = 10 * (stopped_after // 2)  # a checkpoint every two chunks of five steps
    assert resumed[0].step == (newest or 5)


def test_checkpoints_keep_the_least_time_between_them(square, square_plan, tmp_path):
    config = bv.FlowConfig(**SETTINGS)
    run = bv.flows.fit(square, square_plan, config, checkpoints=tmp_path, every=1, seconds=1.0)
    next(run)
    assert not list(tmp_path.glob("step-*"))
    time.sleep(1.0)
    next(run)
    assert [path.name for path in tmp_path.glob("step-*")] == ["step-000000010"]
    *_, last = run
    assert last.step == 60
    assert max(path.name for path in tmp_path.glob("step-*")) == "step-000000060"  # the end is always kept


def test_a_finished_run_is_returned_at_once(square, square_plan, whole, tmp_path):
    train(square, square_plan, tmp_path)
    (resumed,) = train(square, square_plan, tmp_path)
    assert resumed.step == 60
    np.testing.assert_array_equal(resumed.losses, all_losses(whole))
    same_weights(resumed.flow, whole[-1].flow)


def test_reweighting_is_kept_too(square, square_plan, tmp_path):
    whole = train(square, square_plan, reweight=True)
    list(islice(begin(square, square_plan, tmp_path, every=1, reweight=True), 4))
    resumed = train(square, square_plan, tmp_path, reweight=True)
    np.testing.assert_array_equal(
        np.concatenate([p.mass_losses for p in resumed]), np.concatenate([p.mass_losses for p in whole])
    )
    same_weights(resumed[-1].flow, whole[-1].flow)


CHILD = """
import sys
import numpy as np
import bridgeviz as bv
bv.flows.VELOCITIES["tiny"] = bv.flows.AdaLN(d=32, blocks=2)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(60, 3)), rng.normal(size=(60, 3))
problem = bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(60)] * 2, axis=1))
plan = bv.couplings.true(problem.truth, shape=problem.shape)
config = bv.FlowConfig(velocity="tiny", steps=600, batch_size=32, chunk_size=5)
losses = []
for progress in bv.flows.fit(problem, plan, config, checkpoints=sys.argv[1] or None, every=1):
    losses.append(progress.losses)
    print(progress.step, flush=True)
np.save(sys.argv[2], np.concatenate(losses))
"""


def test_a_run_that_is_killed_twice_ends_bit_for_bit_the_same(tmp_path):
    """kill -9 at arbitrary moments: during a step, or while a checkpoint is written or deleted."""

    def start(folder, out):
        return subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), str(out)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )

    untouched = start("", tmp_path / "untouched.npy")
    reached = []
    for wait in (3, 17):
        child = start(tmp_path / "kept", tmp_path / "never.npy")
        assert child.stdout is not None
        begin = int(child.stdout.readline())
        for _ in range(wait):
            last = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        reached.append((begin, last))
    assert not (tmp_path / "never.npy").exists()
    for (_, last), (begin, _) in pairwise(reached):
        assert begin >= last - 10  # only the chunk that was not yet written is lost
    last = start(tmp_path / "kept", tmp_path / "resumed.npy")
    for child in (untouched, last):
        assert child.communicate()
        assert child.returncode == 0
    resumed = np.load(tmp_path / "resumed.npy")
    assert resumed.shape == (600,)
    np.testing.assert_array_equal(resumed, np.load(tmp_path / "untouched.npy"))
    assert len(list((tmp_path / "kept").glob("step-*"))) == 2
    assert not list((tmp_path / "kept").glob(".step-*"))


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"steps": 80}, "steps 60, now 80"), ({"seed": 4, "ema": None}, "seed 0, now 4; ema 0.9, now None"),
        ({"learning_rate": 1e-3}, "learning_rate 0.003, now 0.001"),
    ],
)  # fmt: skip
def test_another_config_is_refused_with_what_differs(square, square_plan, tmp_path, change, difference):
    train(square, square_plan, tmp_path)
    with pytest.raises(bv.InputError, match=f"belong to another training: {difference}. Train with its settings"):
        train(square, square_plan, tmp_path, **change)


def test_other_data_is_refused_with_what_differs(square, square_plan, tmp_path):
    train(square, square_plan, tmp_path)
    x, y = square.source.x, square.target.x
    moved = replace(square, source=bv.Space(x + np.eye(60, 3)))
    with pytest.raises(bv.InputError, match="another training: another source"):
        train(moved, square_plan, tmp_path)
    with pytest.raises(bv.InputError, match="another training: another target"):
        train(replace(square, target=bv.Space(y * 2)), square_plan, tmp_path)  # other units, same standardised points
    with pytest.raises(bv.InputError, match="another training: another coupling"):
        train(square, bv.couplings.true(square.truth[:59], shape=square.shape), tmp_path)


def test_another_local_coupling_is_refused(blobs, tmp_path):
    pairs = blobs.sample_pairs(0.3, seed=0)
    cost = bv.costs.bridge(blobs.source.x, blobs.target.x, pairs)
    train(blobs, bv.couplings.local(cost, epsilon=0.1, max_iterations=5), tmp_path, steps=5)
    with pytest.raises(bv.InputError, match="another coupling"):
        train(blobs, bv.couplings.local(cost, epsilon=0.2, max_iterations=5), tmp_path, steps=5)


def test_local_gromov_wasserstein_is_resumed_too(square, tmp_path):
    def plan(max_steps=3):
        within = [bv.costs.Within(space.x) for space in (square.source, square.target)]
        return bv.couplings.local(None, *within, epsilon=0.1, batch_size=16, max_steps=max_steps)

    train(square, plan(), tmp_path, steps=5)
    (resumed,) = train(square, plan(), tmp_path, steps=5)
    assert resumed.step == 5
    with pytest.raises(bv.InputError, match="another coupling"):
        train(square, plan(max_steps=4), tmp_path, steps=5)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(square, square_plan, whole, tmp_path):
    run = begin(square, square_plan, tmp_path)
    list(islice(run, 6))
    run.close()
    newest = max(tmp_path.glob("step-*"))
    (newest / ARRAYS).unlink()
    resumed = train(square, square_plan, tmp_path)
    assert resumed[0].step == 20
    np.testing.assert_array_equal(all_losses(resumed), all_losses(whole))
    for path in tmp_path.glob("step-*"):
        (path / "about.json").write_text("{")
    with pytest.raises(bv.InputError, match=r"are damaged .* Delete the folder to start again") as caught:
        train(square, square_plan, tmp_path)
    assert "\n" not in str(caught.value)


def test_no_two_trainings_share_a_folder(square, square_plan, tmp_path):
    run = begin(square, square_plan, tmp_path)
    next(run)
    with pytest.raises(bv.flows.Busy, match="Another training is using the checkpoints in"):
        train(square, square_plan, tmp_path)
    run.close()
    train(square, square_plan, tmp_path)


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("broken", ["full", "read-only"])
def test_a_disk_that_refuses_is_reported_and_training_continues(
    square, square_plan, whole, tmp_path, monkeypatch, broken
):
    if broken == "full":
        monkeypatch.setattr(_checkpoints, "new_folder", full_disk)
    else:
        monkeypatch.setattr(_checkpoints, "_hold", full_disk)
    progress = train(square, square_plan, tmp_path / "kept")
    monkeypatch.undo()
    np.testing.assert_array_equal(all_losses(progress), all_losses(whole))
    notice = progress[-1].notice
    assert "No checkpoint can be written to" in notice
    assert "No space left on device). Training continues without any." in notice
    assert not list((tmp_path / "kept").glob("step-*"))


def test_a_full_disk_is_one_error_and_one_only(tmp_path):
    """No threads and no finalisers that complain a second time."""
    code = "import resource, signal, sys, numpy as np, pathlib\n"
    code += "from bridgeviz.flows._storage import write_record\n"
    code += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
    code += "try: write_record(pathlib.Path(sys.argv[1]), 'a.json', {}, {'a': np.ones(9999), 'b': np.ones(9999)})\n"
    code += "except OSError as error: print(error.strerror)\n"
    child = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert (child.stdout, child.stderr) == ("File too large\n", "")


@pytest.mark.parametrize("name", ["about.json", ARRAYS])
def test_one_flipped_byte_is_noticed_wherever_it_is(square, square_plan, whole, tmp_path, name):
    list(islice(begin(square, square_plan, tmp_path, every=1), 4))
    newest = max(tmp_path.glob("step-*"))
    content = (newest / name).read_bytes()
    for at in np.linspace(0, len(content) - 1, 5).astype(int):
        (newest / name).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        run = begin(square, square_plan, tmp_path)
        first = next(run)
        run.close()
        assert first.step == 15  # the checkpoint before


def test_only_checkpoints_are_deleted(square, square_plan, tmp_path):
    config = bv.FlowConfig(velocity="tiny", steps=20, batch_size=32, chunk_size=10)
    run = bv.flows.fit(square, square_plan, config, checkpoints=tmp_path / "kept", every=1)
    next(run)
    with pytest.raises(bv.flows.Busy, match="Another training is using"):
        bv.flows.forget(tmp_path / "kept")
    run.close()
    bv.flows.forget(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
    bv.flows.forget(tmp_path / "kept")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "cells.npy").touch()
    for refused in (
        lambda: bv.flows.forget(tmp_path / "mine"),
        lambda: next(bv.flows.fit(square, square_plan, config, checkpoints=tmp_path / "mine")),
    ):
        with pytest.raises(bv.InputError, match=r"It holds other files: cells.npy"):
            refused()
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["cells.npy"]


def test_a_path_that_is_not_a_folder_is_refused(square, square_plan, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(bv.InputError, match=r"'checkpoints' of fit\(\) must be the path of a folder"):
        train(square, square_plan, tmp_path / "file")
    with pytest.raises(bv.InputError, match=r"'checkpoints' of fit\(\) must be the path of a folder"):
        train(square, square_plan, 7)
