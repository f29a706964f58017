"""Mutants of the transport on factors, and of large graphs and factors."""

from __future__ import annotations

from ._mutant import Mutant

SOLVER = "bridgeviz/_factor_sinkhorn.py"
TESTS = "couplings/test_factorised.py"

MUTANTS = [
    Mutant("factorised: marginal of the columns", SOLVER, "(b / (f_y @", "(1.0 / (f_y @", TESTS),
    Mutant("factorised: columns do not fit", SOLVER, "omega if left else 1.0", "omega", TESTS),
    Mutant(
        "factorised: no effective number of rows",
        "bridgeviz/couplings/_linear_factored.py",
        "atoms.effective(t)",
        "np.ones(len(atoms))",
        TESTS,
    ),
    Mutant(
        "factorised: no floor",
        "bridgeviz/couplings/_linear_factored.py",
        "(floor, 1.0), (source, target)",
        "(0.0, 1.0), (source, target)",
        TESTS,
    ),
    Mutant(
        "factorised: any epsilon",
        "bridgeviz/couplings/_linear_factored.py",
        "if abs(epsilon * scale - 1) > 1e-9:",
        "if False:",
        TESTS,
    ),
    Mutant(
        "factored: anchors drawn by one side",
        "bridgeviz/couplings/_factored.py",
        "return _sums(self.left, 0) * _sums(self.right, 0)",
        "return _sums(self.left, 0)",
        TESTS,
    ),
    Mutant(
        "tables: aliases of another column",
        "bridgeviz/couplings/_tables.py",
        "self.start[columns] + self.alias[at]",
        "self.alias[at]",
        TESTS,
    ),
    Mutant(
        "largest: the largest atoms, not the largest shares",
        "bridgeviz/couplings/_largest.py",
        "each = block / counts",
        "each = -block / counts",
        TESTS + " couplings/test_coupling.py",
    ),
    Mutant(
        "diffusion: power of one side", "bridgeviz/costs/_diffusion.py", "_sharpened(f_y, self.power)", "f_y", "costs"
    ),
    Mutant(
        "chebyshev: too few steps",
        "bridgeviz/costs/_chebyshev.py",
        "math.acosh(1 / tolerance) / math.acosh(1 / bound)",
        "math.acosh(1 / tolerance) / math.acosh(1 / bound) / 2",
        "costs/test_chebyshev.py",
    ),
    Mutant(
        "chebyshev: starts are added once",
        "bridgeviz/costs/_chebyshev.py",
        "before[rows, at] += dtype(omega) * value",
        "pass",
        "costs/test_chebyshev.py",
    ),
    Mutant(
        "search: a row is its own neighbour",
        "bridgeviz/costs/_search.py",
        "bad = (found == rows[:, None]) | (found < 0)",
        "bad = found < 0",
        "costs/test_search.py",
    ),
    Mutant(
        "search: recall is not measured",
        "bridgeviz/costs/_search.py",
        "np.take_along_axis(index, order, 1), float(recall)",
        "np.take_along_axis(index, order, 1), 1.0",
        "costs/test_search.py",
    ),
    Mutant(
        "memory: not measured",
        "bridgeviz/_memory.py",
        "self.bytes = max(self.bytes, self._held() - self._before)\n\n    def _held",
        "pass\n\n    def _held",
        "test_peak_memory.py",
    ),
]
