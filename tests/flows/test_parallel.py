"""Data-parallel training: eight devices, and two processes, give the losses of one device."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.flows.parallel import check_even

SETUP = """
import sys
from functools import partial
import numpy as np
import jax
if len(sys.argv) > 2:
    jax.distributed.initialize(sys.argv[2], num_processes=2, process_id=int(sys.argv[3]))
import bridgeviz as bv
from bridgeviz.flows.velocity import VELOCITIES, AdaLN
VELOCITIES["tiny"] = partial(AdaLN, d=32, blocks=2)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(60, 3)), rng.normal(size=(60, 4))
problem = bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(60)] * 2, axis=1))
cost = bv.costs.bridge(x, y, problem.truth[:20])
plan = bv.couplings.linear(cost, epsilon=0.05, tau=(0.9, 1.0))
config = bv.FlowConfig(velocity="tiny", steps=40, batch_size=32, learning_rate=3e-3, chunk_size=20, ema=0.9)


def train(mesh):
    found = list(bv.flows.fit(problem, plan, config, mesh=mesh))
    states = found[-1].flow.transport(x[:5]).states
    return np.concatenate([p.losses for p in found]), np.concatenate([p.mass_losses for p in found]), states
"""
EIGHT = (
    SETUP
    + """
one, many = train(None), train(bv.flows.mesh())
assert jax.device_count() == 8
np.savez(sys.argv[1], *one, *many)
"""
)
TWO = (
    SETUP
    + """
assert jax.process_count() == 2 and jax.device_count() == 4
np.savez(f"{sys.argv[1]}-{jax.process_index()}.npz", *train(bv.flows.mesh()))
"""
)


def start(code: str, *arguments: str, devices: int) -> subprocess.Popen:
    env = os.environ | {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, env=env, cwd=Path.cwd(), stderr=subprocess.PIPE, text=True)


def finished(*children: subprocess.Popen) -> None:
    for child in children:
        _, said = child.communicate(timeout=240)
        assert child.returncode == 0, said[-3000:]


@pytest.fixture(scope="module")
def eight(tmp_path_factory):
    out = tmp_path_factory.mktemp("parallel") / "losses.npz"
    finished(start(EIGHT, str(out), devices=8))
    with np.load(out) as found:
        return [found[f"arr_{k}"] for k in range(6)]


def test_eight_devices_give_the_losses_of_one(eight):
    one, many = eight[:3], eight[3:]
    assert one[0].shape == (40,)
    for ours, theirs in zip(many, one, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_two_processes_give_the_losses_of_one(eight, tmp_path):
    with socket.socket() as found:
        found.bind(("localhost", 0))
        address = f"localhost:{found.getsockname()[1]}"
    finished(*(start(TWO, str(tmp_path / "out"), address, str(k), devices=2) for k in range(2)))
    for k in range(2):
        with np.load(tmp_path / f"out-{k}.npz") as found:
            for name, theirs in zip(found, eight[:3], strict=True):
                np.testing.assert_allclose(found[name], theirs, rtol=1e-5, atol=1e-5)


def test_a_mesh_that_does_not_fit_is_refused(square, square_plan):
    with pytest.raises(bv.InputError, match=r"'mesh' of fit\(\) must be a mesh, such as flows.mesh\(\)"):
        bv.flows.fit(square, square_plan, bv.FlowConfig(velocity="tiny"), mesh=8)
    with pytest.raises(bv.InputError, match=r"'devices' of mesh\(\)"):
        bv.flows.mesh(1000)


def test_a_mesh_of_one_device_changes_nothing(square, square_plan):
    config = bv.FlowConfig(velocity="tiny", steps=10, batch_size=8)
    (one,) = bv.flows.fit(square, square_plan, config)
    (many,) = bv.flows.fit(square, square_plan, config, mesh=bv.flows.mesh(1))
    np.testing.assert_allclose(many.losses, one.losses, rtol=1e-6)


def test_a_batch_that_can_not_be_split_evenly_is_refused():
    with pytest.raises(bv.InputError, match=r"'batch_size' of fit\(\) must be a multiple of the 3 devices. Got 32"):
        check_even(32, 3)
