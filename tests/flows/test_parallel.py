"""Data-parallel training: eight devices, and two processes, give the losses of one device."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz import cli
from bridgeviz.flows._parallel import check_even

SETUP = """
import sys
import numpy as np
import jax
if len(sys.argv) > 2:
    jax.distributed.initialize(sys.argv[2], num_processes=2, process_id=int(sys.argv[3]))
import bridgeviz as bv
bv.flows.VELOCITIES["tiny"] = bv.flows.AdaLN(d=32, blocks=2)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(60, 3)), rng.normal(size=(60, 4))
problem = bv.Problem(bv.Space(x), bv.Space(y), truth=np.stack([np.arange(60)] * 2, axis=1))
cost = bv.costs.bridge(x, y, problem.truth[:20])
plan = bv.couplings.linear(cost, epsilon=0.05, tau=(0.9, 1.0))
config = bv.FlowConfig(velocity="tiny", steps=40, batch_size=32, learning_rate=3e-3, chunk_size=20, ema=0.9)


def train(mesh, **options):
    progress = list(bv.flows.fit(problem, plan, config, mesh=mesh, **options))
    states = progress[-1].flow.transport(x[:5]).states
    return np.concatenate([p.losses for p in progress]), np.concatenate([p.mass_losses for p in progress]), states
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
mesh, options = bv.flows.mesh(), {"checkpoints": f"{sys.argv[1]}-kept", "every": 1}
interrupted = bv.flows.fit(problem, plan, config, mesh=mesh, **options)
assert next(interrupted).step == 20
interrupted.close()
assert next(bv.flows.fit(problem, plan, config, mesh=mesh, **options)).step == 20  # read by one process, known to both
np.savez(f"{sys.argv[1]}-{jax.process_index()}.npz", *train(mesh, **options))
few = bv.flows.mesh(1)
assert [d.process_index for d in few.devices] == [0, 1]  # one of each process
from dataclasses import replace
try:
    next(bv.flows.fit(problem, plan, replace(config, seed=jax.process_index()), mesh=few))
except bv.InputError as error:
    assert "They differ in: settings." in str(error), error
else:
    raise AssertionError("two processes trained with two seeds")
"""
)


def start(code: str, *arguments: str, devices: int) -> subprocess.Popen:
    return run("-c", code, *arguments, devices=devices)


def run(*command: str, devices: int) -> subprocess.Popen:
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    env = os.environ | {"XLA_FLAGS": flags.strip()}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *command], env=env, cwd=Path.cwd(), stdout=pipe, stderr=pipe, text=True)


def free_address() -> str:
    with socket.socket() as port:
        port.bind(("localhost", 0))
        return f"localhost:{port.getsockname()[1]}"


def finished(*children: subprocess.Popen) -> list[str]:
    """What each process printed, after all have succeeded."""
    ends = [child.communicate(timeout=240) for child in children]
    for child, (_, errors) in zip(children, ends, strict=True):
        assert child.returncode == 0, errors[-3000:]
    return [out for out, _ in ends]


@pytest.fixture(scope="module")
def eight(tmp_path_factory):
    out = tmp_path_factory.mktemp("parallel") / "losses.npz"
    finished(start(EIGHT, str(out), devices=8))
    with np.load(out) as stored:
        return [stored[f"arr_{k}"] for k in range(6)]


def test_eight_devices_give_the_losses_of_one(eight):
    one, many = eight[:3], eight[3:]
    assert one[0].shape == (40,)
    for ours, theirs in zip(many, one, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_two_processes_interrupted_and_resumed_give_the_losses_of_one(eight, tmp_path):
    address = free_address()
    finished(*(start(TWO, str(tmp_path / "out"), address, str(k), devices=2) for k in range(2)))
    for k in range(2):
        with np.load(tmp_path / f"out-{k}.npz") as stored:
            for name, theirs in zip(stored, eight[:3], strict=True):
                np.testing.assert_allclose(stored[name], theirs, rtol=1e-5, atol=1e-5)


def test_two_processes_of_the_command_line_write_the_result_of_one(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", rng.normal(size=(60, 3)))
    np.save("y.npy", rng.normal(size=(50, 4)))
    np.save("pairs.npy", np.stack([np.arange(12)] * 2, axis=1))
    files, network = ("x.npy", "y.npy", "--pairs", "pairs.npy"), "--velocity=mlp-small"  # it compiles quickly
    align = ("align", *files, "--cost=bridge", "--steps=30", "--batch-size=16", network)
    address = free_address()
    both = ("--coordinator", address, "--num-processes", "2", "--out", "both", "--process-id")
    first, second = finished(*(run("-m", "bridgeviz", *align, *both, str(k), devices=1) for k in range(2)))
    with pytest.raises(SystemExit) as stop:
        cli.main([*align, "--out", "one"])
    assert stop.value.code == 0
    assert "Result in both" in first
    assert "Result in" not in second
    one, two = (json.loads(Path(out, "report.json").read_text()) for out in ("one", "both"))
    assert two["final_loss"] == pytest.approx(one["final_loss"], rel=1e-5)
    np.testing.assert_allclose(np.load("both/transported.npy"), np.load("one/transported.npy"), atol=1e-3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["both", "one", "pairs.npy", "x.npy", "y.npy"]


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


def test_a_batch_that_cannot_be_split_evenly_is_refused():
    with pytest.raises(bv.InputError, match=r"'batch_size' of fit\(\) must be a multiple of the 3 devices. Got 32"):
        check_even(32, 3)
