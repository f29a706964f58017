"""The stored kernel with its rows divided over several devices, and over the devices of two processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

PROBLEM = """
import sys
import numpy as np
import jax
{begin}
import bridgeviz as bv
from bridgeviz import _kernel_sinkhorn as engine
from bridgeviz._row_shards import OneDevice
from bridgeviz.costs import as_cost

rng = np.random.default_rng(0)
points = [rng.random((n, 3)) for n in (203, 150)]
cost = as_cost(((points[0][:, None] - points[1]) ** 2).sum(-1), "test")
cost = cost.weighted(rng.random(203) + 0.1).forbid([[0, 1], [5, 6]])
kernels, take = [], engine.KernelSolver.take_plan

def spy(solver, *factor):
    plan = take(solver, *factor)
    kernels.append(len(plan.sharding.device_set))
    return plan

engine.KernelSolver.take_plan = spy
for tau in ((1.0, 1.0), (0.9, 0.7)):
    options = {{"epsilon": 0.02, "tau": tau, "tolerance": 1e-9, "method": "dense"}}
    plan = bv.couplings.linear(cost, **options)
    assert plan.converged
    everywhere, engine.all_devices = engine.all_devices, OneDevice
    alone = bv.couplings.linear(cost, **options)
    engine.all_devices = everywhere
    assert plan.iterations == alone.iterations
    difference = np.abs(plan.dense() - alone.dense()).sum() / alone.mass
    assert difference < 1e-12, difference
assert kernels == [{devices}, 1] * 2, kernels
print("the same")
"""


def run(code: str, devices: int, *arguments: str) -> subprocess.Popen:
    flags = f"--xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )  # fmt: skip


def test_eight_devices_have_the_plan_of_one():
    process = run(PROBLEM.format(begin="", devices=8), 8)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert out == "the same\n"


def test_two_hosts_have_the_plan_of_one():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        address = f"localhost:{probe.getsockname()[1]}"
    begin = "jax.distributed.initialize(sys.argv[1], num_processes=2, process_id=int(sys.argv[2]))"
    code = PROBLEM.format(begin=begin, devices=4)
    hosts = [run(code, 2, address, str(rank)) for rank in range(2)]
    try:
        results = [host.communicate(timeout=300) for host in hosts]
    finally:
        for host in hosts:
            host.kill()
    for host, (out, err) in zip(hosts, results, strict=True):
        assert host.returncode == 0, err
        assert "the same" in out


@pytest.mark.parametrize("parts", [[], [slice(0, 3), slice(3, 3), slice(3, 7)]])
def test_totals_of_parts(parts):
    from bridgeviz._extent import Totals, extent, totals

    rng = np.random.default_rng(0)
    cost, a, b = rng.normal(size=(7, 5)), rng.random(7), rng.random(5)
    cost[2, 3] = np.inf
    found = Totals().with_others(totals([(slice(None), cost[rows])], a[rows], b) for rows in parts)
    if parts:
        np.testing.assert_allclose(found.extent, extent([(slice(0, 7), cost)], a, b))
    else:
        assert found == Totals()
        assert found.extent.mean == 0
