"""The memory limit is kept at the peak, not for one matrix."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz import cli, couplings

PEAK = """
import resource, sys
import numpy as np
import bridgeviz as bv

def solve(n, solver):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 8)), rng.normal(size=(n, 6))
    cost = bv.costs.bridge(x, y, [[i, i] for i in range(20)])
    if solver == "linear":
        plan = bv.couplings.linear(cost, epsilon=1.0, max_iterations=20)
    else:
        plan = bv.couplings.fgw(cost, bv.costs.Within(x), bv.costs.Within(y), max_iterations=2, max_inner=20)
    plan.sparse()

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

solve(200, sys.argv[1])
before = peak()
solve(int(sys.argv[2]), sys.argv[1])
print(peak() - before)
"""


@pytest.mark.parametrize(("solver", "entry"), [("linear", 40), ("fgw", 64)])
def test_a_transport_stays_below_the_limit_or_is_refused(solver, entry):
    n = 1500
    size = entry * n**2 / 2**30

    def run(limit):
        env = os.environ | {"BRIDGEVIZ_MEMORY_GB": str(limit)}
        arguments = [sys.executable, "-c", PEAK, solver, str(n)]
        return subprocess.run(arguments, capture_output=True, text=True, env=env, check=False)

    allowed = run(1.01 * size)
    assert allowed.returncode == 0, allowed.stderr
    assert float(allowed.stdout) < 1.1 * size + 0.1  # and what the compiler takes
    refused = run(0.9 * size)
    assert "The transport of 1,500 x 1,500 atoms by the method 'dense' would take" in refused.stderr


def test_the_memory_of_each_method_is_known_before_and_the_refusal_names_those_that_fit(monkeypatch):
    assert couplings.peak_bytes(10_000, 10_000, "dense") < 1.5 * 2**30
    assert couplings.peak_bytes(10_000, 10_000, "dense", 1e-9) > 2 * 10_000 * 10_000 * 8
    assert couplings.peak_bytes(10_000, 10_000, "ott") == 64 * 10**8
    assert couplings.peak_bytes(1_280_000, 1_000, "dense") < 9 * 2**30
    rng = np.random.default_rng(0)
    cost = bv.costs.bridge(rng.random((90, 3)), rng.random((80, 3)), [[0, 0], [1, 1]])
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", str(50 * 90 * 80 / 2**30))
    with pytest.raises(
        bv.costs.TooLarge, match=r"'ott' would take .* The methods 'dense' or 'sparse' would fit. Or use"
    ):
        bv.couplings.linear(cost, method="ott")
    assert bv.couplings.linear(cost, method="dense").converged
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", str(30 * 90 * 80 / 2**30))
    with pytest.raises(
        bv.costs.TooLarge, match=r"'dense' would take .* The method 'sparse' would fit. Or use strategy"
    ):
        bv.couplings.linear(cost, method="dense")
    assert bv.couplings.linear(cost).method == "sparse"


def test_the_tables_of_the_sampler_count(monkeypatch):
    plan = bv.couplings.linear(np.random.default_rng(0).random((300, 300)), epsilon=1.0)
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", str(12 * 8 * 300**2 / 2**30))  # its tables have 2^17 > 300^2 entries
    with pytest.raises(bv.costs.TooLarge, match="tables of the plan's entries with 12 dense 131,072 x 1 matrices"):
        plan.sampler()


def test_the_limit_is_half_of_the_memory_unless_it_is_set(monkeypatch):
    monkeypatch.delenv("BRIDGEVIZ_MEMORY_GB", raising=False)
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 2**28 < bv.costs.memory_limit() <= whole // 2
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", "3")
    assert bv.costs.memory_limit() == 3 * 2**30


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: 9 GB"), RuntimeError("Out of memory")]
)
def test_the_command_line_says_so_in_one_sentence(monkeypatch, capsys, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(cli.cli, "main", fail)
    with pytest.raises(SystemExit) as stop:
        cli.main(["datasets"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == f"bridgeviz: {cli._NO_MEMORY}\n"
