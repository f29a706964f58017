"""Mutants of the transport on a stored kernel."""

from __future__ import annotations

from ._mutant import Mutant

FILE = "bridgeviz/_kernel_sinkhorn.py"
TESTS = "couplings/test_dense.py"

MUTANTS = [
    Mutant("dense: it ends before epsilon has fallen", FILE, "if last and (error", "if (error", TESTS),
    Mutant(
        "dense: columns vanish by underflow",
        FILE,
        "elif self.balanced:",
        "elif True:",
        TESTS,
    ),
    Mutant("dense: single precision for every tolerance", FILE, "if tolerance >= SINGLE:", "if True:", TESTS),
    Mutant("dense: never over-relaxed", FILE, "elif relax and self.balanced:", "elif False:", TESTS),
    Mutant("dense: padded rows carry mass", FILE, "[: self.size]", "[-self.size :]", TESTS),
    Mutant(
        "dense fgw: a small problem is large",
        "bridgeviz/couplings/_solver_options.py",
        "u * v >= self.large",
        "u * v >= 0",
        "couplings/test_dense_fgw.py",
    ),
    Mutant("dense: a faint plan is lost", FILE, "if solution.plan.sum(dtype=float) > FAINT:", "if True:", TESTS),
    Mutant(
        "dense: whoever drives it works in float64",
        FILE,
        """        with jax.enable_x64(True):
            try:
                told = next(steps)
            except StopIteration as end:
                return end.value
        yield told
""",
        """        with jax.enable_x64(True):
            try:
                told = next(steps)
            except StopIteration as end:
                return end.value
            yield told
""",
        TESTS,
    ),
    Mutant("dense: a scaling of 0 stays", FILE, "np.finfo(self.dtype).tiny", "0.0", TESTS),
    Mutant(
        "start: it is not read",
        "bridgeviz/couplings/_linear.py",
        'if start is not None and method != "ott":',
        "if False:",
        "couplings/test_start.py",
    ),
    Mutant(
        "start: any plan will do",
        "bridgeviz/couplings/_starts.py",
        "len(start.potentials) != v or ",
        "",
        "couplings/test_start.py",
    ),
    Mutant(
        "auto: Newton's method never goes on",
        "bridgeviz/couplings/_linear.py",
        'goes_on = self.method == "auto"',
        'goes_on = self.method == "never"',
        "couplings/test_newton.py",
    ),
    Mutant(
        "devices: each keeps its own sums of the columns",
        "bridgeviz/_kernel_sweeps.py",
        "sums, moved, mass = lax.psum((sums, moved, mass), axis)",
        "moved, mass = lax.psum((moved, mass), axis)",
        "couplings/test_devices.py::test_eight_devices_have_the_plan_of_one",
    ),
]
