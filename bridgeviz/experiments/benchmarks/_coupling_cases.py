"""The rows of `bridgeviz bench couplings`. A new row is one function in `_coupling_trials.py`, and one `Case` here.

The expected seconds were written before anything was measured, for two cores of a server with 20 GB/s of memory
bandwidth, 100 GFLOP/s in float32, and 45 billion pairs of an addition and a minimum per second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridgeviz.experiments.benchmarks import _coupling_trials as trials
from bridgeviz.experiments.benchmarks import _machine
from bridgeviz.experiments.benchmarks._fresh_process import Trial, measure_fresh
from bridgeviz.experiments.benchmarks._ledger import Row


@dataclass(frozen=True, kw_only=True)
class Case:
    """A method at several sizes.

    Attributes:
        name: of the method.
        trial: prepares it, given n and the options.
        expected: the seconds that we expect, by the n that are measured; None where we expect nothing.
        options: of `trial`; JSON values.
        repeats: calls after the first.
        minutes: the time limit of one process.
    """

    name: str
    trial: Callable[..., Trial]
    expected: Mapping[int, float | None]
    options: Mapping[str, Any] = field(default_factory=dict)
    repeats: int = 5
    minutes: float = 60.0

    def measure(self, n: int, *, memory: float) -> Row:
        """The row at n, from a process that may take `memory` bytes."""
        return measure_fresh(
            self.trial, {"n": n, **self.options}, repeats=self.repeats, seconds=60 * self.minutes, memory=memory
        )


@dataclass(frozen=True, kw_only=True)
class Group:
    """Methods for the same problem. The first is the one that the others are compared with.

    Attributes:
        title: the problem, above its table.
        cases: the methods.
        long: whether it is only measured if it is asked for by name.
    """

    title: str
    cases: tuple[Case, ...]
    long: bool = False


MACHINE = "machine"
"""The group whose rows are the rates of the machine."""

GROUPS: dict[str, Group] = {
    MACHINE: Group(
        title="Rates of the machine, best of all repeats",
        cases=(
            Case(name="a = b + c in memory", trial=_machine.memory_bandwidth, expected={2**26: None}, repeats=20),
            Case(name="float32 matrix product", trial=_machine.matrix_product, expected={4096: None}, repeats=20),
            Case(name="add+min in the cache", trial=_machine.add_and_min, expected={2**18: None}, repeats=100),
        ),
    ),
    "linear": Group(
        title="Linear OT on a matrix of n x n, epsilon 5e-3, marginal error 1e-3",
        cases=(
            # 300 iterations at 20 ms, for 400 MB of kernel each, and 2 s for the kernel and copies of the matrix.
            Case(
                name="bridgeviz, dense", trial=trials.linear, options={"method": "dense"},
                expected={1_000: 0.08, 2_000: 0.3, 4_000: 1.3, 10_000: 8.0},
            ),
            # 500 iterations; the 2 * 10^8 exponentials of each take 0.4 s.
            Case(
                name="ott-jax, log domain", trial=trials.linear, options={"method": "ott"},
                expected={1_000: 2.0, 2_000: 8.0, 4_000: 32.0, 10_000: 200.0},
            ),
            # 500 iterations, two products with 800 MB each, and the whole plan at every 20th.
            Case(
                name="POT, sinkhorn_stabilized", trial=trials.pot_linear,
                options={"method": "sinkhorn_stabilized", "entries": 5e10},
                expected={1_000: 0.6, 10_000: 60.0},
            ),
            # 500 iterations; NumPy needs 3 s for the exponentials of each and its temporary matrices, on one core.
            Case(
                name="POT, sinkhorn_log", trial=trials.pot_linear, options={"method": "sinkhorn_log", "entries": 4e9},
                expected={1_000: 15.0, 10_000: 1_500.0},
            ),
        ),
    ),
    "min-plus": Group(
        title="(min, +) product of the bridge cost, n x n over n / 10 pairs",
        cases=(
            # 10^11 pairs of an addition and a minimum, three times their floor.
            Case(name="bridgeviz, on_atoms", trial=trials.min_plus, expected={1_000: 0.007, 10_000: 7.0}),
            # 1,000 passes that read and write 400 MB.
            Case(name="XLA, scan over pairs", trial=trials.xla_scan, expected={1_000: 0.01, 10_000: 40.0}),
        ),
    ),
    "fgw": Group(
        title="Fused Gromov-Wasserstein, alpha 0.5, epsilon 5e-3, at most 10 steps",
        cases=(
            # 10 steps of 200 iterations in the log domain: 16 ms each at n = 2,000, and 0.4 s at 10,000.
            Case(name="bridgeviz", trial=trials.fgw, options={"steps": 10}, expected={2_000: 32.0, 10_000: 800.0}),
            # 10 steps of 1,000 iterations at 5 ms, and 1 s for the products of matrices in each step.
            Case(
                name="POT, entropic_fused_gromov_wasserstein", trial=trials.pot_fgw, options={"steps": 10},
                expected={2_000: 60.0},
            ),
        ),
    ),
    "merged": Group(
        title="From n points of 768 dimensions and 1,000 classes to the plan, bridge cost, 1 % of the pairs",
        long=True,
        cases=(
            # 2.5 * 10^13 operations for the distances, twice their floor, and 10^12 pairs of an addition and a minimum.
            Case(
                name="bridgeviz, bridge and linear", trial=trials.merged, minutes=240,
                options={"p": 768, "q": 64, "classes": 1_000}, expected={1_280_000: 600.0},
            ),
        ),
    ),
    "factorised": Group(
        title="Linear OT whose kernel is that of the diffusion bridge, 1 % of the pairs, at most 1,000",
        long=True,
        cases=(
            # 30 iterations that read both factors twice: 2 * 10^4 rows of 100 numbers.
            Case(
                name="bridgeviz, factorised: Sinkhorn alone", trial=trials.factorised, options={"whole": False},
                expected={10_000: 0.05, 100_000: 3.0},
            ),
            # 50 iterations; the 2 * 10^8 exponentials of each take 0.4 s.
            Case(
                name="ott-jax, log domain: Sinkhorn alone", trial=trials.kernel_in_log_domain,
                options={"whole": False}, expected={10_000: 20.0},
            ),
            # Neighbours take 1 s a side, and the diffusion 1 s.
            Case(
                name="bridgeviz, factorised: graphs, diffusion and Sinkhorn", trial=trials.factorised,
                options={"whole": True}, expected={10_000: 5.0, 100_000: 150.0},
            ),
            Case(
                name="ott-jax, log domain: graphs, diffusion, matrix and Sinkhorn", trial=trials.kernel_in_log_domain,
                options={"whole": True}, expected={10_000: 30.0},
            ),
            # As without power, and 120 iterations.
            Case(
                name="bridgeviz, factorised, power 8: graphs, diffusion and Sinkhorn", trial=trials.factorised,
                options={"whole": True, "power": 8.0}, expected={10_000: 5.0},
            ),
        ),
    ),
    "sharpening": Group(
        title="Sharpening of the diffusion bridge's plan by powers of its factors, 1 % of the pairs, graphs included",
        long=True,
        cases=tuple(
            # As above; each doubling of the power adds 30 iterations.
            Case(
                name=f"bridgeviz, factorised, power {power:g}", trial=trials.factorised, repeats=0,
                options={"whole": True, "power": power}, expected={10_000: seconds},
            )
            for power, seconds in ((1.0, 5.0), (2.0, 5.0), (4.0, 5.5), (8.0, 6.0), (16.0, 6.5))
        ),
    ),
    "million": Group(
        title="A million by a million rows, 1,000 pairs, the 64 strongest anchors of each row, graphs included",
        long=True,
        cases=(
            # 86 steps of 14 additions to a million rows of 1,000 numbers on either side, in twice the time of reads.
            Case(
                name="bridgeviz, factorised", trial=trials.factorised, minutes=240, repeats=0,
                options={"whole": True, "strongest": 64}, expected={1_000_000: 4_000.0},
            ),
        ),
    ),
    "sparse": Group(
        title="Linear OT on the bridge cost without its matrix, 5 % of the pairs",
        long=True,
        cases=(
            # 5 * 10^13 pairs of an addition and a minimum take 1,100 s; the method should need a tenth of them.
            Case(name="bridgeviz, sparse", trial=trials.sparse, minutes=240, expected={100_000: 120.0}),
        ),
    ),
}  # fmt: skip
"""The groups by name, in the order of the tables."""
