"""Mutants of Newton's method on the potentials of the smaller side."""

from __future__ import annotations

from ._mutant import Mutant

FILE = "bridgeviz/_newton.py"
TESTS = "couplings/test_newton.py"

MUTANTS = [
    Mutant("newton: full steps", FILE, "(math.log1p(r * steep) / r if r > 0 else 1.0)", "1.0", TESTS),
    Mutant("newton: epsilon does not fall in stages", FILE, "ladder(problem.range, epsilon) if", "[epsilon] if", TESTS),
    Mutant(
        "newton: no iteration of Sinkhorn follows", FILE, "problem.fitted(g + problem.step", "(g + problem.step", TESTS
    ),
    Mutant("newton: the marginal of the columns is enforced", FILE, "wanted * ((1 - tau_y) / tau_y)", "0.0", TESTS),
    Mutant("newton: tau of the rows is not in the Hessian", FILE, "- tau_x * shared", "- shared", TESTS),
    Mutant("newton: faint columns count", FILE, "FAINT = 1e-16", "FAINT = 1e-100", TESTS),
    Mutant("newton: sides swapped without their tau", FILE, "tau=(tau[1], tau[0])", "tau=tau", TESTS),
    Mutant("newton: it never gives up", FILE, "since > STALLED", "since > 10**9", TESTS),
    Mutant(
        "newton: no steps where the curvature is rounding", FILE, "taken = values <= ", "taken = values < 0 * ", TESTS
    ),
    Mutant("newton: long steps shorten the others", FILE, "np.where(taken, slope, 0)", "slope", TESTS),
]
